"""Where a module mentions forbidden names: imports, aliases and assignments followed, nothing run.

Following is by binding and not by flow: a name stands for all that is ever assigned to it in its
scope. What is made at run time (``getattr`` with a computed name, ``eval``) counts as unclear.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator, Sequence

from .meaning import Reader
from .scope import CERTAIN, UNCLEAR, Meanings, Scope

_ROUNDS = 6  # an alias of an alias of an alias ...
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

# In a file that is watched, these get around reading its source or watching its run.
_WAYS_AROUND = (
    "builtins.eval", "builtins.exec", "builtins.compile", "ctypes", "gc", "inspect.getmembers",
    "torch.jit", "torch.overrides", "torch.utils._python_dispatch",
    "torch._C.DisableTorchFunction", "torch._C.DisableTorchFunctionSubclass",
    "torch._C._DisableTorchDispatch", "torch._C._pop_torch_function_stack",
)  # fmt: skip
_ODD_ATTRIBUTES = ("__subclasses__", "__globals__", "__closure__")

Mentions = dict[tuple[int, str], str]  # (line, name) -> how sure


class Tracer(ast.NodeVisitor):
    """Walks a module: to bind names until aliases have settled, then once to list mentions."""

    # ruff: noqa: D102 - visit_X does what ast.NodeVisitor says: it visits an X.

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._module = reader.scope
        self._scopes: dict[ast.AST, Scope] = {}
        self._imported: Mentions = {}
        self._mentioned: Mentions = {}

    def trace(self, tree: ast.Module) -> list[tuple[int, str, str]]:
        """Return (line, name, how sure) of every mention; of an import only if it has none."""
        for _ in range(_ROUNDS):
            self._mentioned.clear()
            self.visit(tree)
        used = {name for _, name in self._mentioned}
        unused = {key: sure for key, sure in self._imported.items() if key[1] not in used}
        return sorted((*key, sure) for key, sure in {**unused, **self._mentioned}.items())

    @property
    def _scope(self) -> Scope:
        return self._reader.scope

    # What binds a name.

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            self._scope.bind(alias.asname or whole, {self._reader.spelt(whole): CERTAIN})
            if _is_way_around(alias.name):
                self._imported[node.lineno, alias.name] = UNCLEAR

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self._scope.stars.add(module)
                continue
            name = self._reader.spelt(f"{module}.{alias.name}")
            self._scope.bind(alias.asname or alias.name, {name: CERTAIN})
            self._note(self._imported, node, {name: CERTAIN})

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._assign(target, node.value)
            self.visit(target)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:  # an annotation does no work
            self._assign(node.target, node.value)
            self.visit(node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._assign(node.target, node.value)
        self.visit(node.value)

    def visit_Global(self, node: ast.Global) -> None:
        if self._scope is not self._module:
            self._scope.elsewhere.update(dict.fromkeys(node.names, self._module))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        if self._scope.parent is not None:
            self._scope.elsewhere.update(dict.fromkeys(node.names, self._scope.parent))

    def visit_arg(self, node: ast.arg) -> None:
        self._scope.bind(node.arg, {})

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._scope.bind(node.name, {})
        self.generic_visit(node)

    def _assign(self, target: ast.AST, value: ast.expr) -> None:
        """Bind a target to what a value stands for, element by element if both are written out."""
        pairs = (ast.Tuple, ast.List)
        if isinstance(target, ast.Name):
            self._scope.bind(target.id, self._reader.meanings(value), self._reader.text(value))
        elif isinstance(target, pairs) and isinstance(value, pairs):
            for one, of in zip(target.elts, value.elts, strict=False):
                self._assign(one, of)

    # What opens a scope.

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self._scope.bind(node.name, {})
        for child in _outside(node):
            self.visit(child)
        outer = self._scope
        if isinstance(node, (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)):
            of_class = isinstance(node, ast.ClassDef)
            scope = self._scopes.setdefault(node, Scope(outer, of_class=of_class))
            self._bind_defaults(node, scope)
            self._reader.scope = scope
        for child in _inside(node):
            self.visit(child)
        self._reader.scope = outer

    def _bind_defaults(self, node: ast.AST, scope: Scope) -> None:
        """Bind parameters to what their defaults stand for, read outside of the function."""
        if not isinstance(node, _FUNCTIONS):
            return
        given = node.args
        plain = [*given.posonlyargs, *given.args]
        pairs = [*zip(reversed(plain), reversed(given.defaults), strict=False)]
        pairs += [
            (arg, of) for arg, of in zip(given.kwonlyargs, given.kw_defaults, strict=True) if of
        ]
        for arg, default in pairs:
            scope.bind(arg.arg, self._reader.meanings(default), self._reader.text(default))

    # What mentions a name.

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._note(self._mentioned, node, self._reader.meanings(node))
        elif node.id not in self._scope.bound:
            self._scope.bind(node.id, {})

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in _ODD_ATTRIBUTES:
            self._mentioned[node.lineno, node.attr] = UNCLEAR
        self._note_expression(node, [])

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._note_expression(node, [node.slice])

    def visit_Call(self, node: ast.Call) -> None:
        self._note_expression(node, [*node.args, *node.keywords])

    def _note_expression(self, node: ast.expr, others: Sequence[ast.AST]) -> None:
        """Note what an expression mentions; look into its parts if it is nothing known."""
        found = self._reader.meanings(node)
        if not self._note(self._mentioned, node, found):
            for part in others if found else ast.iter_child_nodes(node):
                self.visit(part)

    def _note(self, into: Mentions, node: ast.stmt | ast.expr, found: Meanings) -> bool:
        """Note which of these are forbidden or ways around; tell whether any is."""
        noted = False
        for name, sure in found.items():
            forbidden = any(_within(name, one) for one in self._reader.names)
            if forbidden or sure == UNCLEAR or self._gets_around(name):
                into.setdefault((node.lineno, name), sure if forbidden else UNCLEAR)
                noted = True
        return noted

    def _gets_around(self, name: str) -> bool:
        module, found, _ = name.partition(".__dict__")
        return self._reader.leads_on(module) if found else _is_way_around(name)


def _is_way_around(name: str) -> bool:
    return any(_within(name, way) for way in _WAYS_AROUND)


def _within(name: str, other: str) -> bool:
    return name == other or name.startswith(f"{other}.")


def _outside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what of a function or class is evaluated outside its scope; annotations are not."""
    yield from getattr(node, "decorator_list", ())
    if isinstance(node, ast.ClassDef):
        yield from (*node.bases, *node.keywords)
    elif isinstance(node, _FUNCTIONS):
        defaults = (*node.args.defaults, *node.args.kw_defaults)
        yield from (default for default in defaults if default is not None)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what of a node is evaluated in its own scope."""
    if isinstance(node, _FUNCTIONS):
        given = node.args
        every = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
        yield from (one for one in every if one is not None)
    if isinstance(node, ast.Lambda):
        yield node.body
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield from node.body
    else:
        yield from ast.iter_child_nodes(node)


def main() -> None:
    """Answer ``{"source", "names", "spellings"}`` on stdin; null if reading took too much."""
    asked = json.load(sys.stdin)
    found: list[tuple[int, str, str]] | None
    try:
        tree = ast.parse(asked["source"])
        found = Tracer(Reader(asked["names"], asked["spellings"])).trace(tree)
    except (SyntaxError, ValueError):
        found = []  # it cannot be imported either
    except (RecursionError, MemoryError):
        found = None
    json.dump(found, sys.stdout)
