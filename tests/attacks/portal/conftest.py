"""A portal to attack: the fixtures of the portal's own tests, and a class with things to steal."""

from __future__ import annotations

import importlib.util
import sys
import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from grader.lab.manifest import load_assignment
from portal.courses.models import Enrolment, Offering, OfferingKind, Role, Term
from portal.courses.service import create_term, enrol
from portal.db import read_session, write_session
from portal.engine import prepare

HERE = Path(__file__).parent
TESTS = HERE.parents[1]


def _load(name: str, path: Path):
    """Import a file of the tests, which are no package, under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_portal = _load("portal_fixtures", TESTS / "portal" / "conftest.py")
_browser = _load("browser_fixtures", TESTS / "browser" / "conftest.py")
_databases = _load("database_fixtures", TESTS / "portal" / "engine" / "conftest.py")
_load("portal_attacks", HERE / "rows.py")
_load("portal_web", HERE / "web.py")

for _name in (
    "clock home config engine open_app app strict_app client write make_user term make_member "
    "log_in csrf_token classroom"
).split():
    globals()[_name] = getattr(_portal, _name)
chromium = _browser.chromium
database_url = _databases.database_url


@dataclass
class School:
    """Two terms with their people, submissions with results, and the ids of everything."""

    app: object
    engine: Engine
    log_in: object
    classroom: object
    ids: dict[str, object]  # of ada's things, by the name an address gives them
    other: dict[str, object]  # the same of the other term

    def browsers(self) -> dict[str, object]:
        """Return a browser for everybody, logged in."""
        names = ("ada", "bo", "tess", "ines", "outsider", "otto")
        return {name: self.log_in(name) for name in names}


@pytest.fixture
def school(app, config, engine, classroom, make_member, make_user, log_in, home) -> School:
    """Ada and Bo with results, staff Tess and Ines; Otto is a TA of another term."""
    prepare(config.database_url)
    ada, bo = classroom.enrol("ada"), classroom.enrol("bo")
    make_member("tess", Role.TA)
    make_member("ines", Role.INSTRUCTOR)
    make_user("outsider")
    (mine,) = classroom.send(ada, 7.0)
    (his,) = classroom.send(bo, 11.0)
    other = _other_term(engine, home, make_user("otto"), make_user("zoe"))
    ids = {
        "offering_id": classroom.offering_id,
        "submission_id": uuid.UUID(mine),
        "enrolment_id": ada.id,
        "slug": classroom.term.slug,
        "digest": "0" * 64,
        "filename": "portal.css",
    }
    return School(app, engine, log_in, classroom, ids | {"bo": uuid.UUID(his)}, other)


def _other_term(engine, home, otto, zoe) -> dict[str, object]:
    with write_session(engine) as session:
        term = create_term(
            session,
            slug="2027-spring",
            title="Another term",
            timezone="UTC",
            labs=[load_assignment(home / "assignments" / "demo")],
            first_day=date(2026, 9, 7),
        )
        enrol(session, term, session.merge(otto), Role.TA)
        student = enrol(session, term, session.merge(zoe), Role.STUDENT)
        return {
            "slug": term.slug,
            "enrolment_id": student.id,
            "offering_id": term.offerings[0].id,
            "whole": term.offerings[-1].id,
        }


@pytest.fixture
def whole(engine, term) -> int:
    """The offering that people mark as a whole, out of 5 points."""
    with read_session(engine) as session:
        return session.scalars(
            select(Offering.id).where(
                Offering.kind == OfferingKind.FEEDBACK, Offering.term_id == term.id
            )
        ).one()


@pytest.fixture
def rows_of(engine):
    """Return a function that counts a table's rows."""

    def count(model) -> int:
        with read_session(engine) as session:
            return len(session.scalars(select(model)).all())

    return count


__all__ = ["Enrolment", "Term"]
