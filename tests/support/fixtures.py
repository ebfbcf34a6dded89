"""The fixtures of everything that drives the portal; a folder's conftest imports them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from grader.report import Report
from portal.courses.models import Enrolment, Term
from portal.people.models import User
from portal.platform.config import PortalConfig
from portal.platform.db import make_engine, write_session
from support.attempts import Classroom
from support.databases import Server, sqlite_url
from support.labs import write_home
from support.portal import Clock, Site, settings
from support.reports import pictured_report
from support.uploads import Bench

__all__ = [
    "app",
    "bench",
    "chromium",
    "classroom",
    "client",
    "clock",
    "config",
    "database_url",
    "each_database_url",
    "empty_database_url",
    "engine",
    "home",
    "instance",
    "log_in",
    "make_member",
    "make_user",
    "open_app",
    "postgresql",
    "report",
    "site",
    "strict_app",
    "term",
    "write",
]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SERVER_VARIABLE = "PROCTOR_TEST_POSTGRES"
DEFAULT_SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
KINDS = ("sqlite", "postgresql")


@pytest.fixture
def clock() -> Clock:
    """The portal's clock, at the start of the term."""
    return Clock()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A course checkout with one lab, `demo`, and a staff half that must never leak."""
    return write_home(tmp_path / "home")


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """The folder of an installation."""
    folder = tmp_path / "instance"
    folder.mkdir()
    return folder


@pytest.fixture
def database_url(instance: Path) -> str:
    """The address of a database with every table: a SQLite file in the instance."""
    return sqlite_url(instance / "portal.db")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The server to make databases on; it must be there if CI or the variable says so."""
    server = Server(os.environ.get(SERVER_VARIABLE) or DEFAULT_SERVER)
    try:
        server.execute("SELECT 1")
    except sa.exc.OperationalError as error:
        reason = f"needs PostgreSQL: no server answers; set {SERVER_VARIABLE} to one ({error.orig})"
        if os.environ.get(SERVER_VARIABLE) or os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield server
    server.close()


@pytest.fixture(params=KINDS)
def each_database_url(request: pytest.FixtureRequest, instance: Path) -> Iterator[str]:
    """The address of a database with every table, on each kind of database."""
    if request.param == "sqlite":
        yield sqlite_url(instance / "portal.db")
        return
    with request.getfixturevalue("postgresql").database() as url:
        yield url


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, instance: Path) -> Iterator[str]:
    """The address of a database without any table, on each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{instance / 'portal.db'}"
        return
    with request.getfixturevalue("postgresql").database(empty=True) as url:
        yield url


@pytest.fixture
def config(instance: Path, home: Path, database_url: str) -> PortalConfig:
    """Settings of a portal in the test's own folder."""
    return settings(instance, home, database_url, testing=True)


@pytest.fixture
def engine(config: PortalConfig) -> Iterator[Engine]:
    """The portal's database, which forces nothing to the disk."""
    engine = make_engine(config.database_url, durable=False)
    yield engine
    engine.dispose()


@pytest.fixture
def site(config: PortalConfig, engine: Engine, clock: Clock) -> Iterator[Site]:
    """The portal and what drives it."""
    site = Site(config, engine, clock)
    yield site
    site.close()


@pytest.fixture
def open_app(site: Site) -> Callable[..., Flask]:
    """Return a function that makes a portal with other settings: ``open_app(secret_key="x")``."""
    return site.open_app


@pytest.fixture
def app(site: Site) -> Flask:
    """The portal. CSRF is off here so that tests can post; `strict_app` has it on."""
    return site.app


@pytest.fixture
def strict_app(site: Site) -> Flask:
    """The portal exactly as it is served."""
    return site.open_app(csrf=True, testing=False)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser with no session."""
    return app.test_client()


@pytest.fixture
def write(engine: Engine) -> Callable[[], AbstractContextManager[Session]]:
    """Open a write transaction: ``with write() as session``."""
    return lambda: write_session(engine)


@pytest.fixture
def make_user(site: Site) -> Callable[..., User]:
    """Make an account with PASSWORD: ``make_user("ada", is_admin=True)``."""
    return site.make_user


@pytest.fixture
def term(site: Site) -> Term:
    """A term by the standard scheme in Shanghai's zone whose first lab is `demo`, open now."""
    return site.term


@pytest.fixture
def make_member(site: Site, term: Term) -> Callable[..., Enrolment]:
    """Make an account and enrol it in the term: ``make_member("bo", Role.TA)``."""
    return site.make_member


@pytest.fixture
def log_in(site: Site) -> Callable[[str], FlaskClient]:
    """Return a browser logged in as an account made by `make_user` or `make_member`."""
    return site.log_in


@pytest.fixture
def classroom(site: Site) -> Classroom:
    """An empty classroom: ``classroom.send(classroom.enrol("ada"), 7.0)``."""
    return Classroom(site)


@pytest.fixture
def bench(site: Site) -> Bench:
    """Ada in front of the lab."""
    site.make_member("ada")
    return Bench(site, site.log_in("ada"))


@pytest.fixture
def report(site: Site) -> Report:
    """A graded run: one test passed, one closed one failed, one open one failed with a picture."""
    return pictured_report(site.store)


@pytest.fixture(scope="module")
def chromium():
    """A headless browser of the system, gone before other files need an event loop of their own."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("needs Chromium: install the package chromium")
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()
