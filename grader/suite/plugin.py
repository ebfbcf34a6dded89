"""The pytest plugin of the trusted process: collects the suite, runs it, forms the verdicts.

A verdict starts as "missing" and only a test that ran to its end changes it. What the student's
code did decides between the outcomes; any other exception is a fault of the suite or of ours and
makes the whole run a grader error, never a zero.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import pytest

from grader.errors import GradingError
from grader.report import Outcome, Visibility
from grader.suite import marks
from grader.suite.marks import TestSpec
from grader.suite.run import RUN, SuiteRun, Verdict
from grader.wire.failures import StudentError, StudentNotImported, StudentRaised

_MAX_DETAIL = 8_000


class SuitePlugin:
    """Observes one pytest session on behalf of a `SuiteRun`."""

    def __init__(self, run: SuiteRun, on_test: Callable[[int, int, str, str], None]) -> None:
        self.run = run
        self._on_test = on_test
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
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Read every test's marks; a faulty suite runs nothing."""
        try:
            self.run.specs = marks.read_specs(items, self.run.assignment)
        except GradingError as error:
            self.run.faults.append(str(error))
        if not self.run.specs and not self.run.faults:
            self.run.faults.append("the suite has no tests")
        if self.run.faults:
            items.clear()
            return
        if self.run.only:
            self._select(items)
        for test_id in self.run.specs:
            self.run.verdict(test_id)
        self._on_test(0, len(self.run.specs), "", "")

    def _select(self, items: list[pytest.Item]) -> None:
        """Keep only the wanted tests and those that they need."""
        wanted: set[str] = set()
        more = list(self.run.only)
        while more:
            name = more.pop()
            if name not in self.run.specs:
                self.run.faults.append(f"the suite has no test {name!r}")
            elif name not in wanted:
                wanted.add(name)
                more += self.run.specs[name].needs
        items[:] = [item for item in items if item.nodeid in wanted]
        self.run.specs = {name: spec for name, spec in self.run.specs.items() if name in wanted}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Meter one test and report its end."""
        spec = self.run.specs[item.nodeid]
        verdict = self.run.verdict(spec.id)
        self.run.current = spec
        cpu, wall = self.run.cpu_seconds(), time.monotonic()
        try:
            return (yield)
        finally:
            verdict.cpu_seconds = self.run.cpu_seconds() - cpu
            verdict.wall_seconds = time.monotonic() - wall
            self._done += 1
            self._on_test(self._done, len(self.run.specs), spec.id, verdict.outcome)
            self.run.current = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out a test whose prerequisites did not pass."""
        spec = self.run.specs[item.nodeid]
        failed = [n for n in spec.needs if self.run.verdict(n).outcome is not Outcome.PASSED]
        if failed:
            self.run.verdict(spec.id).blocked = True
            pytest.skip(f"needs {failed[0]} to pass")

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
        if spec.visibility is Visibility.VISIBLE and call.when == "call":
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
