"""The pytest plugin of the trusted process: collects the suite, runs it, forms the verdicts.

A verdict starts as "missing" and only a test that ran to its end changes it. What the student's
code did decides between the outcomes; any other exception is a fault of the suite or of ours and
makes the whole run a grader error, never a zero.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import pytest

from grader.errors import ProctorError, SandboxError
from grader.grading.collected import TestSpec
from grader.grading.harness import marks
from grader.grading.harness.run import RUN, SuiteRun, Verdict
from grader.lab.bars import BARS_NAME, load_bars
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


class SuitePlugin:
    """Observes one pytest session on behalf of a `SuiteRun`."""

    def __init__(self, run: SuiteRun, serve: Callable[[pytest.Session], bool]) -> None:
        self.run = run
        self._serve = serve  # waits for jobs; True in a process that is to run the tests
        self._done = 0

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register the marks and hand the run to the fixtures."""
        for line in marks.MARKERS:
            config.addinivalue_line("markers", line)
        config.stash[RUN] = self.run

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file of the suite that cannot be collected."""
        if report.failed:
            self.run.faults.append(f"{report.nodeid}: {report.longreprtext[-_MAX_DETAIL:]}")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Read the bars and every test's marks; a faulty suite runs nothing."""
        try:
            bars = config.rootpath.parent / BARS_NAME  # beside the suite's folder
            self.run.bars = load_bars(bars, self.run.assignment)
            self.run.specs = marks.read_specs(items, self.run.assignment)
        except ProctorError as error:
            self.run.faults.append(str(error))
        if not self.run.specs and not self.run.faults:
            self.run.faults.append("the suite has no tests")
        if self.run.faults:
            items.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Wait, with everything collected, until there is a submission to run the tests on."""
        if self.run.faults or not self._serve(session):
            return True  # there is nothing left to do
        session.items[:] = self._in_order(session.items)
        try:
            self.run.move_in()
        except SandboxError as error:
            self.run.faults.append(str(error))
            return True
        return None

    def _in_order(self, items: list[pytest.Item]) -> list[pytest.Item]:
        """Put the visible tests first: once a hidden input is inside, nothing more is shown."""
        rank = {
            name: (not spec.shown, place)
            for place, (name, spec) in enumerate(self.run.specs.items())
        }
        self._done = len(self.run.served)
        wanted = [i for i in items if i.nodeid in rank and i.nodeid not in self.run.served]
        return sorted(wanted, key=lambda item: rank[item.nodeid])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Meter one test and report its end."""
        spec = self.run.specs[item.nodeid]
        verdict = self.run.verdict(spec.id)
        if not spec.shown:
            self.run.close_visible()
        self.run.current = spec
        self.run.renew_budgets()
        cpu, wall, own = self.run.cpu_seconds(), time.monotonic(), time.process_time()
        watched = clock.seconds()
        try:
            return (yield)
        finally:
            verdict.cpu_seconds = self.run.cpu_seconds() - cpu
            verdict.wall_seconds = time.monotonic() - wall
            busy = verdict.cpu_seconds + time.process_time() - own
            verdict.idle_seconds = max(0.0, clock.seconds() - watched - busy)
            self.run.idle_seconds += verdict.idle_seconds
            self._done += 1
            self.run.on_test(self._done, len(self.run.specs), spec.id, verdict.outcome)
            self.run.current = None
            if self.run.stop_at_first_loss and verdict.lost:
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
            verdict.output = self.run.output()
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
                if self.run.ran_out(error.allowance):
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
