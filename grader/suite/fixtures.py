"""The fixtures of hidden suites."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from grader.report import Visibility
from grader.suite.run import RUN, SuiteRun
from grader.suite.values import require
from grader.wire.proxy import Student


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
    with suite_run.student(seed, suite_run.assignment.limits.test_cpu_seconds) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def reference(suite_run: SuiteRun) -> SimpleNamespace:
    """Give the reference's modules by name, to be called in this process."""
    return suite_run.reference


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


class SubmittedFiles:
    """The bytes the student handed in, for files that are data and not code."""

    def __init__(self, run: SuiteRun) -> None:
        self._run = run

    def bytes(self, path: str) -> bytes | None:
        """Return a file's content, None if it was not handed in."""
        return self._run.submission.file(path)

    def text(self, path: str) -> str | None:
        """Return a file's text, None if it was not handed in; AssertionError if not UTF-8."""
        content = self.bytes(path)
        if content is None:
            return None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise AssertionError(f"{path} is not UTF-8 text") from None


@pytest.fixture(scope="session")
def submission(suite_run: SuiteRun) -> SubmittedFiles:
    """Give the submitted files as bytes and text."""
    return SubmittedFiles(suite_run)


@pytest.fixture
def credit(suite_run: SuiteRun) -> Callable[[float, str], None]:
    """Give ``credit(share, why)``, which sets the part of its points this test earns."""
    verdict = suite_run.verdict(suite_run.running.id)

    def grant(share: float, why: str) -> None:
        share = float(share)
        require(0.0 <= share <= 1.0, f"credit must lie in [0, 1], got {share}")
        verdict.credit = share
        verdict.notes.append(why)

    verdict.credit = 1.0
    return grant


@pytest.fixture
def figure(suite_run: SuiteRun) -> Iterator[Callable[..., Any]]:
    """Give ``figure(name, caption, visibility=...)``, which returns matplotlib Axes to draw on.

    The picture is saved when the test ends, whatever its outcome; by default it is as visible as
    the test.
    """
    spec = suite_run.running
    # Importing matplotlib costs more than most tests: only suites that draw pay for it.
    pictures = importlib.import_module("grader.suite.pictures").Pictures(suite_run, spec)

    def draw(name: str, caption: str, visibility: str | None = None) -> Any:
        return pictures.axes(name, caption, Visibility(visibility or spec.visibility))

    yield draw
    pictures.save()
