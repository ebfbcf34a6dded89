"""The run's half of the pytest session: meters each test and forms its verdict.

A verdict starts as "missing" and only a test that ran to its end changes it. What the student's
code did decides between the outcomes. Any other exception may be the suite's answer to a value of
the student's, so it leaves this one test unjudged, for a person to decide on. Only what no
student can bring about, a fault of the grader's or the machine's, makes a whole run a grader
error; neither is ever a zero.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Generator
from typing import Protocol

import pytest

from grader.errors import ProctorError
from grader.grading.collected import TestSpec
from grader.grading.harness.own_work import is_too_much
from grader.grading.harness.run import SuiteRun
from grader.grading.verdict import Verdict
from grader.report.diagnosis import Cause, Diagnosis
from grader.report.report import Outcome
from grader.sandbox.host.failures import (
    StudentError,
    StudentNotImported,
    StudentRaised,
    StudentTimeout,
)
from grader.suite.values import WrongAnswer

_MAX_DETAIL = 8_000
_WRONG_ANSWER = f"{WrongAnswer.__module__}."  # before its name, and of no use to a reader
# What the machine ran short of, as the kernel says it: nothing that a value could cause.
_SHORT_OF = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO, errno.EROFS)
)


class NotJudged(Exception):
    """A test was left out because one that it needs could not be judged."""


class Listener(Protocol):
    """Who hears of each test as it is judged."""

    def begins(self, test_id: str) -> None:
        """Note that a test begins."""

    def ends(self, test_id: str) -> None:
        """Note that its verdict is in the run."""


class TestJudge:
    """The pytest plugin of one `SuiteRun`."""

    __test__ = False

    def __init__(self, run: SuiteRun, listener: Listener) -> None:
        """Judge the tests of `run` that are left, and let `listener` hear of each."""
        self.run = run
        self._listener = listener

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Meter one test and report its end."""
        spec = self.run.specs[item.nodeid]
        verdict = self.run.verdict(spec.id)
        if not spec.shown:
            self.run.sandboxes.close_visible()
        self.run.current = spec
        self.run.allowance.renew(spec)
        used = self.run.sandboxes.cpu_seconds
        cpu, wall = used(), time.monotonic()
        self._listener.begins(spec.id)
        try:
            with self.run.allowance.watching() as idle, self.run.own_work.of_a_test():
                return (yield)
        finally:
            verdict.cpu_seconds = used() - cpu
            verdict.wall_seconds = time.monotonic() - wall
            verdict.idle_seconds = idle()
            self.run.ended.add(spec.id)
            self.run.current = None
            self._listener.ends(spec.id)
            if self.run.job.stop_at_first_loss and verdict.lost:
                self.run.first_loss = spec.id
                item.session.shouldfail = f"{spec.id} lost points"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out a test whose prerequisites did not pass."""
        spec = self.run.specs[item.nodeid]
        outcomes = {name: self.run.verdict(name).outcome for name in spec.needs}
        unmet = [name for name, outcome in outcomes.items() if outcome is not Outcome.PASSED]
        if any(outcomes[name] is not Outcome.UNJUDGED for name in unmet):
            self.run.verdict(spec.id).blocked = True
            pytest.skip(f"needs {unmet[0]} to pass")
        if unmet:  # not run, or what it needs would be a gate that a strange value opens
            raise NotJudged(f"needs {unmet[0]}, which could not be judged")

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_fixture_setup(self) -> Generator[None, object, object]:
        """Limit what a fixture's own code may use."""
        with self.run.own_work.interrupted():
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_pyfunc_call(self) -> Generator[None, object, object]:
        """Limit what a test's own code may use."""
        with self.run.own_work.interrupted():
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Ask the student's processes, before they end, what they used."""
        self.run.note_shares()
        self.run.from_scratch.collect(item.nodeid)
        self.run.probe.collect(item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn what a phase of a test came to into its verdict."""
        report = yield
        spec = self.run.specs[item.nodeid]
        verdict = self.run.verdict(spec.id)
        if call.excinfo is None:
            if call.when == "call" and report.passed and not hasattr(report, "wasxfail"):
                self._passed(verdict)
        elif _is_ours(call.excinfo.value):
            self._fault(spec, report)
        elif call.when != "teardown" or verdict.outcome is Outcome.PASSED:
            self._not_passed(spec, verdict, call.excinfo.value, report)
        if spec.shown and call.when == "call":
            verdict.output = self.run.sandboxes.output(spec.kind)
        return report

    @staticmethod
    def _passed(verdict: Verdict) -> None:
        verdict.outcome = Outcome.PASSED
        if not verdict.notes:
            verdict.credit = 1.0

    def _not_passed(
        self, spec: TestSpec, verdict: Verdict, error: BaseException, report: pytest.TestReport
    ) -> None:
        verdict.credit = 0.0
        verdict.detail = report.longreprtext.replace(_WRONG_ANSWER, "")[-_MAX_DETAIL:]
        if isinstance(error, StudentRaised):
            verdict.detail = error.traceback or str(error)
        verdict.diagnosis = self._diagnosis(error)
        if isinstance(error, StudentError):
            verdict.outcome = error.outcome
            if isinstance(error, StudentTimeout) and error.allowance is not None:
                verdict.allowance = error.allowance
                if self.run.allowance.ran_out(spec, error.allowance):
                    verdict.diagnosis = Diagnosis(cause=Cause.RUN_SPENT)
            if isinstance(error, StudentNotImported):
                verdict.detail = str(error)
        elif isinstance(error, (AssertionError, pytest.fail.Exception)):
            verdict.outcome = Outcome.FAILED
        elif is_too_much(error):
            verdict.outcome = Outcome.FAILED
        elif isinstance(error, pytest.skip.Exception):
            verdict.outcome = Outcome.MISSING
        else:
            verdict.outcome = Outcome.UNJUDGED

    def _diagnosis(self, error: BaseException) -> Diagnosis | None:
        """Return what may be told of an error; None if that is no more than the outcome."""
        if isinstance(error, StudentError):
            return error.diagnosis
        if isinstance(error, WrongAnswer):
            return error.diagnosis or self.run.suite.told_by(error.message)
        if isinstance(error, pytest.fail.Exception):
            return self.run.suite.told_by(error.msg or "")
        return Diagnosis(cause=Cause.TOO_MUCH_TO_JUDGE) if is_too_much(error) else None

    def _fault(self, spec: TestSpec, report: pytest.TestReport) -> None:
        self.run.verdict(spec.id).outcome = Outcome.MISSING
        self.run.faults.append(f"{spec.id} ({report.when}): {report.longreprtext[-_MAX_DETAIL:]}")


def _is_ours(error: BaseException) -> bool:
    """Whether an exception is a fault that no value of a student's can have caused."""
    if isinstance(error, OSError):
        return error.errno in _SHORT_OF
    if isinstance(error, (pytest.skip.Exception, pytest.fail.Exception)):
        return False  # pytest's own words for a verdict, which it does not derive from Exception
    return isinstance(error, ProctorError) or not isinstance(error, Exception)
