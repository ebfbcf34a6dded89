"""The tests of a run as rows: what figures of a whole class are counted from.

They say nothing that the report does not; they may be written anew from the reports at any time.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from grader.api import Outcome, Report, TestReport, clean_line
from portal.runs.models import Result, RunTest

LONGEST = 160  # characters of a message
BATCH = 100  # reports read at a time
# Numbers differ from student to student where the mistake is the same.
_NUMBER = re.compile(r"(?<![A-Za-z_])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def add_tests(session: Session, run_id: str, report: Report) -> None:
    """Write the rows of a run's tests; the caller commits."""
    rows = [_row(run_id, number, test) for number, test in enumerate(report.tests, 1)]
    if rows:
        session.execute(insert(RunTest), rows)


def fill_tests(session: Session) -> None:
    """Write the rows of every run if there are none at all, as after an upgrade."""
    if session.scalar(select(RunTest.run_id).limit(1)) is not None:
        return
    last = ""
    while True:
        query = select(Result.run_id, Result.report).where(Result.run_id > last)
        found = session.execute(query.order_by(Result.run_id).limit(BATCH)).all()
        if not found:
            return
        for run_id, report in found:
            add_tests(session, run_id, Report.model_validate_json(report))
            last = run_id


def message_of(test: TestReport) -> str:
    """Return what a failure says in one line, with an ellipsis for every number."""
    said = test.detail if test.outcome in (Outcome.FAILED, Outcome.ERROR) else ""
    lines = [line for line in said.splitlines() if line.strip()] or [test.reason]
    # Of a traceback pytest's "E" line or the last one tells; the first says where, not what.
    message = next((line[1:] for line in lines if line.startswith("E  ")), None)
    message = message or (lines[-1] if lines[0].startswith("Traceback") else lines[0])
    return _NUMBER.sub("…", clean_line(message, LONGEST))


def _row(run_id: str, number: int, test: TestReport) -> dict[str, Any]:
    passed = test.outcome is Outcome.PASSED
    return {
        "run_id": run_id,
        "number": number,
        "test": test.id,
        "title": test.title,
        "item": test.item,
        "outcome": test.outcome.value,
        "score": test.score,
        "max_score": test.max_score,
        "cause": test.diagnosis.cause.value if test.diagnosis else "",
        "message": "" if passed else message_of(test),
    }
