"""A lab that takes uploads, a student who sends them, and results booked as a worker would."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from grader.report import (
    Artifact,
    ItemReport,
    Outcome,
    PartReport,
    Report,
    RunStatus,
    TestReport,
    Visibility,
)
from portal.courses.models import Offering, Term
from portal.db import read_session, write_session
from portal.engine import prepare
from portal.runs import service as runs
from portal.runs.web import engine_jobs
from portal.submissions.models import Submission

GOOD = b"def answer():\n    return 42\n"
SECRET = "HIDDEN-INPUT-CANARY"
PICTURE = b"\x89PNG\r\n\x1a\n a picture"


@dataclass
class Bench:
    """One student in front of the lab."""

    app: Flask
    engine: Engine
    client: FlaskClient
    offering_id: int

    def send(self, data: bytes = GOOD, name: str = "answer.py", key: str = "k" * 12, **options):
        """Post an upload; `json=True` asks for the receipt as JSON."""
        accept = "application/json" if options.pop("json", False) else "text/html"
        files = options.pop("files", None) or [(name, data)]
        return options.pop("client", self.client).post(
            f"/labs/{self.offering_id}/submissions",
            data={
                "client_key": key,
                "files": [(io.BytesIO(content), title) for title, content in files],
            },
            headers={"Accept": accept},
            content_type="multipart/form-data",
        )

    def receipt(self, **options) -> dict:
        """Send an upload that must be taken, and return its receipt."""
        answer = self.send(json=True, **options)
        assert answer.status_code in (200, 201), answer.text
        return answer.get_json()

    def submissions(self) -> list[Submission]:
        """Return the rows, oldest first."""
        with read_session(self.engine) as session:
            return list(session.scalars(select(Submission).order_by(Submission.attempt)))

    def change_offering(self, **values: object) -> None:
        """Set columns of the offering."""
        with write_session(self.engine) as session:
            offering = session.get_one(Offering, self.offering_id)
            for name, value in values.items():
                setattr(offering, name, value)

    def grade(self, submission_id: str, report: Report, now) -> None:
        """Book a report for a submission's run."""
        with write_session(self.engine) as session:
            run = runs.current_runs(session, [submission_id])[submission_id]
            held = runs.claim(session, run.id, executor="w", now=now)
            assert runs.finish(session, held, report, now=now)

    def fault(self, submission_id: str, now, times: int = runs.MAX_FAULTS) -> None:
        """Let grading fail through our fault."""
        for _ in range(times):
            with self.app.test_request_context(), write_session(self.engine) as session:
                run = runs.current_runs(session, [submission_id])[submission_id]
                held = runs.claim(session, run.id, executor="w", now=now)
                runs.fail(session, engine_jobs(), held, fault="disk full", now=now)


@pytest.fixture
def bench(
    app: Flask,
    config,
    engine: Engine,
    term: Term,
    make_member: Callable[..., object],
    log_in: Callable[[str], FlaskClient],
) -> Bench:
    prepare(config.database_url)
    make_member("ada")
    with read_session(engine) as session:
        offering_id = session.scalars(
            select(Offering.id).where(Offering.assignment_slug == "demo")
        ).one()
    return Bench(app, engine, log_in("ada"), offering_id)


def _test(number: int, outcome: Outcome, visibility: Visibility, score: float) -> TestReport:
    return TestReport(
        id=f"test_demo.py::test_{number}",
        item="first",
        title=f"Claim number {number} <b>holds</b>",
        visibility=visibility,
        outcome=outcome,
        credit=score / 5,
        score=score,
        max_score=5,
        hint=f"Hint number {number}.",
        detail=SECRET if visibility is Visibility.HIDDEN else "expected 42, got 41",
        output=SECRET if visibility is Visibility.HIDDEN else "printed by the student",
    )


@pytest.fixture
def report(app: Flask) -> Report:
    """A graded run: one test passed, one closed one failed, one open one failed with a picture."""
    store = app.extensions["portal"].store
    tests = (
        _test(1, Outcome.PASSED, Visibility.HIDDEN, 5),
        _test(2, Outcome.FAILED, Visibility.HIDDEN, 0),
        _test(3, Outcome.TIMEOUT, Visibility.VISIBLE, 0),
    )
    item = ItemReport(
        id="first",
        title="The first thing",
        score=5,
        max_score=15,
        tests=tuple(test.id for test in tests),
    )
    pictures = [
        Artifact(
            name=name,
            caption=f"The {name} curve",
            sha256=store.put(PICTURE + name.encode()),
            test=test.id,
            visibility=test.visibility,
        )
        for name, test in (("open", tests[2]), ("closed", tests[1]))
    ]
    return Report(
        assignment="demo",
        assignment_title="A demo lab",
        submission="answer.py",
        digest="0" * 64,
        status=RunStatus.GRADED,
        score=5,
        max_score=15,
        parts=(
            PartReport(id="mechanics", title="Mechanics", score=5, max_score=15, items=(item,)),
        ),
        tests=tests,
        artifacts=tuple(pictures),
    )
