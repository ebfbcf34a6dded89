"""One portal on a database of its own: the app, its people, their term, and browsers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine, select

from grader.lab.manifest import load_assignment
from portal.app import create_app
from portal.courses.models import Enrolment, Offering, Role, Term
from portal.courses.service import create_term, enrol
from portal.people.models import User
from portal.people.service import create_user
from portal.platform.config import PasswordCost, PortalConfig
from portal.platform.db import make_engine, read_session, write_session
from portal.platform.passwords import Passwords
from portal.platform.store import Store
from portal.runs.web import close
from support.databases import sqlite_url
from support.labs import write_home

PASSWORD = "correct horse battery"
CHEAP = PasswordCost(time_cost=1, memory_kib=8, parallelism=1)
START = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)
FIRST_DAY = START.date()


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, instant: datetime = START) -> None:
        self.instant = instant

    def __call__(self) -> datetime:
        """Return the instant the test has set."""
        return self.instant

    def advance(self, **step: float) -> datetime:
        """Move on by a timedelta's arguments and return the new instant."""
        self.instant += timedelta(**step)
        return self.instant


def settings(instance: Path, home: Path, database_url: str, **more: object) -> PortalConfig:
    """Return a portal's settings with known secrets and passwords that cost nothing."""
    return PortalConfig(
        instance=instance,
        database_url=database_url,
        secret_key="0" * 64,
        grading_key=b"1" * 32,
        home=home,
        password_cost=CHEAP,
        **more,  # type: ignore[arg-type]
    )


class CompiledTemplates(BytecodeCache):
    """Templates compiled once for all portals of a session."""

    _code: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what an earlier portal has compiled."""
        if bucket.key + bucket.checksum in self._code:
            bucket.bytecode_from_string(self._code[bucket.key + bucket.checksum])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Leave what was compiled to the next portal."""
        self._code[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


class Site:
    """A portal, the accounts and the term in it, and how to get in.

    The database must have its tables. Nothing that it writes is forced to the disk.
    """

    def __init__(self, config: PortalConfig, engine: Engine, clock: Clock) -> None:
        self.config, self.engine, self.clock = config, engine, clock
        self.store = Store(config.store, durable=False)
        self._apps: list[Flask] = []

    def open_app(self, *, csrf: bool = False, **changes: object) -> Flask:
        """Make an app with other settings: ``open_app(secret_key="x")``.

        Tests can post to it without a token, unless `csrf`.
        """
        app = create_app(
            replace(self.config, **changes),  # type: ignore[arg-type]
            clock=self.clock,
            engine=self.engine,
            store=self.store,
        )
        app.jinja_env.bytecode_cache = CompiledTemplates()
        app.config["WTF_CSRF_ENABLED"] = csrf
        self._apps.append(app)
        return app

    @cached_property
    def app(self) -> Flask:
        """The portal. CSRF is off so that tests can post."""
        return self.open_app()

    def close(self) -> None:
        """Close every app, before its database goes.

        A connection in a thread's hands at that moment would never be given back.
        """
        for app in self._apps:
            close(app)

    def log_in(self, username: str) -> FlaskClient:
        """Return a browser logged in as an account made here."""
        client = self.app.test_client()
        answer = client.post("/login", data={"username": username, "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        return client

    def make_user(self, username: str, **values: object) -> User:
        """Make an account with PASSWORD: ``make_user("ada", is_admin=True)``."""
        values.setdefault("display_name", username.title())
        with write_session(self.engine) as session:
            return create_user(
                session,
                Passwords(CHEAP),
                username=username,
                password=PASSWORD,
                now=START,
                **values,  # type: ignore[arg-type]
            )

    def make_term(
        self,
        slug: str,
        *,
        labs: Sequence[str] = ("demo",),
        title: str = "Deep Learning, autumn 2026",
        timezone: str = "Asia/Shanghai",
        first_day: date = FIRST_DAY,
    ) -> Term:
        """Make a term by the standard scheme; its first lab is open at the clock's start."""
        folder = self.config.home / "assignments"
        with write_session(self.engine) as session:
            return create_term(
                session,
                slug=slug,
                title=title,
                timezone=timezone,
                labs=[load_assignment(folder / lab) for lab in labs],
                first_day=first_day,
            )

    @cached_property
    def term(self) -> Term:
        """The term that the tests are about."""
        return self.make_term("2026-autumn")

    def make_member(
        self,
        username: str,
        role: Role = Role.STUDENT,
        *,
        term: Term | None = None,
        **values: object,
    ) -> Enrolment:
        """Make an account and enrol it in the term: ``make_member("bo", Role.TA)``."""
        term_id = (term or self.term).id
        user = self.make_user(username, **values)
        with write_session(self.engine) as session:
            return enrol(session, session.get_one(Term, term_id), session.merge(user), role)

    @cached_property
    def offering_id(self) -> int:
        """The offering of the term's first lab."""
        first = select(Offering.id).where(Offering.term_id == self.term.id, Offering.position == 1)
        with read_session(self.engine) as session:
            return session.scalars(first).one()

    def change_offering(self, **values: object) -> None:
        """Set columns of that offering."""
        with write_session(self.engine) as session:
            offering = session.get_one(Offering, self.offering_id)
            for name, value in values.items():
                setattr(offering, name, value)


@contextmanager
def open_site(folder: Path) -> Iterator[Site]:
    """Give a portal in a folder of its own, for a scene that several tests look at."""
    instance = folder / "instance"
    instance.mkdir()
    url = sqlite_url(instance / "portal.db")
    engine = make_engine(url, durable=False)
    site = Site(settings(instance, write_home(folder / "home"), url), engine, Clock())
    yield site
    site.close()
    engine.dispose()
