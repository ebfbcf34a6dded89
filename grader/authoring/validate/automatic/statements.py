"""Operators on statements: one is dropped, or a loop goes on where it should end."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.authoring.validate.automatic.source import Source, SourceEdit

_SILENT = frozenset({"print"})


def drop(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Put ``pass`` for a call, a raise, or an assignment to what has a value already.

    A name that is bound nowhere else would only give a NameError.
    """
    if not isinstance(node, ast.stmt) or not _can_be_dropped(source, node):
        return
    yield source.replace("drop", node, "pass")


def _can_be_dropped(source: Source, node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        called = node.value.func if isinstance(node.value, ast.Call) else None
        return called is not None and not (isinstance(called, ast.Name) and called.id in _SILENT)
    if isinstance(node, (ast.Raise, ast.AugAssign)):
        return True
    if isinstance(node, ast.Assign):
        return all(_has_a_value(source, target) for target in node.targets)
    if isinstance(node, ast.AnnAssign):
        return node.value is not None and isinstance(node.target, ast.Attribute)
    return False


def _has_a_value(source: Source, target: ast.expr) -> bool:
    """Whether a target can be read without this assignment."""
    if isinstance(target, (ast.Attribute, ast.Subscript)):
        return True
    names = {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
    return names <= _bound_elsewhere(source, target)


def _bound_elsewhere(source: Source, target: ast.expr) -> set[str]:
    """Return the names that a function binds before a target: arguments, earlier assignments."""
    scope: ast.AST = target
    while not isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)):
        scope = source.parents[scope]
    if isinstance(scope, ast.Module):
        return set()
    names = {node.arg for node in ast.walk(scope.args) if isinstance(node, ast.arg)}
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            if source.start(node) < source.start(target):
                names.add(node.id)
    return names


def loop(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Put ``continue`` for ``break`` and the other way round."""
    if isinstance(node, ast.Break):
        yield source.replace("loop", node, "continue")
    elif isinstance(node, ast.Continue):
        yield source.replace("loop", node, "break")
