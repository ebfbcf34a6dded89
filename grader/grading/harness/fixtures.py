"""The fixtures of hidden suites."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.random  # else imported at first use, in every run anew
import pytest

from grader.errors import GradingError, TableError
from grader.grading.harness.run import RUN, SuiteRun
from grader.grading.verdict import Verdict
from grader.intake.submission import Submission
from grader.lab.bars import BARS_NAME, Bar
from grader.lab.manifest import SubmittedFile
from grader.lab.table import TableRow, describe_problems, read_table
from grader.report.diagnosis import Cause, Diagnosis, bar_word, figure_word
from grader.report.report import Visibility
from grader.report.scoring import in_steps
from grader.sandbox.host.proxy import Student
from grader.suite.values import WrongAnswer, require


@pytest.fixture(scope="session")
def suite_run(request: pytest.FixtureRequest) -> SuiteRun:
    """Return the run this suite is part of."""
    return request.config.stash[RUN]


@pytest.fixture
def student(suite_run: SuiteRun) -> Iterator[Student]:
    """Give the submission in a process of this test's own."""
    spec = suite_run.running
    seed = suite_run.seed(spec.id, "student")
    with suite_run.student(seed, spec.cpu_seconds) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def shared_student(request: pytest.FixtureRequest, suite_run: SuiteRun) -> Iterator[Student]:
    """Give the submission in one process for this module, for what is made once: a trained model.

    Wrap long calls in ``with shared_student.budget(cpu_seconds=...)``.
    """
    seed = suite_run.seed(request.node.nodeid, "student")
    with suite_run.student(seed, suite_run.suite.assignment.limits.test_cpu_seconds) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def reference(suite_run: SuiteRun) -> SimpleNamespace:
    """Give the reference's modules by name, to be called in this process."""
    return suite_run.suite.reference


@pytest.fixture
def seed(suite_run: SuiteRun) -> int:
    """Give a seed that is this submission's and this test's own, the same at every regrade."""
    return suite_run.seed(suite_run.running.id)


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    """Give a NumPy generator on the test's own seed."""
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def shared_seed(request: pytest.FixtureRequest, suite_run: SuiteRun) -> int:
    """Give a seed for a module's fixtures, the same at every regrade."""
    return suite_run.seed(request.node.nodeid)


@pytest.fixture(scope="session")
def variant(suite_run: SuiteRun) -> dict[str, Any]:
    """Give the settings of the manifest's chosen variant."""
    return suite_run.variant


@pytest.fixture(scope="session")
def device(suite_run: SuiteRun) -> str:
    """Give the device to compute on: ``cuda`` if the manifest asks for a GPU, else ``cpu``."""
    return "cuda" if suite_run.suite.assignment.gpu else "cpu"


@pytest.fixture
def any_draw() -> Callable[..., None]:
    """Give ``any_draw(check, draws=8)``: it passes if ``check()`` does once in so many tries.

    For comparisons that rounding can spoil now and then, such as a ReLU at 0 that falls to the
    other side, and that a wrong solution loses on every draw. Draw fresh inputs within `check`; if
    every try fails, the first failure is the test's. A chance of p becomes one of p ** draws.
    """

    def ask(check: Callable[[], None], draws: int = 8) -> None:
        __tracebackhide__ = True
        failures: list[AssertionError] = []
        while len(failures) < draws:
            try:
                check()
            except AssertionError as error:
                failures.append(error)
            else:
                return
        raise failures[0]

    return ask


class SubmittedFiles:
    """The bytes the student handed in, for files that are data and not code."""

    def __init__(self, asked: Sequence[SubmittedFile], submission: Submission) -> None:
        self._asked = asked
        self._submission = submission

    def bytes(self, path: str) -> bytes | None:
        """Return a file's content, None if it was not handed in."""
        return self._submission.file(path)

    def code_bytes(self) -> int:
        """Return how large all Python files are together, the student's own modules among them."""
        files = self._submission.files
        return sum(len(file.content) for file in files if file.path.endswith(".py"))

    def text(self, path: str) -> str | None:
        """Return a file's text, None if it was not handed in; AssertionError if not UTF-8."""
        content = self.bytes(path)
        if content is None:
            return None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise AssertionError(f"{path} is not UTF-8 text") from None

    def table(self, path: str) -> list[TableRow]:
        """Return the rows of a file for which the manifest names columns.

        AssertionError says what is wrong, or that it was not handed in. KeyError for other files.
        """
        columns = {file.path: file.columns for file in self._asked if file.columns}
        content = self.bytes(path)
        if content is None:
            raise WrongAnswer(f"{path} was not handed in", Diagnosis(cause=Cause.NOT_HANDED_IN))
        try:
            return list(read_table(content, columns[path]).rows)
        except TableError as error:
            raise AssertionError(f"{path}: {describe_problems(error.problems)}") from None


@pytest.fixture(scope="session")
def submission(suite_run: SuiteRun) -> SubmittedFiles:
    """Give the submitted files as bytes and text."""
    return SubmittedFiles(suite_run.suite.assignment.files, suite_run.submission)


@pytest.fixture
def credit(suite_run: SuiteRun) -> Callable[[float, str], None]:
    """Give ``credit(share, why)``, which sets the part of its points this test earns.

    It counts in twentieths, rounded up; all of them are for a share of 1 alone.
    """
    verdict = suite_run.verdict(suite_run.running.id)

    def grant(share: float, why: str) -> None:
        share = float(share)
        require(0.0 <= share <= 1.0, f"credit must lie in [0, 1], got {share}")
        verdict.credit = in_steps(share)
        verdict.notes.append(why)

    verdict.credit = 1.0
    return grant


@pytest.fixture
def measured(suite_run: SuiteRun) -> Callable[[str, float], None]:
    """Give ``measured(name, value)``, which records a figure in the report, for staff alone."""
    verdict = suite_run.verdict(suite_run.running.id)

    def record(name: str, value: float) -> None:
        if name in suite_run.suite.bars:
            raise GradingError(f"{name!r} is a bar: record it by bar({name!r}, value)")
        _record(verdict, name, float(value))

    return record


@pytest.fixture
def bar(suite_run: SuiteRun) -> Callable[[str, float], None]:
    """Give ``bar(name, value)``, which records a figure and judges it by the bar of that name.

    The test goes on if the figure earns anything; of several figures the worst decides the
    credit. Else it fails. A name that ``bars.toml`` lacks is a fault of the suite.
    """
    verdict = suite_run.verdict(suite_run.running.id)

    def ask(name: str, value: float) -> None:
        __tracebackhide__ = True
        known = suite_run.suite.bars.get(name)
        if known is None:
            raise GradingError(f"{BARS_NAME} has no bar {name!r}; add it")
        value = float(value)
        try:
            judged = known.judge(value, suite_run.variant_name)
        except KeyError:
            variant = suite_run.variant_name
            raise GradingError(f"{BARS_NAME}: {name}.full lacks the variant {variant!r}") from None
        _record(verdict, name, value)
        if judged.share < 1:
            told = _figure(known, value, suite_run.variant_name)
            require(judged.share > 0, judged.why, told)
            granted = verdict.credit if verdict.notes else 1.0
            share = in_steps(judged.share)
            if share < granted or verdict.diagnosis is None:
                verdict.diagnosis = told
            verdict.credit = min(granted, share)
            verdict.notes.append(judged.why)

    return ask


def _figure(bar: Bar, value: float, variant: str | None) -> Diagnosis:
    """Return what a student is told of a figure that does not earn everything."""
    if not bar.show:
        return Diagnosis(cause=Cause.BAR, said=bar.title)
    full, lower = bar.full_for(variant), bar.better == "lower"
    return Diagnosis(
        cause=Cause.FIGURE,
        said=bar.title,
        expected=bar_word(full, lower_is_better=lower),
        got=figure_word(value, full, bar.scale, round_up=lower),
    )


def _record(verdict: Verdict, name: str, value: float) -> None:
    """Keep a figure; the report holds finite ones alone, each once."""
    if name in verdict.measured:
        raise GradingError(f"{name!r} is recorded twice in one test; give each figure its name")
    if math.isfinite(value):
        verdict.measured[name] = value


@pytest.fixture
def figure(suite_run: SuiteRun) -> Iterator[Callable[..., Any]]:
    """Give ``figure(name, caption, visibility=...)``, which returns matplotlib Axes to draw on.

    The picture is saved when the test ends, whatever its outcome. By default it is as visible
    as the test, that of a hidden one when nobody can hand in any more: then it helps to understand
    what the score was for, and nobody can use it for another upload.
    """
    spec = suite_run.running
    hidden = spec.visibility is Visibility.HIDDEN
    usual = Visibility.AFTER_DUE_DATE if hidden else spec.visibility
    # Importing matplotlib costs more than most tests: only suites that draw pay for it.
    pictures = importlib.import_module("grader.grading.harness.pictures").Pictures(suite_run, spec)

    def draw(name: str, caption: str, visibility: str | None = None) -> Any:
        return pictures.axes(name, caption, Visibility(visibility or usual))

    yield draw
    pictures.save()
