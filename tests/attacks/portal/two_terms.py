"""Two terms of one portal with the same things in each, and everybody who may stand before them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from support.attempts import Classroom
from support.competition import SLUG, write_competition
from support.labs import mark_by_hand
from support.portal import START, Site
from support.reports import pictured_report

from portal.app import FEATURES
from portal.code.models import LineComment
from portal.competition.models import CompetitionEntry, EntryMember
from portal.courses.models import Enrolment, Offering, OfferingKind, Role, Term
from portal.platform.db import write_session
from portal.submissions.models import LateUpload
from portal.teams.models import Team, TeamInvitation, TeamMove

# What somebody is to a thing, in the order of the table's columns.
RELATIONS = (
    "nobody", "account", "elsewhere", "left", "classmate", "former", "mate", "owner", "ta",
    "instructor", "admin",
)  # fmt: skip
OWNERS = ("ada", "zoe")


@dataclass(frozen=True)
class Place:
    """A term of the two, and what stands in the addresses of its things."""

    people: Mapping[str, str]  # username -> relation, of those who are in the term
    values: Mapping[str, object]  # by the name that an address gives it, or a field
    ranked: Mapping[str, object]  # those of them that differ in a competition's addresses
    earlier: uuid.UUID  # a submission from before the former mate left the owner's team

    def of(self, endpoint: str) -> Mapping[str, object]:
        """Return what fills the addresses of an endpoint."""
        ranked = endpoint.startswith("competition")
        return {**self.values, **self.ranked} if ranked else self.values


def build(site: Site) -> tuple[Place, Place]:
    """Make two terms; in each a student owns things, beside a classmate, staff and one who left.

    A submission of theirs is of a mate in their team too, and of a former mate an earlier one. An
    item of their lab is marked by hand, and the assistant has commented on a line.
    """
    write_competition(site.config.home)
    mark_by_hand(site.config.home)
    # Every person opens everything within a moment.
    named = {name for feature in FEATURES for name in feature.limits}
    site.config = replace(site.config, limits=dict.fromkeys(named, "99999 per minute"))
    site.make_user("outsider")
    site.make_user("root", is_admin=True)
    other = site.make_term("2027-spring", title="Another term", timezone="UTC")
    first = ("ada", "bo", "lee", "mia", "fay", "tess", "ines")
    second = ("zoe", "yan", "max", "moe", "finn", "otto", "olga")
    return _place(site, site.term, first, 0), _place(site, other, second, 1000)


def relation(place: Place, username: str) -> str:
    """Return what somebody is to the things of a place."""
    known = {"nobody": "nobody", "outsider": "account", "root": "admin"}
    return known.get(username) or place.people.get(username, "elsewhere")


def own_place(places: tuple[Place, Place], username: str) -> Place:
    """Return the term that somebody is in; the first one for those who are in none."""
    return next((one for one in places if username in one.people), places[0])


def _place(site: Site, term: Term, names: tuple[str, ...], number: int) -> Place:
    roles = (*(Role.STUDENT,) * 5, Role.TA, Role.INSTRUCTOR)
    there = [
        site.make_member(name, role, term=term) for name, role in zip(names, roles, strict=True)
    ]
    owner, classmate, left, mate, former, *_ = there
    with write_session(site.engine) as session:
        session.get_one(Enrolment, left.id).active = False
    offerings = {one.position: one for one in _offerings(site, term)}
    lab, competition = offerings[1].id, offerings[6].id
    classroom = Classroom(site)
    classroom.offering_id, classroom._made = lab, number
    report = pictured_report(site.store)
    (earlier,) = classroom.send_reports(owner, report, mates=[mate, former])
    (mine,) = classroom.send_reports(owner, report, mates=[mate])
    trial, run = classroom.try_regrade(there[5], mine)
    invitation, entry, team = _compete(site, competition, owner, classmate, number)
    values = {
        "slug": term.slug,
        "offering_id": lab,
        "enrolment_id": owner.id,
        "submission_id": uuid.UUID(mine),
        "upload_id": _late(site, owner, lab, number),
        "entry_id": entry,
        "invitation_id": _ask(site, lab, owner, classmate),
        "team_id": team,
        "trial_id": trial,
        "run_id": run,
        "comment": _comment(site, mine, there[5]),
        "test": report.tests[0].id,
        "digest": report.artifacts[0].sha256,
        "filename": "portal.css",
    }
    relations = ("owner", "classmate", "left", "mate", "former", "ta", "instructor")
    people = dict(zip(names, relations, strict=True))
    ranked = {"offering_id": competition, "invitation_id": invitation}
    return Place(people, values, ranked, uuid.UUID(earlier))


def _offerings(site: Site, term: Term) -> list[Offering]:
    with write_session(site.engine) as session:
        found = list(session.scalars(select(Offering).where(Offering.term_id == term.id)))
        for one in found:
            one.opens_at = START
            one.team_size = 2 if one.kind is OfferingKind.LAB else None
            if one.kind is OfferingKind.COMPETITION:
                one.assignment_slug, one.published = SLUG, True
        return found


def _comment(site: Site, submission: str, author: Enrolment) -> int:
    """Comment on a line of a submission."""
    with write_session(site.engine) as session:
        made = LineComment(
            submission_id=submission, path="demo/answer.py", line=1, text="Look again.",
            author_id=author.user_id, created_at=START,
        )  # fmt: skip
        session.add(made)
        session.flush()
        return made.id


def _late(site: Site, who: Enrolment, lab: int, number: int) -> uuid.UUID:
    """Keep an upload that came after the lab had closed."""
    made = uuid.UUID(int=500 + number)
    digest = site.store.put(b"def answer():\n    return 42\n")
    with write_session(site.engine) as session:
        session.add(
            LateUpload(
                id=str(made), enrolment_id=who.id, offering_id=lab, upload_sha256=digest,
                filename="answer.py", size=1, content_digest=digest, intake='{"files": []}',
                received_at=START,
            )
        )  # fmt: skip
    return made


def _ask(site: Site, lab: int, owner: Enrolment, classmate: Enrolment) -> int:
    """Let the classmate ask the owner into a team of the lab."""
    with write_session(site.engine) as session:
        hares = Team(offering_id=lab, name="Hares", created_at=START)
        session.add(hares)
        session.flush()
        own = TeamMove(
            team_id=hares.id, enrolment_id=classmate.id, author_id=classmate.user_id, at=START
        )
        asked = TeamInvitation(
            team_id=hares.id, enrolment_id=owner.id, author_id=classmate.id, at=START
        )
        session.add_all((own, asked))
        session.flush()
        return asked.id


def _compete(
    site: Site, competition: int, owner: Enrolment, classmate: Enrolment, number: int
) -> tuple[int, uuid.UUID, int]:
    """Let the classmate ask the owner into a team; the owner has an entry with its source."""
    made = uuid.UUID(int=700 + number)
    digest = site.store.put(b"id,animal\n")
    with write_session(site.engine) as session:
        otters = Team(offering_id=competition, name="Otters", created_at=START)
        foxes = Team(offering_id=competition, name="Foxes", created_at=START)
        session.add_all((otters, foxes))
        session.flush()
        for team, who in ((otters, owner), (foxes, classmate)):
            move = TeamMove(team_id=team.id, enrolment_id=who.id, author_id=who.user_id, at=START)
            session.add(move)
        asked = TeamInvitation(
            team_id=foxes.id, enrolment_id=owner.id, author_id=classmate.id, at=START
        )
        session.add(asked)
        session.add(
            CompetitionEntry(
                id=str(made), offering_id=competition, number=1, team_id=otters.id,
                enrolment_id=owner.id, client_key="key", sha256=digest, source_sha256=digest,
                filename="p.csv", size=1, public_score=0.5, private_score=0.5,
                judge_digest="0" * 64, received_at=START,
            )
        )  # fmt: skip
        session.flush()
        session.add(EntryMember(entry_id=str(made), enrolment_id=owner.id))
        return asked.id, made, otters.id
