"""What a suite's files say, test by test, read from their syntax trees without importing them.

A test's own text is its function with decorators and parameters. All else of its file that is no
test function (imports, constants, helpers, fixtures) belongs to every test of the file. Comments
and layout count for nothing.

Where that cut would be unsafe the whole file belongs to each of its tests: if it mentions a test
function by name, or reaches for names in ways that only running shows.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grader.errors import GradingError

# Names through which code can reach what it does not name.
_REFLECTION = frozenset({"globals", "locals", "vars", "eval", "exec", "__import__", "inspect"})

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class TestFile:
    """The digests of one file with tests."""

    __test__ = False

    whole: str
    rest: str  # all but the test functions
    own: Mapping[str, str]  # ``test_a`` or ``TestA::test_b`` -> its function's
    divisible: bool

    def digest(self, function: str) -> str:
        """Return what a test's result can depend on in this file, other test functions apart."""
        if not self.divisible or function not in self.own:
            return self.whole
        return f"{self.rest}:{self.own[function]}"


def read_test_file(name: str, source: bytes) -> TestFile:
    """Read a file of the suite; GradingError if Python cannot."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise GradingError(f"{name} cannot be read: {error}") from None
    functions = dict(_test_functions(tree))
    rest = _without_tests(tree)
    return TestFile(
        whole=_digest(tree),
        rest=_digest(rest),
        own={name: _digest(node) for name, node in functions.items()},
        divisible=not _reaches_for_more(tree, {name.split("::")[-1] for name in functions}),
    )


def mentions(source: bytes, name: str) -> bool:
    """Tell whether a Python text uses a name, be it as an attribute or as an argument."""
    tree = ast.parse(source)
    attributes = (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return name in {*_names(tree), *attributes}


def imported_stems(source: bytes) -> set[str]:
    """Return the words that a Python text imports or has as a whole string: maybe modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {part for alias in node.names for part in alias.name.split(".")}
        elif isinstance(node, ast.ImportFrom):
            found |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value.removesuffix(".py").rpartition("/")[2].rpartition(".")[2])
    return found


def _test_functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    seen: set[str] = set()
    for node in tree.body:
        if isinstance(node, _Function) and _is_test(node.name):
            found = [(node.name, node)]
        elif isinstance(node, ast.ClassDef):
            found = [
                (f"{node.name}::{method.name}", method)
                for method in node.body
                if isinstance(method, _Function) and _is_test(method.name)
            ]
        else:
            continue
        for name, function in found:
            if name in seen:  # the second of a name replaces the first: let the rest hold both
                continue
            seen.add(name)
            yield name, function


def _without_tests(tree: ast.Module) -> ast.Module:
    removed = {id(node) for _, node in _test_functions(tree)}
    body: list[ast.stmt] = []
    for node in tree.body:
        if id(node) in removed:
            continue
        if isinstance(node, ast.ClassDef):
            node = copy.copy(node)
            node.body = [method for method in node.body if id(method) not in removed]
        body.append(node)
    return ast.Module(body=body, type_ignores=[])


def _is_test(name: str) -> bool:
    return name.startswith("test")


def _reaches_for_more(tree: ast.Module, tests: set[str]) -> bool:
    """Tell whether the text may use a test function otherwise than pytest does."""
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return not (tests | _REFLECTION).isdisjoint(_names(tree)) or not tests.isdisjoint(attributes)


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield node.name.partition(".")[0]


def _digest(node: ast.AST) -> str:
    return hashlib.sha256(ast.dump(node).encode()).hexdigest()
