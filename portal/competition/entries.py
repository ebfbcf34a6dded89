"""Entries: whose they are, how many may be made, and taking one. The caller commits."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, joinedload

from grader.api import Scores
from portal.competition.models import CompetitionEntry, EntryMember, Ruling
from portal.courses.models import Enrolment, Offering
from portal.courses.policy import Conditions, OfferingState, day_of
from portal.grants.service import conditions_of_team
from portal.platform.errors import Invalid
from portal.platform.formats import moment
from portal.platform.language import gettext
from portal.teams.models import Team
from portal.teams.service import TeamRoll, lock, own_team, roll_of

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # of an archive, and of an empty one


@dataclass(frozen=True)
class SentEntry:
    """A file of predictions that was read and scored, and is in the store."""

    client_key: str
    filename: str
    sha256: str
    size: int
    scores: Scores
    judge_digest: str
    source_sha256: str | None = None
    source_size: int | None = None


@dataclass(frozen=True)
class EntryAllowance:
    """How many entries a team has made, and how many it may make."""

    used_today: int
    used_total: int
    conditions: Conditions
    next_day: datetime  # when the day's count starts anew

    @property
    def left(self) -> int | None:
        """Entries that may still be made now; None: no limit."""
        return self.conditions.attempts_left(self.used_today, self.used_total)


@dataclass(frozen=True)
class Struck:
    """What staff have disqualified, with the reason of each."""

    teams: dict[int, str]
    entries: dict[str, str]


def book(
    session: Session, offering_id: int, enrolment: Enrolment, sent: SentEntry, *, now: datetime
) -> tuple[CompetitionEntry, bool]:
    """Add an entry whose bytes are in the store; tell whether it is new.

    The same file with the same `client_key` is the same entry, however often it comes. Raises
    Invalid outside the dates or past the limit; both are judged here, under the lock, so that
    entries at the same instant cannot slip through together.
    """
    offering = lock(session, offering_id)
    known = find_known(session, offering_id, enrolment.id, sent.client_key, sent.sha256)
    if known is not None:
        return known, False
    team = own_team(session, offering, enrolment, now=now)
    roll = roll_of(session, offering_id)
    check_allowed(session, offering, roll, enrolment.id, now=now)
    entry = CompetitionEntry(
        id=str(uuid.uuid4()),
        offering_id=offering_id,
        team_id=team.id,
        enrolment_id=enrolment.id,
        number=_next_number(session, offering_id),
        client_key=sent.client_key,
        sha256=sent.sha256,
        filename=sent.filename,
        size=sent.size,
        source_sha256=sent.source_sha256,
        source_size=sent.source_size,
        public_score=sent.scores.public,
        private_score=sent.scores.private,
        judge_digest=sent.judge_digest,
        received_at=now,
    )
    session.add(entry)
    session.flush()
    members = roll.members_of(enrolment.id)
    session.add_all(EntryMember(entry_id=entry.id, enrolment_id=one) for one in members)
    return entry, True


def find_known(
    session: Session, offering_id: int, enrolment_id: int, client_key: str, sha256: str
) -> CompetitionEntry | None:
    """Return the entry that a person sent with this key and these bytes; None if it is new."""
    return session.scalar(
        select(CompetitionEntry).where(
            CompetitionEntry.offering_id == offering_id,
            CompetitionEntry.enrolment_id == enrolment_id,
            CompetitionEntry.client_key == client_key,
            CompetitionEntry.sha256 == sha256,
        )
    )


def check_allowed(
    session: Session, offering: Offering, roll: TeamRoll, enrolment_id: int, *, now: datetime
) -> None:
    """Raise Invalid if an entry at `now` is too early, too late or once too often."""
    check_allowance(allowance_of(session, offering, roll, enrolment_id, now=now), offering, now=now)


def check_allowance(allowance: EntryAllowance, offering: Offering, *, now: datetime) -> None:
    """Raise Invalid if an entry at `now` is outside the dates, or beyond what is allowed."""
    zone = offering.term.timezone
    own = allowance.conditions
    state = own.state(now)
    if state is OfferingState.NOT_YET:
        raise Invalid(
            gettext("this competition opens at %(when)s", when=moment(own.opens_at, zone))
        )
    if state is not OfferingState.OPEN:
        raise Invalid(gettext("this competition ended at %(when)s", when=moment(own.ends_at, zone)))
    total, per_day = own.attempts_total, own.attempts_per_day
    if total is not None and allowance.used_total >= total:
        raise Invalid(gettext("your team has made all its %(count)s entries", count=total))
    if per_day is not None and allowance.used_today >= per_day:
        raise Invalid(
            gettext(
                "your team has made today's %(count)s entries; the next ones come at %(when)s",
                count=per_day,
                when=moment(allowance.next_day, zone),
            )
        )


def allowance_of(
    session: Session, offering: Offering, roll: TeamRoll, enrolment_id: int, *, now: datetime
) -> EntryAllowance:
    """Count what a person's team has made; a day begins at the course's midnight.

    Against a team counts what any of its members has had a part in, in this team or another: who
    leaves and who merges gains no entry by it.
    """
    return allowance_of_people(session, offering, roll, roll.members_of(enrolment_id), now=now)


def allowance_of_people(
    session: Session, offering: Offering, roll: TeamRoll, members: Collection[int], *, now: datetime
) -> EntryAllowance:
    """Count what would count against a team of these people."""
    midnight, next_midnight = day_of(now, ZoneInfo(offering.term.timezone))
    made = select(func.count(CompetitionEntry.id)).where(_counts_against(offering, roll, members))
    return EntryAllowance(
        used_today=session.scalar(made.where(CompetitionEntry.received_at >= midnight)) or 0,
        used_total=session.scalar(made) or 0,
        conditions=conditions_of_team(session, members, offering),
        next_day=next_midnight,
    )


def entries_of(session: Session, roll: TeamRoll, team: Team | None) -> list[CompetitionEntry]:
    """Return a team's entries, in the order they came; none of another team is read."""
    if team is None:
        return []
    own = CompetitionEntry.team_id.in_(roll.family(team.id))
    return list(session.scalars(_with_senders(team.offering_id).where(own)))


def entries_by_team(
    session: Session, roll: TeamRoll, offering_id: int
) -> dict[int, list[CompetitionEntry]]:
    """Return the entries of every team that has some, in the order they came."""
    found: dict[int, list[CompetitionEntry]] = {}
    for entry in all_entries(session, offering_id):
        found.setdefault(roll.root(entry.team_id), []).append(entry)
    return found


def all_entries(session: Session, offering_id: int) -> Sequence[CompetitionEntry]:
    """Return every entry of a competition, in the order they came."""
    return session.scalars(_with_senders(offering_id)).all()


def counts_by_team(session: Session, roll: TeamRoll, offering_id: int) -> dict[int, int]:
    """Return how many entries every team has that has some."""
    found: dict[int, int] = {}
    made = (
        select(CompetitionEntry.team_id, func.count())
        .where(CompetitionEntry.offering_id == offering_id)
        .group_by(CompetitionEntry.team_id)
    )
    for team_id, count in session.execute(made):
        found[roll.root(team_id)] = found.get(roll.root(team_id), 0) + count
    return found


def public_scores(
    session: Session, roll: TeamRoll, struck: Struck, offering_id: int, *, before: datetime
) -> dict[int, list[float]]:
    """Return what teams' entries that count scored on the public rows until an instant.

    In the order they came, by team. For the board, which shows what the Ladder makes of them:
    one number of each entry is read, and no row of it.
    """
    found: dict[int, list[float]] = {}
    counting = (
        select(CompetitionEntry.team_id, CompetitionEntry.public_score)
        .where(
            CompetitionEntry.offering_id == offering_id,
            CompetitionEntry.received_at < before,
            CompetitionEntry.id.not_in(struck.entries),
        )
        .order_by(CompetitionEntry.number)
    )
    for team_id, score in session.execute(counting):
        found.setdefault(roll.root(team_id), []).append(score)
    return found


def struck_in(session: Session, roll: TeamRoll) -> Struck:
    """Return what is disqualified in a competition now."""
    rulings = session.scalars(
        select(Ruling).where(Ruling.team_id.in_(roll.teams)).order_by(Ruling.id)
    )
    teams: dict[int, str] = {}
    entries: dict[str, str] = {}
    for ruling in rulings:
        if ruling.entry_id is not None:
            entries.pop(ruling.entry_id, None)
            if ruling.disqualified:
                entries[ruling.entry_id] = ruling.reason
        else:
            teams.pop(roll.root(ruling.team_id), None)
            if ruling.disqualified:
                teams[roll.root(ruling.team_id)] = ruling.reason
    return Struck(teams, entries)


def client_key(text: str) -> str:
    """Return a form's key, or a fresh one: without a key a retry is a second entry."""
    return text if re.fullmatch(r"[A-Za-z0-9-]{8,40}", text) else str(uuid.uuid4())


def digest_of_bytes(data: bytes) -> str:
    """Return the name under which the store keeps these bytes."""
    return hashlib.sha256(data).hexdigest()


def _with_senders(offering_id: int) -> Select[CompetitionEntry]:
    return (
        select(CompetitionEntry)
        .where(CompetitionEntry.offering_id == offering_id)
        .options(joinedload(CompetitionEntry.enrolment).joinedload(Enrolment.user))
        .order_by(CompetitionEntry.number)
    )


def _next_number(session: Session, offering_id: int) -> int:
    last = select(func.max(CompetitionEntry.number)).where(
        CompetitionEntry.offering_id == offering_id
    )
    return (session.scalar(last) or 0) + 1


def _counts_against(
    offering: Offering, roll: TeamRoll, enrolment_ids: Collection[int]
) -> ColumnElement[bool]:
    families = {
        one
        for place in {roll.place_of[one] for one in enrolment_ids if one in roll.place_of}
        for one in roll.family(place)
    }
    seen = select(EntryMember.entry_id).where(EntryMember.enrolment_id.in_(enrolment_ids))
    return (CompetitionEntry.offering_id == offering.id) & or_(
        CompetitionEntry.team_id.in_(families), CompetitionEntry.id.in_(seen)
    )
