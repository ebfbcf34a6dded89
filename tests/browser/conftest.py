"""A served portal with a real worker, and a headless Chromium in front of it."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from support.attempts import Classroom
from support.databases import sqlite_url
from support.fixtures import *  # noqa: F403
from support.portal import PASSWORD, Clock, Site
from support.reports import pictured_report
from support.serving import free_port, served

from portal.courses.models import Offering, Role
from portal.platform.config import create_instance, load_config
from portal.platform.db import make_engine, utc_now, write_session

TESTS = Path(__file__).parents[1]
STUDENTS = ("ada", "chen", "emmy", "grace", "karl", "sofia")


@dataclass(frozen=True)
class Served:
    """A running portal, and what drives its database beside it."""

    address: str
    site: Site
    pictured: str  # a submission of Emmy's whose result has pictures
    students: dict[str, int]  # ids of their enrolments


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A checkout with a tiny lab that can be graded, and the handout of a real one."""
    home = tmp_path_factory.mktemp("home")
    for half in ("assignments", "reference"):
        shutil.copytree(TESTS / "home" / half / "tiny", home / half / "tiny")
    shutil.copytree(TESTS.parent / "assignments" / "fnn", home / "assignments" / "fnn")
    return home


@pytest.fixture(scope="module")
def portal(tmp_path_factory, home):
    """A course of six students, served with a worker that grades for real."""
    instance = tmp_path_factory.mktemp("portal")
    create_instance(instance)
    sqlite_url(instance / "portal.db")
    config = load_config(instance, {"GRADER_HOME": str(home)})
    engine = make_engine(config.database_url)
    site = Site(config, engine, Clock(utc_now()))
    site.term = site.make_term("now", labs=("tiny", "fnn"))
    _open_labs(site)
    site.make_member("ines", Role.INSTRUCTOR)
    students = {name: site.make_member(name) for name in STUDENTS}
    (pictured,) = Classroom(site).send_reports(students["emmy"], pictured_report(site.store))
    port = free_port()
    command = ["-m", "portal", "run", "--instance", str(instance), "--port", str(port)]
    with served(command, port, instance / "log", GRADER_HOME=str(home)):
        ids = {name: one.id for name, one in students.items()}
        yield Served(f"http://127.0.0.1:{port}", site, pictured, ids)
    engine.dispose()


def _open_labs(site):
    """Let the labs be open now: what is served goes by the real clock."""
    with write_session(site.engine) as session:
        for offering in session.scalars(select(Offering).where(Offering.assignment_slug != "")):
            offering.opens_at = site.clock() - timedelta(days=7)
            offering.due_at = site.clock() + timedelta(days=7)


@pytest.fixture(scope="module")
def sessions(portal, chromium):
    """Return the cookies of somebody who has logged in, once a person."""
    known = {}

    def of(username):
        if username not in known:
            context = chromium.new_context(base_url=portal.address)
            page = context.new_page()
            page.goto("/login")
            page.fill("[name=username]", username)
            page.fill("[name=password]", PASSWORD)
            page.click("main button[type=submit]")
            page.wait_for_url(f"{portal.address}/")
            known[username] = context.storage_state()
            context.close()
        return known[username]

    return of


@pytest.fixture
def visit(portal, chromium, sessions):
    """Return a page of somebody who is logged in; any script error fails the test."""
    contexts, errors = [], []

    def note(message):
        if (
            message.type == "error" and "status of 422" not in message.text
        ):  # a form that is refused
            errors.append(message.text)

    def enter(username, **options):
        context = chromium.new_context(
            base_url=portal.address, storage_state=sessions(username), **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", note)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def axe():
    """The accessibility checker's script."""
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
