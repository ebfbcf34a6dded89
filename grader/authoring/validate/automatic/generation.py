"""Automatic mutants: the reference with one small change, made from its syntax tree."""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.authoring.validate.automatic import calls, expressions, statements
from grader.authoring.validate.automatic.scope import mutable_nodes, solution_lines
from grader.authoring.validate.automatic.source import Source, SourceEdit
from grader.intake.submission import AcceptedFile, Submission

OPERATORS: tuple[Callable[[Source, ast.AST], Iterator[SourceEdit]], ...] = (
    expressions.number,
    expressions.truth,
    expressions.arithmetic,
    expressions.comparison,
    expressions.boolean,
    expressions.negate,
    expressions.sign,
    calls.axis,
    calls.keepdims,
    calls.arguments,
    calls.function,
    calls.unwrap,
    statements.drop,
    statements.loop,
)
_MAX_SHOWN = 200


@dataclass(frozen=True)
class AutomaticMutant:
    """One file of the reference with one change.

    Its name holds the function, the operator, a digest of the changed line's text, and which of
    the operator's changes to that text it is: it survives edits elsewhere in the file.
    """

    name: str
    path: str  # of the file, as the manifest names it
    line: int
    function: str  # that holds the change; empty at the top of the module
    operator: str
    before: str  # the changed line or lines, in one
    after: str
    start: int  # of the bytes of the reference's file that the change replaces
    end: int
    content: bytes  # of the whole file

    def apply(self, reference: Submission) -> Submission:
        """Return the reference with this file in place of its own."""
        files = tuple(
            AcceptedFile(file.path, self.content) if file.path == self.path else file
            for file in reference.files
        )
        return Submission(self.name, files)

    def described(self) -> str:
        """Return place, operator and change in one line."""
        return f"{self.path}:{self.line} [{self.operator}] {self.before} -> {self.after}"


def automatic_mutants(reference: Submission) -> list[AutomaticMutant]:
    """Return every mutant of a reference's Python files, file by file, top to bottom."""
    files = [file for file in reference.files if file.path.endswith(".py")]
    return [
        mutant
        for file in files
        for mutant in file_mutants(file.path, file.content, _imported(file.path, files))
    ]


def file_mutants(
    path: str, content: bytes, used_elsewhere: Collection[str] = ()
) -> list[AutomaticMutant]:
    """Return the mutants of one file; every one compiles, and no two are the same program."""
    source = Source(content)
    lines = solution_lines(source)
    statements = _Statements()
    seen = {statements.dumped(content)}
    counts: Counter[tuple[str, ...]] = Counter()
    found = []
    for edit in _edits(source, used_elsewhere):
        first, last = source.line_of(edit.start), source.line_of(edit.end)
        mutated = source.apply(edit)
        tree = statements.dumped(mutated)
        if not lines.issuperset(range(first, last + 1)) or tree is None or tree in seen:
            continue
        seen.add(tree)
        mutant = _described(path, source, edit, mutated, counts)
        found.append(mutant)
    return sorted(found, key=lambda mutant: mutant.line)


def _edits(source: Source, used_elsewhere: Collection[str]) -> Iterator[SourceEdit]:
    for node in mutable_nodes(source, used_elsewhere):
        for operator in OPERATORS:
            yield from operator(source, node)


class _Statements:
    """Trees of a file's versions; a statement that many share is dumped once."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, int, int | None], str] = {}

    def dumped(self, content: bytes) -> tuple[str, ...] | None:
        """Return the tree of a file that compiles, by statements; None for one that does not."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a wrong program may do is no concern here
            try:
                tree = ast.parse(content)
                compile(tree, "mutant", "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                return None
        lines = content.split(b"\n")
        return tuple(self._dump(statement, lines) for statement in tree.body)

    def _dump(self, statement: ast.stmt, lines: list[bytes]) -> str:
        decorators = getattr(statement, "decorator_list", [])
        first = min(node.lineno for node in (statement, *decorators))
        text = b"\n".join(lines[first - 1 : statement.end_lineno])
        place = (text, statement.col_offset, statement.end_col_offset)  # two may share a line
        if place not in self._known:
            self._known[place] = ast.dump(statement)
        return self._known[place]


def _described(
    path: str, source: Source, edit: SourceEdit, mutated: bytes, counts: Counter[tuple[str, ...]]
) -> AutomaticMutant:
    first, last = source.line_of(edit.start), source.line_of(edit.end)
    function = _function_at(source, first)
    before = _one_line("\n".join(source.lines[first - 1 : last]))
    digest = hashlib.sha256(before.encode()).hexdigest()[:8]
    identity = (path, function, edit.operator, digest)
    counts[identity] += 1
    grown = len(mutated.split(b"\n")) - len(source.lines)
    after = "\n".join(mutated.decode().split("\n")[first - 1 : last + grown])
    return AutomaticMutant(
        name=":".join((*identity, str(counts[identity]))),
        path=path,
        line=first,
        function=function,
        operator=edit.operator,
        before=before,
        after=_one_line(after),
        start=edit.start,
        end=edit.end,
        content=mutated,
    )


def _one_line(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _MAX_SHOWN else f"{plain[:_MAX_SHOWN]}..."


def _function_at(source: Source, line: int) -> str:
    """Return the dotted name of the innermost function or class that holds a line."""
    names = []
    body: list[ast.stmt] = source.tree.body
    while body:
        holder = next((s for s in body if s.lineno <= line <= (s.end_lineno or 0)), None)
        body = getattr(holder, "body", [])
        if isinstance(holder, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(holder.name)
    return ".".join(names)


def _imported(path: str, files: list[AcceptedFile]) -> set[str]:
    """Return the names that other files take from a module: ``from .layers import softmax``."""
    module = PurePosixPath(path).stem
    return {
        alias.name
        for other in files
        if other.path != path
        for node in ast.walk(Source(other.content).tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[-1] == module
        for alias in node.names
    }
