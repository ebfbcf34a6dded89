"""The run's half of the pytest session: meters each test and forms its verdict.

A verdict starts as "missing" and only a test that ran to its end changes it. What the student's
code did decides between the outcomes; any other exception is a fault of the suite or of ours and
makes the whole run a grader error, never a zero.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import pytest

from grader.grading.collected import TestSpec
from grader.grading.harness.run import SuiteRun
from grader.grading.verdict import Verdict
from grader.report.causes import Cause
from grader.report.report import Outcome
from grader.sandbox.host import clock
from grader.sandbox.host.failures import (
    StudentError,
    StudentNotImported,
    StudentRaised,
    StudentTimeout,
)

_MAX_DETAIL = 8_000


class TestJudge:
    """The pytest plugin of one `SuiteRun`."""

    __test__ = False

    def __init__(self, run: SuiteRun, on_test: Callable[[int, int, str, str], None]) -> None:
        """Judge the tests of `run`; `on_test` hears of each: how many of how many, id, outcome."""
        self.run = run
        self._on_test = on_test
        self._done = len(run.served)

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
        cpu, wall, own = used(), time.monotonic(), time.process_time()
        watched = clock.seconds()
        try:
            return (yield)
        finally:
            verdict.cpu_seconds = used() - cpu
            verdict.wall_seconds = time.monotonic() - wall
            busy = verdict.cpu_seconds + time.process_time() - own
            verdict.idle_seconds = max(0.0, clock.seconds() - watched - busy)
            self.run.allowance.idle_seconds += verdict.idle_seconds
            self._done += 1
            self._on_test(self._done, len(self.run.specs), spec.id, verdict.outcome)
            self.run.current = None
            if self.run.job.stop_at_first_loss and verdict.lost:
                self.run.first_loss = spec.id
                item.session.shouldfail = f"{spec.id} lost points"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out a test whose prerequisites did not pass."""
        spec = self.run.specs[item.nodeid]
        failed = [n for n in spec.needs if self.run.verdict(n).outcome is not Outcome.PASSED]
        if failed:
            self.run.verdict(spec.id).blocked = True
            pytest.skip(f"needs {failed[0]} to pass")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Ask the student's processes, before they end, what they used."""
        self.run.note_shares()
        self.run.from_scratch.collect(item.nodeid)

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
        elif call.when == "teardown" and not isinstance(call.excinfo.value, StudentError):
            self._fault(spec, report)
        else:
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
        verdict.detail = report.longreprtext[-_MAX_DETAIL:]
        if isinstance(error, StudentRaised):
            verdict.detail = error.traceback or str(error)
        if isinstance(error, StudentError):
            verdict.outcome, verdict.cause = error.outcome, error.cause
            if isinstance(error, StudentTimeout) and error.allowance is not None:
                verdict.allowance = error.allowance
                if self.run.allowance.ran_out(spec, error.allowance):
                    verdict.cause = Cause.RUN_SPENT
            if isinstance(error, StudentNotImported):
                verdict.detail = str(error)
        elif isinstance(error, (AssertionError, pytest.fail.Exception)):
            verdict.outcome = Outcome.FAILED
        elif isinstance(error, pytest.skip.Exception):
            verdict.outcome = Outcome.MISSING
        else:
            self._fault(spec, report)

    def _fault(self, spec: TestSpec, report: pytest.TestReport) -> None:
        self.run.verdict(spec.id).outcome = Outcome.MISSING
        self.run.faults.append(f"{spec.id} ({report.when}): {report.longreprtext[-_MAX_DETAIL:]}")
