"""The result: who would get what and why, and writing it down as marks.

Marks go the way of every mark given by hand, so that gradebook, score card and files say the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from grader.api import Catalogue, Judge, TableError
from portal.audit.service import record
from portal.competition.board import steps
from portal.competition.entries import entries_by_team, struck_in
from portal.competition.finals import choices_in, finals_of
from portal.competition.models import CompetitionEntry, CompetitionResult, ResultPlace
from portal.competition.opening import Competition
from portal.courses.models import Enrolment, Role
from portal.courses.policy import freezes_at
from portal.courses.service import students
from portal.grants.service import conditions_of_all
from portal.platform.errors import Invalid, UnknownDigest
from portal.platform.language import gettext
from portal.platform.store import Store
from portal.standings.marks import give_mark
from portal.standings.rubric import WHOLE
from portal.standings.scores import standings_in
from portal.teams.models import Team
from portal.teams.service import TeamRoll, lock, read_reason, roll_of


@dataclass(frozen=True)
class Finalist:
    """A team with an entry that counts."""

    team: Team
    members: tuple[Enrolment, ...]
    entry: CompetitionEntry  # of its finals, the better one


@dataclass(frozen=True)
class Field:
    """Everybody whom a result is about, as the rows say it."""

    finalists: tuple[Finalist, ...]
    others: tuple[tuple[Enrolment, str], ...]  # who gets nothing; "" or why disqualified
    given: Mapping[int, Decimal]  # the mark that counts now, by enrolment

    @property
    def digest(self) -> str:
        """What tells this field from another: a preview of one must not write down another."""
        parts = [
            [[one.team.id, one.team.name, one.entry.id, one.entry.judge_digest,
              sorted(person.id for person in one.members)] for one in self.finalists],
            [[person.id, why] for person, why in self.others],
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True)
class PlannedPlace:
    """What a team would get."""

    finalist: Finalist
    score: float
    place: int
    tied: bool
    points: Decimal


@dataclass(frozen=True)
class ResultPlan:
    """The result as it would be written down."""

    places: tuple[PlannedPlace, ...]
    others: tuple[tuple[Enrolment, str], ...]
    given: Mapping[int, Decimal]
    digest: str


def result_of(session: Session, offering_id: int) -> CompetitionResult | None:
    """Return the result that holds; None before there is one."""
    return session.scalars(
        select(CompetitionResult)
        .where(CompetitionResult.offering_id == offering_id)
        .options(selectinload(CompetitionResult.places))
        .order_by(CompetitionResult.id.desc())
        .limit(1)
    ).first()


def has_ended(session: Session, competition: Competition, now: datetime) -> bool:
    """Tell whether nobody can enter any more, whatever was granted to whom."""
    return now >= conditions_of_all(session, competition.offering).ends_at


def plan(
    session: Session, store: Store, judge: Judge, competition: Competition, *, now: datetime
) -> ResultPlan:
    """Work out the result from the files of the finals. Raises Invalid if it cannot be yet."""
    if not has_ended(session, competition, now):
        raise Invalid(gettext("the competition still takes entries; its result comes after it"))
    field = _field(session, competition, roll_of(session, competition.offering.id))
    if any(one.entry.judge_digest != judge.digest for one in field.finalists):
        raise Invalid(
            gettext(
                "entries were scored by other labels or rules than those that are here now; on the "
                "server, install the labels again with portal set-labels, which scores them anew"
            )
        )
    try:
        files = {one.team.name: store.get(one.entry.sha256) for one in field.finalists}
        standings = judge.standings(files)
    except (UnknownDigest, TableError):
        raise Invalid(
            gettext("a file of predictions is missing or damaged; restore it from your backup")
        ) from None
    by_name = {one.team.name: one for one in field.finalists}
    places = tuple(
        PlannedPlace(
            finalist=by_name[one.team],
            score=one.score,
            place=one.rank,
            tied=one.tied,
            points=competition.points(one.score, one.rank, len(standings)),
        )
        for one in standings
    )
    return ResultPlan(places, field.others, field.given, field.digest)


def finalise(
    session: Session,
    catalogue: Catalogue,
    competition: Competition,
    wanted: ResultPlan,
    *,
    reason: str,
    actor_id: int,
    now: datetime,
) -> CompetitionResult:
    """Write a plan down: the places, and a mark for everybody. The caller commits.

    Raises Invalid if something has changed since the plan was made, or without a reason if there
    is a result already.
    """
    offering = lock(session, competition.offering.id)
    before = result_of(session, offering.id)
    reason = read_reason(reason) if before else reason.strip()
    field = _field(session, competition, roll_of(session, offering.id))
    if field.digest != wanted.digest:
        raise Invalid(gettext("meanwhile something has changed; look at the preview again"))
    result = CompetitionResult(offering_id=offering.id, reason=reason, author_id=actor_id, at=now)
    result.places = [
        ResultPlace(
            team_id=one.finalist.team.id,
            entry_id=one.finalist.entry.id,
            name=one.finalist.team.name,
            score=one.score,
            place=one.place,
            tied=one.tied,
            points=one.points,
        )
        for one in wanted.places
    ]
    session.add(result)
    for person, points, comment in _marks(wanted):
        give_mark(
            session,
            catalogue,
            enrolment=session.get_one(Enrolment, person.id),
            offering=offering,
            item_id=WHOLE,
            points=str(points),
            comment=comment,
            author_id=actor_id,
            now=now,
        )
    offering.marks_published = True
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="competition.finalise",
        subject=f"offering:{offering.id}",
        teams=len(wanted.places),
        first=[one.name for one in result.places if one.place == 1],
        reason=reason,
    )
    return result


def _field(session: Session, competition: Competition, roll: TeamRoll) -> Field:
    offering = competition.offering
    struck = struck_in(session, roll)
    by_team = entries_by_team(session, roll, offering.id)
    choices = choices_in(session, by_team)
    finalists = []
    for team_id, entries in sorted(by_team.items()):
        counting = [one for one in entries if one.id not in struck.entries]
        if team_id in struck.teams or not counting or not roll.members[team_id]:
            continue
        history = steps(competition.ladder, counting, freezes_at(offering))
        final = finals_of(history, choices.get(team_id))
        entry = _better(competition, final.entries)
        finalists.append(Finalist(roll.teams[team_id], roll.members[team_id], entry))
    placed = {person.id for one in finalists for person in one.members}
    others = [
        (person, struck.teams.get(roll.place_of.get(person.id, 0), ""))
        for person in students(session, offering.term_id)
        if person.id not in placed
    ]
    return Field(tuple(finalists), tuple(others), _given(session, competition))


def _better(competition: Competition, entries: Sequence[CompetitionEntry]) -> CompetitionEntry:
    best = entries[0]
    for entry in entries[1:]:
        if competition.better(entry.private_score, best.private_score):
            best = entry
    return best


def _given(session: Session, competition: Competition) -> dict[int, Decimal]:
    offering = competition.offering
    return {
        enrolment_id: Decimal(standing.marks[WHOLE])
        for (enrolment_id, offering_id), standing in standings_in(session, offering.term_id).items()
        if offering_id == offering.id and WHOLE in standing.marks
    }


def _marks(wanted: ResultPlan) -> list[tuple[Enrolment, Decimal, str]]:
    """Return who gets how many points, and what is written beside them; staff get none."""
    teams = len(wanted.places)
    found = [
        (person, one.points, _comment(one, teams))
        for one in wanted.places
        for person in one.finalist.members
        if person.role is Role.STUDENT
    ]
    for person, why in wanted.others:
        comment = f"Disqualified: {why}" if why else "No entry that counts"
        found.append((person, Decimal(0), comment))
    return found


def _comment(one: PlannedPlace, teams: int) -> str:
    tied = ", tied" if one.tied else ""
    return f"Rank {one.place} of {teams}{tied}; score {one.score:.4f}"
