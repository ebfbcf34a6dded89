"""The skeleton of a module: its solution cut out where the marks say.

What stands between ``# BEGIN SOLUTION`` and ``# END SOLUTION`` is what students write. Inside a
function it becomes ``raise NotImplementedError("fit is not written yet")``; elsewhere it vanishes.
Nothing is run: marks are comments of the token stream, and statements come from the syntax tree.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from grader.errors import AuthoringError

BEGIN = "# BEGIN SOLUTION"
END = "# END SOLUTION"

_ALIKE = 0.85  # of a comment and a mark, both without case and punctuation


class MarkError(AuthoringError):
    """Marks that cannot be followed; each problem names file, line and mend."""


@dataclass(frozen=True)
class Block:
    """One marked solution. Lines count from 1; `begin` and `end` are those of the marks."""

    begin: int
    end: int
    column: int
    part: str  # the function it is in, such as "MLP.forward"; "" if it is in none
    position: tuple[int, int]  # which block of its function, of how many

    @property
    def refusal(self) -> str:
        """What calling the unwritten function says."""
        number, count = self.position
        which = f" (part {number} of {count})" if count > 1 else ""
        return f"{self.part} is not written yet{which}"


def skeleton_of(source: str, name: str) -> str:
    """Return a module's text without its solutions; `name` is the file as errors call it.

    Raises MarkError for marks that are not paired, that cut a statement in two, or whose removal
    leaves something that is no longer Python.
    """
    lines = _lines(source)
    for block in reversed(solution_blocks(source, name)):
        indent = " " * block.column
        written = [f'{indent}raise NotImplementedError("{block.refusal}")'] if block.part else []
        if written:
            lines[block.begin - 1 : block.end] = written
        else:
            _cut(lines, block)
    text = "\n".join(lines).rstrip("\n") + "\n"
    return "" if text == "\n" else text


def solution_lines(source: str, name: str) -> list[str]:
    """Return the stripped lines between marks, in order, without blank ones."""
    lines = _lines(source)
    inside = [
        line.strip()
        for block in solution_blocks(source, name)
        for line in lines[block.begin : block.end - 1]
    ]
    return [line for line in inside if line]


def solution_blocks(source: str, name: str) -> list[Block]:
    """Find the marked solutions of a module, from top to bottom; MarkError if marks are wrong."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise MarkError([f"{name}:{error.lineno}: is not Python: {error.msg}"]) from None
    pairs = _pairs(source, name)
    every = list(_statements(tree))
    found, problems = [], []
    for pair in pairs:
        try:
            found.append((pair, _owner(pair, every, name)))
        except MarkError as error:
            problems += error.problems
    problems = problems or list(_emptied(found, every, name))
    if problems:
        raise MarkError(problems)
    parts = [_part(owner) for _, owner in found]
    return [
        Block(
            pair.begin,
            pair.end,
            pair.column,
            part,
            (parts[: index + 1].count(part), parts.count(part)),
        )
        for index, ((pair, _), part) in enumerate(zip(found, parts, strict=True))
    ]


def _lines(source: str) -> list[str]:
    # Not str.splitlines: it also breaks at form feeds, which Python counts as part of a line.
    return source.split("\n")


def _cut(lines: list[str], block: Block) -> None:
    """Remove a block; of the blank lines before and after it the larger number stays."""
    before, after = block.begin - 1, block.end
    while before > 0 and not lines[before - 1].strip():
        before -= 1
    while after < len(lines) and not lines[after].strip():
        after += 1
    blank = max(block.begin - 1 - before, after - block.end) if before else 0
    lines[before:after] = [""] * blank


# ------------------------------------------------------------------------------------- the marks


@dataclass(frozen=True)
class _Pair:
    begin: int
    end: int
    column: int


def _pairs(source: str, name: str) -> list[_Pair]:
    """Pair the marks of a module."""
    pairs: list[_Pair] = []
    problems: list[str] = []
    opened: tuple[int, int] | None = None
    for text, line, column in _marks(source, name, problems):
        if text == BEGIN:
            if opened:
                problems.append(f"{name}:{line}: BEGIN inside the solution begun at {opened[0]}")
            opened = opened or (line, column)
        elif opened is None:
            problems.append(f"{name}:{line}: END SOLUTION without a BEGIN before it")
        else:
            begin, at = opened
            if at != column:
                problems.append(
                    f"{name}:{line}: END stands at column {column}, its BEGIN in line {begin} at "
                    f"{at}; indent both alike"
                )
            pairs.append(_Pair(begin, line, at))
            opened = None
    if opened:
        problems.append(f"{name}:{opened[0]}: BEGIN SOLUTION has no END after it")
    if problems:
        raise MarkError(problems)
    return pairs


def _marks(source: str, name: str, problems: list[str]) -> Iterator[tuple[str, int, int]]:
    """Yield kind, line and column of each mark; a comment that only resembles one is a problem."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        meant = _mark_meant(token.string) if token.type == tokenize.COMMENT else None
        if meant is None:
            continue
        line, column = token.start
        if token.line[:column].strip():
            problems.append(f"{name}:{line}: a mark stands on a line of its own")
            continue
        if token.string.rstrip() != meant:
            problems.append(f"{name}:{line}: write exactly {meant!r}, not {token.string!r}")
        yield meant, line, column


def _mark_meant(comment: str) -> str | None:
    """Return the mark a comment is or was to be: a slip overlooked would hand a solution out."""
    plain = " ".join(re.findall(r"[a-z]+", comment.lower()))
    likeness, mark = max(
        (SequenceMatcher(None, plain, mark.removeprefix("# ").lower()).ratio(), mark)
        for mark in (BEGIN, END)
    )
    # The first letter tells slips from comments such as "find solution".
    return mark if likeness >= _ALIKE and plain[0] in "be" else None


# -------------------------------------------------------------------------------- the statements


@dataclass(frozen=True)
class _Statement:
    """A statement and where it stands: the bodies around it, from the module inwards."""

    node: ast.stmt
    start: int  # its first line, decorators included
    end: int
    around: tuple[ast.AST, ...]
    field: str  # the list of its parent that it is in: body, orelse, ...

    @property
    def place(self) -> tuple[int, str]:
        """The list it is in."""
        return id(self.around[-1]), self.field


def _statements(node: ast.AST, around: tuple[ast.AST, ...] = ()) -> Iterator[_Statement]:
    inner = (*around, node)
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else ():
            if isinstance(child, ast.stmt):
                marks = [d.lineno for d in getattr(child, "decorator_list", ())]
                start, end = min([child.lineno, *marks]), child.end_lineno or child.lineno
                yield _Statement(child, start, end, inner, field)
            if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
                yield from _statements(child, inner)


def _owner(pair: _Pair, every: Iterable[_Statement], name: str) -> tuple[_Statement, ...]:
    """Return the statements directly in a block, after checking that it holds whole ones."""
    inside = []
    for one in every:
        starts, ends = pair.begin < one.start < pair.end, pair.begin < one.end < pair.end
        if starts and (not ends or one.node.col_offset < pair.column):
            raise MarkError([_cuts(name, pair.end, one)])
        if one.start < pair.begin < one.end and one.node.col_offset >= pair.column:
            raise MarkError([_cuts(name, pair.begin, one)])
        if starts:
            inside.append(one)
    if not inside:
        raise MarkError([f"{name}:{pair.begin}: there is no whole statement in this solution"])
    within = {id(one.node) for one in inside}
    direct = tuple(one for one in inside if _outermost(one, within))
    if len({one.place for one in direct}) > 1 or direct[0].node.col_offset != pair.column:
        raise MarkError(
            [f"{name}:{pair.begin}: the marks stand at another depth than what is between them"]
        )
    return direct


def _outermost(one: _Statement, within: set[int]) -> bool:
    """Tell whether no other statement of the block is around this one."""
    return not any(id(node) in within for node in one.around)


def _cuts(name: str, line: int, one: _Statement) -> str:
    return (
        f"{name}:{line}: this mark cuts the statement of lines {one.start} to {one.end} in two; "
        f"put it before or after the whole statement"
    )


def _part(owner: tuple[_Statement, ...]) -> str:
    """Name the function a block is in as a student knows it; "" if it is in none."""
    named = [
        node
        for node in owner[0].around
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    if not named or isinstance(named[-1], ast.ClassDef):
        return ""
    steps = [node.name for node in named]
    if len(steps) > 1 and steps[-1] == "__init__":
        steps.pop()
    return ".".join(steps)


def _emptied(
    found: list[tuple[_Pair, tuple[_Statement, ...]]], every: list[_Statement], name: str
) -> Iterator[str]:
    """Say which class or branch outside functions nothing would be left of."""
    gone = {id(one.node) for _, owner in found if not _part(owner) for one in owner}
    for pair, owner in found:
        parent = owner[0].around[-1]
        if _part(owner) or isinstance(parent, ast.Module):
            continue
        if all(id(one.node) in gone for one in every if one.place == owner[0].place):
            what = f"class {parent.name}" if isinstance(parent, ast.ClassDef) else "this branch"
            yield (
                f"{name}:{pair.begin}: nothing would be left of {what}; mark it as a whole, or "
                f"leave a docstring or another statement outside the marks"
            )
