"""A portal on a fresh SQLite file per test, with factories for people, terms and labs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from grader.lab.manifest import load_assignment
from grader.report import ItemReport, Outcome, PartReport, Report, RunStatus, TestReport
from portal import models
from portal.accounts.models import User
from portal.accounts.passwords import Passwords
from portal.accounts.service import create_user
from portal.app import create_app
from portal.config import PasswordCost, PortalConfig
from portal.courses.models import Enrolment, Offering, Role, Term
from portal.courses.service import create_term, enrol
from portal.db import make_engine, write_session
from portal.runs.models import GradingRun, Result, RunState
from portal.runs.web import close
from portal.store import Store
from portal.submissions.models import Submission

PASSWORD = "correct horse battery"
CHEAP = PasswordCost(time_cost=1, memory_kib=8, parallelism=1)
START = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)

MANIFEST = """\
schema = 1
slug = "demo"
title = "A demo lab"
files = [{ path = "demo/answer.py" }]

[limits]
cpu_seconds = 60

[[parts]]
id = "mechanics"
title = "Mechanics"
items = [
  { id = "first", title = "The first thing", points = 10 },
  { id = "second", title = "The second thing", points = 4 },
]
"""


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def __call__(self) -> datetime:
        """Return the instant the test has set."""
        return self.instant

    def advance(self, **step: float) -> datetime:
        """Move on by a timedelta's arguments and return the new instant."""
        self.instant += timedelta(**step)
        return self.instant


@pytest.fixture
def clock() -> Clock:
    """The portal's clock, at the start of the term."""
    return Clock(START)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A course checkout with one lab, `demo`, and a staff half that must never leak."""
    public = tmp_path / "home" / "assignments" / "demo"
    (public / "demo").mkdir(parents=True)
    (public / "assignment.toml").write_text(MANIFEST)
    (public / "README.md").write_text("# A demo lab\n\nReturn *42*. <script>alert(1)</script>\n")
    (public / "README.zh.md").write_text("# 演示\n\n返回 42。\n")
    (public / "demo" / "answer.py").write_text("def answer():\n    raise NotImplementedError\n")
    staff = tmp_path / "home" / "reference" / "demo"
    staff.mkdir(parents=True)
    (staff / "answer.py").write_text("def answer():\n    return 42  # STAFF-CANARY\n")
    return tmp_path / "home"


@pytest.fixture
def config(tmp_path: Path, home: Path) -> PortalConfig:
    """Settings of a portal in the test's own folder."""
    instance = tmp_path / "instance"
    instance.mkdir()
    return PortalConfig(
        instance=instance,
        database_url=f"sqlite:///{instance / 'portal.db'}",
        secret_key="0" * 64,
        grading_key=b"1" * 32,
        home=home,
        password_cost=CHEAP,
        testing=True,
    )


@pytest.fixture
def engine(config: PortalConfig) -> Iterator[Engine]:
    """The database with every table, empty."""
    engine = make_engine(config.database_url)
    models.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def open_app(config: PortalConfig, engine: Engine, clock: Clock) -> Iterator[Callable[..., Flask]]:
    """Return a function that makes a portal with other settings: ``open_app(secret_key="x")``.

    Tests can post to it without a token, unless `csrf`. Each is closed before its database goes:
    a connection in a thread's hands at that moment would never be given back.
    """
    made: list[Flask] = []

    def make(*, csrf: bool = False, **settings: object) -> Flask:
        app = create_app(replace(config, **settings), clock=clock, engine=engine)
        app.config["WTF_CSRF_ENABLED"] = csrf
        made.append(app)
        return app

    yield make
    for app in made:
        close(app)


@pytest.fixture
def app(open_app: Callable[..., Flask]) -> Flask:
    """The portal. CSRF is off here so that tests can post; `strict_app` has it on."""
    return open_app()


@pytest.fixture
def strict_app(open_app: Callable[..., Flask]) -> Flask:
    """The portal exactly as it is served."""
    return open_app(csrf=True, testing=False)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser with no session."""
    return app.test_client()


@pytest.fixture
def write(engine: Engine) -> Callable[[], AbstractContextManager[Session]]:
    """Open a write transaction: ``with write() as session``."""
    return lambda: write_session(engine)


@pytest.fixture
def make_user(engine: Engine) -> Callable[..., User]:
    """Make an account with PASSWORD: ``make_user("ada", is_admin=True)``."""

    def make(username: str, **values: object) -> User:
        values.setdefault("display_name", username.title())
        with write_session(engine) as session:
            return create_user(
                session,
                Passwords(CHEAP),
                username=username,
                password=PASSWORD,
                now=START,
                **values,  # type: ignore[arg-type]
            )

    return make


@pytest.fixture
def term(engine: Engine, home: Path) -> Term:
    """A term by the standard scheme in Shanghai's zone whose first lab is `demo`, open now."""
    with write_session(engine) as session:
        return create_term(
            session,
            slug="2026-autumn",
            title="Deep Learning, autumn 2026",
            timezone="Asia/Shanghai",
            labs=[load_assignment(home / "assignments" / "demo")],
            first_day=date(2026, 9, 7),
        )


@pytest.fixture
def make_member(
    engine: Engine, term: Term, make_user: Callable[..., User]
) -> Callable[..., Enrolment]:
    """Make an account and enrol it in the term: ``make_member("bo", Role.TA)``."""

    def make(username: str, role: Role = Role.STUDENT, **values: object) -> Enrolment:
        user = make_user(username, **values)
        with write_session(engine) as session:
            return enrol(session, session.get_one(Term, term.id), session.merge(user), role)

    return make


@pytest.fixture
def log_in(app: Flask) -> Callable[[str], FlaskClient]:
    """Return a browser logged in as an account made by `make_user` or `make_member`."""

    def browse(username: str) -> FlaskClient:
        client = app.test_client()
        answer = client.post("/login", data={"username": username, "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        return client

    return browse


@pytest.fixture
def csrf_token() -> Callable[[str], str]:
    """Return the CSRF token a page's form carries."""

    def find(page: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, "the page has no form with a CSRF token"
        return found.group(1)

    return find


@dataclass
class Classroom:
    """A term with the lab `demo`, in which students have results without a worker."""

    engine: Engine
    term: Term
    offering_id: int
    store: Store
    enrol: Callable[..., Enrolment]
    made: int = 0

    def send(
        self,
        who: Enrolment,
        *scores: float | None,
        code: bytes = b"def answer():\n    return 42\n",
        detail: str = "AssertionError: relative error 0.25",
        at: datetime = START,
    ) -> list[str]:
        """Add an attempt a score; None for one that still waits. Return the submissions' ids."""
        digest = self.store.put(code)
        with write_session(self.engine) as session:
            return [
                self._attempt(session, who, score, digest, len(code), detail, at)
                for score in scores
            ]

    def _attempt(
        self,
        session: Session,
        who: Enrolment,
        score: float | None,
        digest: str,
        size: int,
        detail: str,
        at: datetime,
    ) -> str:
        self.made += 1
        number = session.scalars(
            select(Submission.attempt).where(
                Submission.enrolment_id == who.id, Submission.offering_id == self.offering_id
            )
        ).all()
        submission = Submission(
            id=str(uuid.UUID(int=self.made)),
            enrolment_id=who.id,
            offering_id=self.offering_id,
            client_key=f"key-{self.made}",
            upload_sha256=digest,
            filename="answer.py",
            size=size,
            content_digest=digest,
            intake='{"files": []}',
            attempt=len(number) + 1,
            received_at=at + timedelta(minutes=self.made),
        )
        session.add(submission)
        session.flush()
        run = GradingRun(
            id=f"run-{self.made}",
            submission_id=submission.id,
            suite_digest="s",
            queue="cpu",
            priority=1,
            state=RunState.QUEUED if score is None else RunState.GRADED,
            created_at=submission.received_at,
        )
        session.add(run)
        session.flush()
        if score is not None:
            report = class_report(score, detail)
            session.add(
                Result(
                    run_id=run.id,
                    fence=1,
                    report=report.model_dump_json(),
                    score=score,
                    max_score=14,
                    environment="",
                    created_at=submission.received_at,
                )
            )
        return submission.id


def class_report(score: float, detail: str) -> Report:
    """Return a report of 14 points: `first` always passes, `second` only with full marks."""
    outcomes = [Outcome.PASSED, Outcome.PASSED if score >= 14 else Outcome.FAILED]
    tests = tuple(
        TestReport(
            id=f"test_demo.py::test_{item}",
            item=item,
            title=f"The {item} claim <i>holds</i>",
            outcome=outcome,
            credit=1,
            score=0,
            max_score=7,
            hint="Look again.",
            detail="" if outcome is Outcome.PASSED else detail,
            output="<script>alert(1)</script>",
        )
        for item, outcome in zip(("first", "second"), outcomes, strict=True)
    )
    items = tuple(
        ItemReport(id=test.item, title=test.item, score=0, max_score=7, tests=(test.id,))
        for test in tests
    )
    return Report(
        assignment="demo",
        assignment_title="A demo lab",
        submission="answer.py",
        digest="0" * 64,
        status=RunStatus.GRADED,
        score=score,
        max_score=14,
        parts=(PartReport(id="p", title="Mechanics", score=score, max_score=14, items=items),),
        tests=tests,
    )


@pytest.fixture
def classroom(
    config: PortalConfig, engine: Engine, term: Term, make_member: Callable[..., Enrolment]
) -> Classroom:
    """An empty classroom: ``classroom.send(classroom.enrol("ada"), 7.0)``."""
    with write_session(engine) as session:
        offering_id = session.scalars(
            select(Offering.id).where(Offering.assignment_slug == "demo")
        ).one()
    return Classroom(engine, term, offering_id, Store(config.store), make_member)
