"""A portal on a fresh SQLite file per test, with factories for people, terms and labs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from grader.assignment import load_assignment
from portal import models
from portal.accounts.models import User
from portal.accounts.passwords import Passwords
from portal.accounts.service import create_user
from portal.app import create_app
from portal.config import PasswordCost, PortalConfig
from portal.courses.models import Enrolment, Role, Term
from portal.courses.service import create_term, enrol
from portal.db import make_engine, write_session

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
def app(config: PortalConfig, engine: Engine, clock: Clock) -> Flask:
    """The portal. CSRF is off here so that tests can post; `strict_app` has it on."""
    app = create_app(config, clock=clock, engine=engine)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def strict_app(config: PortalConfig, engine: Engine, clock: Clock) -> Flask:
    """The portal exactly as it is served."""
    return create_app(replace(config, testing=False), clock=clock, engine=engine)


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
