"""What an expression stands for: the dotted names it may be, as far as they can be read."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from .scope import CERTAIN, UNCLEAR, Meanings, Scope, less_sure

_COMPUTED = "?"
_GETTER = "operator.attrgetter:"
_IMPORTERS = ("builtins.__import__", "importlib.import_module", "importlib.__import__")


class Reader:
    """Reads expressions in a scope: aliases, attributes, and calls that look something up."""

    def __init__(self, names: Sequence[str], spellings: Sequence[Sequence[str]]) -> None:
        self.scope = Scope(None)
        self.names = tuple(names)  # what is forbidden
        self._spellings = [(re.compile(f"^{old}"), new) for old, new in spellings]

    def spelt(self, name: str) -> str:
        """Return a name in its canonical spelling."""
        for pattern, spelling in self._spellings:
            name = pattern.sub(spelling, name)
        return name

    def leads_on(self, name: str) -> bool:
        """Tell whether something forbidden lies below a name."""
        return any(one.startswith(f"{name}.") for one in self.names)

    def meanings(self, node: ast.AST) -> Meanings:
        """Return the dotted names an expression may stand for, none if it is not known."""
        match node:
            case ast.Name():
                return self.scope.look_up(node.id)
            case ast.Attribute():
                return self._attribute(self.meanings(node.value), node.attr)
            case ast.NamedExpr():
                return self.meanings(node.value)
            case ast.IfExp():
                return less_sure({**self.meanings(node.body), **self.meanings(node.orelse)})
            case ast.BoolOp():
                sides = [self.meanings(side).items() for side in node.values]
                return less_sure({name: sure for side in sides for name, sure in side})
            case ast.Subscript():
                return self._entry(self.meanings(node.value), node.slice)
            case ast.Call():
                return self._call(node)
        return {}

    def text(self, node: ast.AST | None) -> str | None:
        """Return the string an expression is, None if that takes running it."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name():
                return self.scope.text(node.id)
            case ast.BinOp(op=ast.Add()):
                return _joined([self.text(node.left), self.text(node.right)])
            case ast.JoinedStr():
                return _joined([self.text(part) for part in node.values])
            case ast.FormattedValue(format_spec=None):
                return self.text(node.value)
        return None

    def _attribute(self, bases: Meanings, attribute: str | None) -> Meanings:
        """Return an attribute of what is known; None is a name that is computed."""
        found = {}
        for base, sure in bases.items():
            if sure == UNCLEAR:
                found[base] = UNCLEAR
            elif attribute is not None:
                found[self.spelt(f"{base}.{attribute}")] = sure
            elif self.leads_on(base):
                found[f"{base}.{_COMPUTED}"] = UNCLEAR
        return found

    def _entry(self, bases: Meanings, key: ast.AST | None) -> Meanings:
        """Return an entry of a module's dictionary, of ``globals()`` or of ``sys.modules``."""
        text = self.text(key)
        found: Meanings = {}
        for base, sure in bases.items():
            if base.endswith(".__dict__"):
                found |= self._attribute({base.removesuffix(".__dict__"): sure}, text)
            elif base in ("builtins.globals()", "builtins.locals()") and text is not None:
                found |= self.scope.look_up(text)
            elif base == "sys.modules" and text is not None:
                found[self.spelt(text)] = sure
        return found

    def _call(self, node: ast.Call) -> Meanings:
        """Return what a call gives, for the calls that look things up by name."""
        found: Meanings = {}
        for name in self.meanings(node.func):
            if name in _IMPORTERS:
                found |= self._imported(name, node)
            elif name.startswith(_GETTER) and node.args:
                path = name.removeprefix(_GETTER)
                of = self.meanings(node.args[0])
                found |= self._attribute(of, None if path == _COMPUTED else path)
            elif name in ("builtins.globals", "builtins.locals"):
                found[f"{name}()"] = CERTAIN
            elif node.args:
                found |= self._found_by(name, *node.args)
        return found

    def _found_by(self, name: str, first: ast.expr, *more: ast.expr) -> Meanings:
        """Return what the function `name` finds with these arguments."""
        base, _, method = name.rpartition(".")
        if name == "builtins.getattr" and more:
            return self._attribute(self.meanings(first), self.text(more[0]))
        if name == "builtins.vars":
            return self._attribute(self.meanings(first), "__dict__")
        if name == "operator.attrgetter":
            return {_GETTER + (self.text(first) or _COMPUTED): CERTAIN}
        if name == "functools.partial":
            return self.meanings(first)
        if method in ("__getattribute__", "__getattr__"):
            if more:  # object.__getattribute__(F, "conv2d")
                return self._attribute(self.meanings(first), self.text(more[0]))
            return self._attribute({base: CERTAIN}, self.text(first))
        if method in ("get", "__getitem__", "pop"):
            return self._entry({base: CERTAIN}, first)
        return {}

    def _imported(self, name: str, node: ast.Call) -> Meanings:
        """Return the module an import function gives."""
        module = self.text(node.args[0]) if node.args else None
        if module is None:
            return {f"{name}({_COMPUTED})": UNCLEAR}
        whole = name == "importlib.import_module" or len(node.args) > 1 or node.keywords
        return {self.spelt(module if whole else module.partition(".")[0]): CERTAIN}


def _joined(parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    return "".join(known) if len(known) == len(parts) else None
