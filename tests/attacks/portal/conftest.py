"""A portal to attack: the fixtures of the portal's own tests, and a class with things to steal."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, select
from support.fixtures import *  # noqa: F403
from support.portal import START

from portal.competition.models import CompetitionEntry
from portal.courses.models import Offering, OfferingKind, Role
from portal.platform.db import read_session, write_session
from portal.submissions.models import LateUpload
from portal.teams.models import Team


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
def school(site, classroom) -> School:
    """Ada and Bo with results, staff Tess and Ines; Otto is a TA of another term."""
    ada, bo = site.make_member("ada"), site.make_member("bo")
    tess = site.make_member("tess", Role.TA)
    site.make_member("ines", Role.INSTRUCTOR)
    site.make_user("outsider")
    (mine,) = classroom.send(ada, 7.0)
    (his,) = classroom.send(bo, 11.0)
    trial, run = classroom.try_regrade(tess, his)
    ids = {
        "offering_id": site.offering_id,
        "submission_id": uuid.UUID(mine),
        "upload_id": _late_upload(site, ada),
        "entry_id": _entry(site, bo),
        "invitation_id": 1,
        "team_id": 1,
        "trial_id": trial,
        "run_id": run,
        "enrolment_id": ada.id,
        "slug": site.term.slug,
        "digest": "0" * 64,
        "filename": "portal.css",
        "bo": uuid.UUID(his),
    }
    return School(site.app, site.engine, site.log_in, classroom, ids, _other_term(site))


def _late_upload(site, who) -> uuid.UUID:
    """Keep an upload that came after the lab had closed."""
    number = uuid.UUID(int=7)
    with write_session(site.engine) as session:
        session.add(
            LateUpload(
                id=str(number), enrolment_id=who.id, offering_id=site.offering_id,
                upload_sha256="0" * 64, filename="answer.py", size=1, content_digest="0" * 64,
                intake='{"files": []}', received_at=START,
            )
        )  # fmt: skip
    return number


def _entry(site, who) -> uuid.UUID:
    """Keep an entry to the term's competition."""
    number = uuid.UUID(int=8)
    wanted = select(Offering.id).where(
        Offering.term_id == site.term.id, Offering.kind == OfferingKind.COMPETITION
    )
    with write_session(site.engine) as session:
        offering = session.scalars(wanted).one()
        team = Team(offering_id=offering, name="Otters", created_at=START)
        session.add(team)
        session.flush()
        session.add(
            CompetitionEntry(
                id=str(number), offering_id=offering, number=1, team_id=team.id,
                enrolment_id=who.id, client_key="key", sha256="0" * 64, filename="p.csv", size=1,
                public_score=0.5, private_score=0.5, judge_digest="0" * 64, received_at=START,
            )
        )  # fmt: skip
    return number


def _other_term(site) -> dict[str, object]:
    term = site.make_term("2027-spring", title="Another term", timezone="UTC")
    site.make_member("otto", Role.TA, term=term)
    return {
        "slug": term.slug,
        "enrolment_id": site.make_member("zoe", term=term).id,
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
