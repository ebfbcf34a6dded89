"""The server's half of the pytest session: collects a suite, then waits for somebody to run it.

A fork continues the session from where it waits: pytest has one run loop, and each fork is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import grader.suite
from grader.errors import ProctorError
from grader.grading.harness import fixtures, marks
from grader.grading.harness.messages import read_messages
from grader.grading.harness.suite import LoadedSuite
from grader.lab.bars import BARS_NAME, load_bars

_INI = Path(__file__).with_name("pytest.ini")
# pytest's own plugins that are of no use to a hidden suite, and cost every test some time.
_LEFT_OUT = (
    "cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging",
    "pastebin", "setuponly", "setupplan", "stepwise", "threadexception", "unittest",
    "unraisableexception", "warnings",
)  # fmt: skip
_MAX_FAULT = 8_000
_HELPERS = Path(grader.suite.__file__).parent  # what suites say through it is theirs too


def collect(suite: LoadedSuite, folder: Path, serve: Callable[[pytest.Session], bool]) -> None:
    """Collect the tests in `folder` into `suite` and call `serve` when jobs may come.

    `serve` is asked once, with everything collected; where it returns True, which is in a fork,
    pytest goes on to run the session's items. What is wrong with the suite is in its `faults`.
    """
    # Nothing above the suite's folder is a part of it: no conftest.py, no package of a lab.
    arguments = [str(folder), "-c", str(_INI), "--rootdir", str(folder)]
    arguments += ["--confcutdir", str(folder), "--import-mode=importlib", "--strict-markers"]
    arguments += ["-q", "--tb=short", "-s"]
    arguments += [word for name in _LEFT_OUT for word in ("-p", f"no:{name}")]
    pytest.main(arguments, plugins=[SuiteCollector(suite, serve), fixtures])


class SuiteCollector:
    """The pytest plugin that reads a suite's marks and bars, and holds the session for `serve`."""

    def __init__(self, suite: LoadedSuite, serve: Callable[[pytest.Session], bool]) -> None:
        self._suite = suite
        self._serve = serve

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register the marks."""
        for line in marks.MARKERS:
            config.addinivalue_line("markers", line)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file of the suite that cannot be collected."""
        if report.failed:
            self._suite.faults.append(f"{report.nodeid}: {report.longreprtext[-_MAX_FAULT:]}")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Read the bars and every test's marks; a faulty suite runs nothing."""
        suite = self._suite
        try:
            bars = config.rootpath.parent / BARS_NAME  # beside the suite's folder
            suite.bars = load_bars(bars, suite.assignment)
            suite.specs = marks.read_specs(items, suite.assignment)
            suite.messages = read_messages(config.rootpath, _HELPERS)
        except ProctorError as error:
            suite.faults.append(str(error))
        if not suite.specs and not suite.faults:
            suite.faults.append("the suite has no tests")
        if suite.faults:
            items.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Wait, with everything collected, until there is a submission to run the tests on."""
        if self._suite.faults or not self._serve(session):
            return True  # there is nothing left to do
        return None  # a fork: pytest runs the items
