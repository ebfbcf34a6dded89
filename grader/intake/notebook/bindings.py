"""Which names a text of Python defines, needs and changes, read without running it.

Runs in the limited child, from its text alone: the standard library and nothing of ours.
"""

from __future__ import annotations

import ast
import builtins
import json
import symtable
import sys
from typing import TypedDict

_MOST_NAMES = 2000
_KNOWN = frozenset(dir(builtins)) | {"__file__", "__path__", "__builtins__", "get_ipython"}
_DEFINITIONS = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.Import, ast.ImportFrom, ast.Pass),
)


class Bindings(TypedDict):
    """What one text does with names at its top level."""

    defines: list[str]
    imports: list[str]
    needs: list[str]  # used anywhere and bound nowhere in the text
    changes: list[str]  # whose attributes it sets: ``MLP.forward = forward``
    only_defines: bool  # nothing in it computes when it is run


def bindings_of(source: str) -> Bindings | None:
    """Return a text's bindings; None if it is not Python."""
    try:
        tree = ast.parse(source)
        table = symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    symbols = table.get_symbols()
    imports = {symbol.get_name() for symbol in symbols if symbol.is_imported()}
    defines = {symbol.get_name() for symbol in symbols if symbol.is_assigned()} - imports
    return Bindings(
        defines=_some(defines),
        imports=_some(imports),
        needs=_some(_used(table) - defines - imports - _KNOWN),
        changes=_some(_changed(tree)),
        only_defines=all(map(_only_defines, tree.body)),
    )


def _some(names: set[str]) -> list[str]:
    return sorted(names)[:_MOST_NAMES]


def _used(top: symtable.SymbolTable) -> set[str]:
    """Return the names that are looked up at the top level, from wherever it may be."""
    found = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    waiting = list(top.get_children())
    while waiting:
        table = waiting.pop()
        found |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
        waiting += table.get_children()
    return found


def _changed(tree: ast.Module) -> set[str]:
    """Return the names whose attributes are set, also by ``setattr`` or a decorator's call."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setattr":
            found.update(node.args[:1])
        elif isinstance(node, ast.FunctionDef):
            found.update(a for d in node.decorator_list if isinstance(d, ast.Call) for a in d.args)
    return {node.id for node in found if isinstance(node, ast.Name)}


def _only_defines(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return not any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(node))
    late = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return isinstance(node, _DEFINITIONS) and not late


def main() -> None:
    """Answer a JSON list of texts with a list of their bindings."""
    json.dump([bindings_of(source) for source in json.loads(sys.stdin.buffer.read())], sys.stdout)


if __name__ == "__main__":
    main()
