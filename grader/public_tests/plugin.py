"""The pytest plugin of `running`: one JSON line when a test begins, one at its end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from typing import Any

import pytest


def _say(**row: Any) -> None:
    with open(os.environ["GRADER_CHECK_RESULTS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def _title(item: pytest.Item) -> str:
    doc = getattr(getattr(item, "function", None), "__doc__", None) or ""
    first = doc.strip().split("\n")[0]
    parameters = item.name[item.name.index("[") :] if "[" in item.name else ""
    plain = item.name.removeprefix("test_").replace("_", " ")
    return f"{first} {parameters}".strip() if first else plain


def pytest_configure() -> None:
    """Take pytest's options off the command line: the files under test may read it."""
    del sys.argv[1:]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note that a test begins."""
    _say(id=item.nodeid, title=_title(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how a test ended: in its call, or earlier if its set-up failed."""
    report = yield
    if report.when == "call" or not report.passed:
        raised = call.excinfo is not None and not call.excinfo.errisinstance(AssertionError)
        outcome = "passed" if report.passed else "missing" if report.skipped else "failed"
        if outcome == "failed" and raised:
            outcome = "error"
        _say(id=item.nodeid, outcome=outcome, message=report.longreprtext)
    return report
