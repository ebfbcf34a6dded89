"""Which tests can see a mutant: those in which the reference executes the statement it changes.

A mutant is run on the reference's hidden inputs, so until it reaches the changed statement it does
what the reference did, and a test that never reaches it comes to what the reference came to.
Statements are numbered in the order of the text. An instrumented copy of the reference notes each
one that begins in a byte array of its module, which the grading run reads after every test; what
importing executes is in it too. A process of the student's own would note in vain: files that may
start one count as executed whole.

In doubt a test sees the mutant: that costs a run and no verdict. Doubtful are tests that the
instrumented copy does not pass, whose processes did not answer, whose file drives the run itself,
or that name the changed file, and so may read its text; and changes of what a function's names
mean, which work wherever the function runs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from types import CodeType

from grader.authoring.validate.automatic.generation import AutomaticMutant
from grader.authoring.validate.automatic.source import Source
from grader.grading.collected import CollectedSuite, TestSpec
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Lab

ATTRIBUTE = "_proctor_executed"  # of an instrumented module: a byte for each statement

# Who may execute lines in a process whose memory is not read, or look at what is not executed.
_ELSEWHERE = re.compile(rb"\b(multiprocessing|subprocess|fork|num_workers|inspect|__code__)\b")

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class ProbeReading:
    """What the instrumented reference noted in one test."""

    passed: bool
    bytes_by_module: Mapping[str, tuple[str, ...]]  # in hex, of every process that was open


class Coverage:
    """Which statements of the reference every test of a suite executes."""

    def __init__(
        self,
        lab: Lab,
        reference: Submission,
        suite: CollectedSuite,
        joint_files: frozenset[str],
        readings: Mapping[str, ProbeReading],
    ) -> None:
        """Hold what was read against the suite.

        `joint_files` are the test files that drive the run themselves, or may do so.
        """
        self._suite = suite
        self._readings = readings
        self._joint_files = joint_files
        self._texts = _suite_texts(lab)
        self._files = {
            file.path: _NumberedFile(file.content)
            for file in reference.files
            if file.path.endswith(".py")
        }
        self._modules = {file.path: file.module for file in lab.assignment.files if file.module}

    def tests(self, mutant: AutomaticMutant) -> tuple[str, ...]:
        """Return the ids of the tests that can see a mutant, in the suite's order."""
        statements = self._files[mutant.path].reach(mutant)
        return tuple(
            test.id for test in self._suite.tests if self._sees(test, mutant.path, statements)
        )

    def _sees(self, test: TestSpec, path: str, statements: frozenset[int] | None) -> bool:
        needed = [self._suite.by_id[name] for name in self._suite.closure(test, self._joint_files)]
        if statements is None or any(self._may_look_at(one, path) for one in needed):
            return True
        module = self._modules.get(path)
        return any(self._executed(one.id, module, statements) for one in needed)

    def _may_look_at(self, test: TestSpec, path: str) -> bool:
        """Tell whether a test's file, or what the suite shares, may do more than call a module."""
        name = PurePosixPath(path).name
        return test.file in self._joint_files or any(
            name in text
            for file, text in self._texts.items()
            if file == test.file or not PurePosixPath(file).name.startswith("test_")
        )

    def _executed(self, test: str, module: str | None, statements: frozenset[int]) -> bool:
        reading = self._readings.get(test)
        if reading is None or not reading.passed:
            return True
        if not reading.bytes_by_module:  # it opened no process of the student's
            return False
        if module is None or module not in reading.bytes_by_module:
            return True
        values = (bytes.fromhex(value) for value in reading.bytes_by_module[module])
        return any(
            len(value) <= max(statements) or any(value[number] for number in statements)
            for value in values
        )


def instrumented(reference: Submission) -> Submission:
    """Return the reference with code that notes every statement when it begins."""
    return Submission(
        f"{reference.name}, instrumented",
        tuple(
            AcceptedFile(file.path, _NumberedFile(file.content).instrumented())
            if file.path.endswith(".py")
            else file
            for file in reference.files
        ),
    )


class _NumberedFile:
    """A file of the reference and its statements, numbered in the order of the text."""

    def __init__(self, content: bytes) -> None:
        self._source = Source(content)

    @cached_property
    def _statements(self) -> list[ast.stmt]:
        found = [node for node in ast.walk(self._source.tree) if isinstance(node, ast.stmt)]
        return sorted(found, key=self._source.start)

    @cached_property
    def _layout(self) -> object:
        return _layout(compile(self._source.tree, "a file", "exec", dont_inherit=True))

    def reach(self, mutant: AutomaticMutant) -> frozenset[int] | None:
        """Return the statements one of which must run for the change to work; None: any."""
        if _ELSEWHERE.search(self._source.content):
            return None
        around = [
            number
            for number, statement in enumerate(self._statements)
            if self._source.start(statement) <= mutant.start
            and mutant.end <= self._source.end(statement)
        ]
        mutated = compile(mutant.content, "a file", "exec", dont_inherit=True)
        if around and _layout(mutated) == self._layout:
            return frozenset({max(around)})
        functions = (self._statements[n] for n in around if self._is_function(n))
        return next((frozenset(self._inside(function)) for function in functions), None)

    def _is_function(self, number: int) -> bool:
        return isinstance(self._statements[number], _Function)

    def _inside(self, function: ast.stmt) -> Iterator[int]:
        inner = {id(node) for node in ast.walk(function)} - {id(function)}
        return (n for n, statement in enumerate(self._statements) if id(statement) in inner)

    def instrumented(self) -> bytes:
        """Return the file with a note before each statement."""
        numbers = {
            (node.lineno, node.col_offset): number for number, node in enumerate(self._statements)
        }
        tree = ast.parse(self._source.content)
        _note_all(tree, numbers)
        start = len(_head(tree.body))
        tree.body[start:start] = ast.parse(f"{ATTRIBUTE} = bytearray({len(numbers)})").body
        return ast.unparse(ast.fix_missing_locations(tree)).encode()


def _note_all(node: ast.AST, numbers: Mapping[tuple[int, int], int]) -> None:
    for name, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, ast.AST):
                _note_all(child, numbers)
        if children and all(isinstance(child, ast.stmt) for child in children):
            setattr(node, name, _with_notes(children, numbers))


def _with_notes(body: list[ast.stmt], numbers: Mapping[tuple[int, int], int]) -> list[ast.stmt]:
    def note(statement: ast.stmt) -> ast.stmt:
        number = numbers[statement.lineno, statement.col_offset]
        return ast.parse(f"{ATTRIBUTE}[{number}] = 1").body[0]

    head = _head(body)
    noted = [*head, *map(note, head)]
    for statement in body[len(head) :]:
        noted += [note(statement), statement]
    return noted


def _head(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return what must stay at the top: a docstring, imports from ``__future__``."""
    head: list[ast.stmt] = []
    for statement in body:
        text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if not (future or (text and not head)):
            break
        head.append(statement)
    return head


def _layout(code: CodeType) -> object:
    """Return what names mean in a piece of code and all within it, and which code these are."""
    inner = tuple(_layout(part) for part in code.co_consts if isinstance(part, CodeType))
    names = (frozenset(code.co_varnames), frozenset(code.co_cellvars), frozenset(code.co_freevars))
    return code.co_name, code.co_flags, names, inner


def _suite_texts(lab: Lab) -> dict[str, str]:
    """Return the text of every Python file of the suite, by its path in test ids."""
    if lab.suite is None:
        return {}
    return {
        file.relative_to(lab.suite).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(lab.suite.rglob("*.py"))
    }
