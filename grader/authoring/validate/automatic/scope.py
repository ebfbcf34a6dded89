"""Which code is mutated: what students write and hidden tests can reach."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from grader.authoring.release.skeleton import solution_blocks
from grader.authoring.validate.automatic.source import Source

_SCRIPT = "main"
# Nothing depends on whether these hold; the reference's sequences have equal lengths anyway.
_IDLE_KEYWORDS = frozenset({"strict"})


def solution_lines(source: Source) -> frozenset[int]:
    """Return the numbers of the lines between the marks of the reference."""
    blocks = solution_blocks(source.content.decode(), "the reference")
    return frozenset(line for block in blocks for line in range(block.begin + 1, block.end))


def mutable_nodes(source: Source, used_elsewhere: Collection[str] = ()) -> Iterator[ast.AST]:
    """Yield the nodes that operators may change, in the order of the text.

    Left out are docstrings, annotations, decorators, formatted text, what a ``raise`` says, and
    everything that only ``main`` reaches: the suite runs no script, what a script writes is handed
    in as a file. `used_elsewhere` are names that other files import from this one.
    """
    unreached = _only_for_the_script(source, used_elsewhere)
    for statement in source.tree.body:
        if not _names(statement) or not _names(statement) <= unreached:
            yield from _visit(statement)


def _visit(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.JoinedStr) or _is_docstring(node):
        return
    if isinstance(node, ast.keyword) and node.arg in _IDLE_KEYWORDS:
        return
    yield node
    if isinstance(node, ast.Raise):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _visit(child)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _only_for_the_script(source: Source, used_elsewhere: Collection[str]) -> set[str]:
    """Return the names that nothing but ``main`` leads to."""
    lines = solution_lines(source)
    uses: dict[str, set[str]] = {}
    public = set(used_elsewhere)
    for statement in source.tree.body:
        for name in _names(statement):
            mentioned = (n.id for n in ast.walk(statement) if isinstance(n, ast.Name))
            uses.setdefault(name, set()).update(mentioned)
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                if statement.lineno not in lines:
                    public.add(name)
    script = _reached({_SCRIPT}, uses)
    return script - _reached((public | uses.keys() - script) - {_SCRIPT}, uses)


def _reached(names: set[str], uses: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    more = list(names)
    while more:
        name = more.pop()
        if name in uses and name not in found:
            found.add(name)
            more += uses[name]
    return found


def _names(statement: ast.stmt) -> set[str]:
    """Return the names that a statement of the module defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    return {
        node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
    }
