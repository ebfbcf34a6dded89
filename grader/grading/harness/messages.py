"""The messages of a suite that students may read: those of `require` that are plain strings.

They are read from the text of the suite, not from what it says when it runs: so nothing that a
test computes can be in one, whatever it is built of.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_FUNCTION = "require"


def literal_messages(folder: Path) -> frozenset[str]:
    """Return the messages that stand as string literals in calls of `require`, in all files."""
    return frozenset(
        message
        for file in folder.rglob("*.py")
        for message in _messages(ast.parse(file.read_bytes()))
    )


def _messages(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) == _FUNCTION:
            named = [word.value for word in node.keywords if word.arg == "message"]
            for value in (*node.args[1:2], *named):
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
