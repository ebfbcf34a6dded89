"""Operators on numbers, signs, arithmetic, comparisons and truth.

The classes are those of the literature (Jia and Harman 2011: AOR, ROR, LCR, UOI, CRP), and each
gives the few replacements that a student's mistake looks like, not every possible one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from grader.authoring.validate.automatic.source import Source, SourceEdit

# Arguments that operators of their own leave out or change.
AXES = ("axis", "dim")
KEEPDIMS = ("keepdims", "keepdim")
_MANY = 10  # from here on an integer is a size or a count: one more or less is no other program
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.MatMult: ("@", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
# The neighbour (off by one) and the opposite (the condition negated).
_COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: (r"\bis\b", ("is not",)),
    ast.IsNot: (r"\bis\s+not\b", ("is",)),
    ast.In: (r"\bin\b", ("not in",)),
    ast.NotIn: (r"\bnot\s+in\b", ("in",)),
}


def number(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Change by one; double and halve a large integer; double and negate a float."""
    if not isinstance(node, ast.Constant) or _is_axis(source, node):
        return
    value = node.value
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return
    others: list[float]
    if isinstance(value, int):
        others = [value + 1, value - 1] if value < _MANY else [2 * value, value // 2]
    elif value == 0.0:
        others = [1.0]
    elif isinstance(source.parents[node], ast.UnaryOp):
        others = [2 * value]  # without its minus it is the work of `sign`
    else:
        others = [2 * value, -value]
    for other in others:
        yield source.replace("number", node, repr(other))


def _is_axis(source: Source, node: ast.AST) -> bool:
    """Whether a number is the whole of ``axis=...``, which has an operator of its own."""
    parent = source.parents[node]
    if isinstance(parent, ast.UnaryOp):
        parent = source.parents[parent]
    return isinstance(parent, ast.keyword) and parent.arg in AXES


def truth(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Put True for False and the other way round."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        parent = source.parents[node]
        if not (isinstance(parent, ast.keyword) and parent.arg in KEEPDIMS):
            yield source.replace("truth", node, repr(not node.value))


def arithmetic(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Put plus for minus, divided by for times, times for to the power of."""
    if isinstance(node, ast.BinOp):
        left, right, assigned = node.left, node.right, ""
    elif isinstance(node, ast.AugAssign):
        left, right, assigned = node.target, node.value, "="
    else:
        return
    if _is_text(left) or _is_text(right):
        return
    old, new = _ARITHMETIC[type(node.op)]
    edit = source.replace_between(
        "arithmetic", left, right, re.escape(old + assigned), new + assigned
    )
    if edit:
        yield edit


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
    )


def comparison(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Put ``<=`` for ``<``, and each comparison's opposite in its place."""
    if not isinstance(node, ast.Compare):
        return
    for (left, right), sign in zip(pairwise([node.left, *node.comparators]), node.ops, strict=True):
        pattern, others = _COMPARISONS[type(sign)]
        for other in others:
            edit = source.replace_between("comparison", left, right, pattern, other)
            if edit:
                yield edit


def boolean(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Put ``and`` for ``or`` and the other way round."""
    if isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            edit = source.replace_between("boolean", left, right, rf"\b{old}\b", new)
            if edit:
                yield edit


def negate(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Negate a condition; a single comparison has its opposite from `comparison`."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield source.replace("negate", node, _inside(source, node.operand))
    conditions: list[ast.expr] = []
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        conditions = [node.test]
    elif isinstance(node, ast.comprehension):
        conditions = node.ifs
    for test in conditions:
        compares = isinstance(test, ast.Compare) and len(test.ops) == 1
        if not compares and not isinstance(test, ast.UnaryOp):
            yield source.replace("negate", test, f"not ({source.text(test)})")


def sign(source: Source, node: ast.AST) -> Iterator[SourceEdit]:
    """Leave out a minus; return a computed result with the wrong sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        if not _is_axis(source, node.operand):
            yield source.replace("sign", node, _inside(source, node.operand))
    elif isinstance(node, ast.Return) and node.value and _is_computed(source, node.value):
        yield source.replace("sign", node.value, f"-({source.text(node.value)})")


def _is_computed(source: Source, node: ast.expr) -> bool:
    """Whether a value is surely a number or an array: arithmetic, or a library's function."""
    if isinstance(node, ast.Call):
        top = node.func
        while isinstance(top, ast.Attribute):
            top = top.value
        return isinstance(top, ast.Name) and top.id in source.modules
    return isinstance(node, ast.BinOp)


def _inside(source: Source, node: ast.expr) -> str:
    """Return the text of an operand, in parentheses unless it is one word."""
    text = source.text(node)
    simple = isinstance(node, (ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript))
    return text if simple else f"({text})"
