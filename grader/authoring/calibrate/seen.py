"""What a run that measures can depend on: the tests that may record a figure, and all they see."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TypeGuard

from grader.errors import GradingError
from grader.grading.digest import lab_files
from grader.lab.bars import BARS_NAME
from grader.lab.catalogue import Lab
from grader.lab.given import DATASETS, REFERENCE
from grader.lab.manifest import MANIFEST_NAME

_CPU_LIMITS = {"cpu_seconds", "test_cpu_seconds", "import_cpu_seconds"}
_RECORDING = frozenset({"bar", "measured"})  # the fixtures by which a test records a figure
_SUITE = (REFERENCE, "suite")

_Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def measuring_digest(lab: Lab, tests: Collection[str]) -> str:
    """Return the SHA-256 over all that these tests of the suite see.

    That is the reference, what the suite's tests share, the course's loaders of data if the lab
    gives any of them, and of the manifest variants, files and limits. Of the suite's own
    ``test_*.py`` only those that hold one of `tests` (by id) count, and in them no other test.
    Limits of CPU time count nowhere: who keeps within them measures the same, and who does not
    measures nothing.
    """
    total = hashlib.sha256()
    manifest = lab.assignment.model_dump(
        mode="json",
        include={"variants", "default_variant", "files", "given", "limits"},
        # A table reaches the suite with the same cells whatever its file may look like.
        exclude={"limits": _CPU_LIMITS, "files": {"__all__": {"columns"}}},
        exclude_defaults=True,  # a key that the manifest learns to have changes nothing
    )
    total.update(json.dumps(manifest, sort_keys=True).encode())
    loads = any(DATASETS in PurePosixPath(given.path).parts for given in lab.assignment.given)
    functions = _functions(tests)
    for name, file in sorted(lab_files(lab)):
        path = PurePosixPath(name)
        if path.name in (MANIFEST_NAME, BARS_NAME):  # no threshold can change a measured value
            continue
        if not loads and path.parts[0] == DATASETS:
            continue
        data = file.read_bytes()
        if _holds_tests(path):
            wanted = functions.get("/".join(path.parts[2:]))
            if wanted is None:
                continue
            data = _measuring_text(data, wanted)
        total.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return total.hexdigest()


def may_measure(lab: Lab) -> set[str]:
    """Return the tests that may record a figure, as ``file::function``, without running any.

    Those that ask for ``bar`` or ``measured``, be it by way of fixtures and helpers anywhere in
    the suite. A test that uses one of their names for something else is among them too. Raises
    GradingError if Python cannot read a file.
    """
    texts = dict(_suite_texts(lab))
    helpers = [node for tree in texts.values() for node in tree.body if _is_helper(node)]
    names = _names_that_record(helpers)
    for_all = any(node.name in names and _by_itself(node) for node in helpers)
    return {
        f"{file}::{node.name}"
        for file, tree in texts.items()
        for node in tree.body
        if isinstance(node, _DEFINED) and _is_test(node.name)
        if for_all or not names.isdisjoint(_used(node))
    }


def _suite_texts(lab: Lab) -> Iterator[tuple[str, ast.Module]]:
    for name, file in sorted(lab_files(lab)):
        path = PurePosixPath(name)
        if path.parts[:2] == _SUITE and path.suffix == ".py":
            inside = "/".join(path.parts[2:])
            try:
                yield inside, ast.parse(file.read_bytes())
            except (SyntaxError, ValueError) as error:
                raise GradingError(f"{inside} cannot be read: {error}") from None


def _names_that_record(helpers: Sequence[_Defined]) -> set[str]:
    """Return ``bar``, ``measured``, and the names of helpers and fixtures that come to them."""
    used = [(node.name, set(_used(node))) for node in helpers]
    names, before = set(_RECORDING), 0
    while len(names) > before:
        before = len(names)
        names |= {name for name, words in used if not names.isdisjoint(words)}
    return names


def _is_helper(node: ast.stmt) -> TypeGuard[_Defined]:
    return isinstance(node, _DEFINED) and not _is_test(node.name)


def _is_test(name: str) -> bool:
    return name.startswith(("test", "Test"))


def _by_itself(node: _Defined) -> bool:
    """Whether a fixture comes to tests that do not name it."""
    return any("autouse" in ast.unparse(mark) for mark in node.decorator_list)


def _used(node: ast.AST) -> Iterator[str]:
    """Yield the words of a text by which it may reach a fixture or a helper."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.arg):
            yield part.arg
        elif isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value  # of usefixtures and getfixturevalue


def _functions(tests: Iterable[str]) -> dict[str, set[str]]:
    """Return the names of test functions by file, parameters left out."""
    found: dict[str, set[str]] = {}
    for test in tests:
        file, _, function = test.partition("::")
        found.setdefault(file, set()).add(function.partition("[")[0])
    return found


def _holds_tests(path: PurePosixPath) -> bool:
    return path.parts[:2] == _SUITE and path.name.startswith("test_")


def _measuring_text(source: bytes, wanted: set[str]) -> bytes:
    """Return a file of tests without limits of CPU time and without tests not wanted.

    What stands between statements (blank lines, comments) goes, too: it comes and goes with them.
    """
    lines = source.splitlines(keepends=True)
    kept = set[int]()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("CPU_SECONDS"):
            continue
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            if node.name not in wanted:
                continue
        marks = node.decorator_list if isinstance(node, _DEFINED) else []
        kept.update(range(min([node.lineno, *(mark.lineno for mark in marks)]), _end(node)))
        for mark in marks:
            if ast.unparse(mark).startswith("pytest.mark.limits("):
                kept.difference_update(range(mark.lineno, _end(mark)))
    return b"".join(line for number, line in enumerate(lines, 1) if number in kept)


def _end(node: ast.stmt | ast.expr) -> int:
    """Return the number of the line after a node's last."""
    return (node.end_lineno or node.lineno) + 1
