"""Operators on calls: the wrong axis, arguments in the wrong order, another function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from grader.authoring.validate.automatic.expressions import AXES, KEEPDIMS
from grader.authoring.validate.automatic.source import Source, SourceEdit

# The order of the arguments is nothing to these.
_SYMMETRIC = frozenset(
    "max min maximum minimum logaddexp hypot gcd add multiply isclose allclose zip".split()
)
_PAIRS = (
    ("mean", "sum"),
    ("max", "min"),
    ("amax", "amin"),
    ("maximum", "minimum"),
    ("argmax", "argmin"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("sin", "cos"),
    ("floor", "ceil"),
    ("any", "all"),
    ("rand", "randn"),
    ("rand_like", "randn_like"),
    ("uniform", "normal"),
    ("triu", "tril"),
    ("train", "eval"),
)
_OTHER = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
# Of one value, and of the same kind as it: what is left out when they are forgotten compiles.
_OF_ONE = frozenset(
    "sqrt exp log log2 log1p expm1 abs square tanh sigmoid relu softplus softmax copy clone detach"
    " reversed sorted".split()
)
_TRANSPOSED = ("T", "mT")


def axis(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Work along another axis, and along none."""
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if keyword.arg in AXES:
            given = source.text(keyword.value).replace(" ", "")
            if given.lstrip("-").isdigit():
                other = "-1" if given in ("0", "-2") else "0"
                yield source.replace("axis", keyword.value, other)
            yield _without(source, "axis", node, keyword)


def keepdims(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Lose the axis that was to be kept."""
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg in KEEPDIMS:
                yield _without(source, "keepdims", node, keyword)


def _without(source: Source, operator: str, call: ast.Call, keyword: ast.keyword) -> SourceEdit:
    """Return the edit that removes a keyword and its comma."""
    start, end = source.start(keyword), source.end(keyword)
    both: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    every = sorted(both, key=source.start)
    place = every.index(keyword)
    if place:
        start = source.end(every[place - 1])
    elif len(every) > 1:
        end = source.start(every[1])
    # An argument in parentheses ends before they do: what stands between must stay.
    kept = source.content[start : source.start(keyword)].decode().rpartition(",")[0]
    return SourceEdit(operator, start, end, kept)


def arguments(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Swap two neighbouring arguments, or entries of a tuple that is passed or returned."""
    if isinstance(node, ast.Call):
        every = [] if _name(node.func) in _SYMMETRIC else node.args
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load):
        every = node.elts if isinstance(source.parents[node], (ast.Call, ast.Return)) else []
    else:
        return
    for first, second in pairwise(every):
        if _may_swap(first) and _may_swap(second) and ast.dump(first) != ast.dump(second):
            yield source.swap("swap", first, second)


def _may_swap(node: ast.expr) -> bool:
    """Whether a value could stand elsewhere: a text in a number's place teaches nothing."""
    text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return not text and not isinstance(node, (ast.Starred, ast.JoinedStr))


def function(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Call a sibling: sum for mean, min for max, ones for zeros, eval for train."""
    if not isinstance(node, ast.Call):
        return
    called = node.func
    name = _name(called)
    if name in _OTHER and (isinstance(called, ast.Attribute) or name in ("max", "min")):
        end = source.end(called)
        yield SourceEdit("function", end - len(name), end, _OTHER[name])


def unwrap(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Leave out a function of one value: the root of RMSProp, a copy, a detach, a transpose."""
    if isinstance(node, ast.Attribute) and node.attr in _TRANSPOSED:
        yield _without_attribute(source, node, source.end(node))
    if not isinstance(node, ast.Call) or node.keywords or _name(node.func) not in _OF_ONE:
        return
    if isinstance(node.func, ast.Attribute) and not _is_module(source, node.func.value):
        if not node.args:
            yield _without_attribute(source, node.func, source.end(node))
    elif len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
        yield source.replace("unwrap", node, f"({source.text(node.args[0])})")


def _without_attribute(source: Source, node: ast.Attribute, end: int) -> SourceEdit:
    """Return the edit that removes everything from an attribute's dot on."""
    dot = source.content.rindex(b".", 0, source.end(node) - len(node.attr))
    return SourceEdit("unwrap", dot, end, "")


def _is_module(source: Source, node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in source.modules


def _name(called: ast.expr) -> str:
    """Return the last word of what is called."""
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""
