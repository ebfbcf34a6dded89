"""Writing standings as the rows that are only ever added have them.

`portal.standings.following` does so in the transaction of whatever changes one. `rebuild` does so
for everybody and tells where it found another standing than was kept; it must find none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain, groupby
from typing import Any, NamedTuple

from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.orm import Session, joinedload

from grader.api import Report
from portal.courses.models import Enrolment, Offering
from portal.courses.policy import Conditions
from portal.grants.service import conditions_together, granted_to
from portal.platform.db import read_session, write_session
from portal.runs.models import GradingRun, Result, RunState
from portal.runs.speaking import MAY_SPEAK, SPEAKS_FIRST
from portal.standings.choosing import chosen_in
from portal.standings.counting import PointsByTests, Tried, stand
from portal.standings.models import ManualMark, Place, StudentStanding
from portal.submissions.members import members_of
from portal.submissions.models import Submission, SubmissionMember

BATCH = 100  # students at a time
# Kinds of PostgreSQL's locks by two numbers; the second is an id.
_TERM, _STUDENT = 7001, 7002


@dataclass(frozen=True)
class StandingDifference:
    """A standing that was not as the rows have it."""

    enrolment_id: int
    offering_id: int
    columns: tuple[str, ...]  # that differed; none: there was none, or one too many


class _Sent(NamedTuple):
    """A submission with the run that speaks for it, as an attempt of one of its members."""

    submission_id: str
    team_id: int | None
    attempt: int
    received_at: datetime
    run_id: str
    state: RunState
    graded: PointsByTests | None

    def tried(self, own: Conditions) -> Tried:
        """Return it as it is counted, under the conditions that held for its members."""
        return Tried(
            self.submission_id,
            self.attempt,
            self.received_at,
            self.run_id,
            self.state,
            self.graded,
            own,
        )


def rewrite(
    session: Session,
    enrolment_ids: Collection[int],
    *,
    terms: Collection[int] = (),
    anew: bool = False,
) -> list[StandingDifference]:
    """Write the standings of some students as the rows have them; return what was not so.

    `terms` are those whose rules the transaction has changed. `anew` reads every report again;
    without, points by item stay where the run is the same one.
    """
    found = []
    ids = sorted(enrolment_ids)
    _lock(session, ids, terms)
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        kept = {
            one.place: one.facts()
            for one in session.scalars(
                select(StudentStanding)
                .where(StudentStanding.enrolment_id.in_(some))
                .execution_options(populate_existing=True)
            )
        }
        true = {one.place: one.facts() for one in _worked_out(session, some)}
        _add_items(session, true, {} if anew else kept)
        found += _write(session, kept, true)
    return found


def everybody(session: Session) -> list[int]:
    """Return the ids of all who may have standings, in any term."""
    return list(session.scalars(select(Enrolment.id).order_by(Enrolment.id)))


def rebuild(engine: Engine) -> list[StandingDifference]:
    """Write every standing anew and return what was not as the rows have it.

    In many short transactions: uploads and results go on meanwhile.
    """
    with read_session(engine) as session:
        ids = everybody(session)
    found = []
    for start in range(0, len(ids), BATCH):
        with write_session(engine) as session:
            found += rewrite(session, ids[start : start + BATCH], anew=True)
    return found


def fill(session: Session) -> None:
    """Write every standing where there is none at all, as after an upgrade; the caller commits."""
    if session.scalar(select(StudentStanding.offering_id).limit(1)) is None:
        rewrite(session, everybody(session), anew=True)


def _lock(session: Session, enrolment_ids: Sequence[int], terms: Collection[int]) -> None:
    """Let one transaction at a time rewrite a student; SQLite lets only one write anyway.

    Whoever comes second waits here, and reads only then: it sees what the first has changed. In
    one order, so that no two wait for each other; a term whose rules change keeps everybody out.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    query = select(Enrolment.term_id, Enrolment.id).where(Enrolment.id.in_(enrolment_ids))
    students = sorted((term, student) for term, student in session.execute(query))
    for term in sorted({*terms, *(term for term, _ in students)}):
        shared = func.pg_advisory_xact_lock_shared(_TERM, term)
        session.execute(
            select(func.pg_advisory_xact_lock(_TERM, term) if term in terms else shared)
        )
    for term, student in students:
        if term not in terms:
            session.execute(select(func.pg_advisory_xact_lock(_STUDENT, student)))


def _worked_out(session: Session, enrolment_ids: Sequence[int]) -> Iterator[StudentStanding]:
    """Work out standings from the rows that are only ever added.

    A student's labs come in the order of their due dates, and spend late days in it. What a team
    sent is an attempt of each who was in it then, under what holds for all of them together; late
    days everybody has of their own.
    """
    sent = _sent(session, enrolment_ids)
    marks = _marks(session, enrolment_ids)
    chosen = chosen_in(session, enrolment_ids)
    places = {*sent, *marks}
    offerings = _offerings(session, {offering for _, offering in places})
    together = (one.submission_id for some in sent.values() for one in some if one.team_id)
    teams = members_of(session, set(together))
    granted = granted_to(session, {*enrolment_ids, *chain.from_iterable(teams.values())})
    spent: Counter[int] = Counter()
    for place in sorted(places, key=lambda one: (offerings[one[1]].due_at, one)):
        offering = offerings[place[1]]
        alone = conditions_together(granted, place[:1], offering)
        tried = [
            one.tried(conditions_together(granted, teams[one.submission_id], offering))
            if one.team_id
            else one.tried(alone)
            for one in sent.get(place, [])
        ]
        found = stand(
            place,
            tried,
            marks.get(place, {}),
            policy=offering.policy,
            late_days=offering.term.bank.available(spent[place[0]]),
            by_hand=chosen.get(place),
        )
        spent[place[0]] += found.days_spent
        yield found


def _offerings(session: Session, ids: Collection[int]) -> dict[int, Offering]:
    query = select(Offering).where(Offering.id.in_(ids)).options(joinedload(Offering.term))
    fresh = query.execution_options(populate_existing=True)
    return {one.id: one for one in session.scalars(fresh)}


def _sent(session: Session, enrolment_ids: Sequence[int]) -> dict[Place, list[_Sent]]:
    query = (
        select(
            SubmissionMember.enrolment_id,
            Submission.offering_id,
            Submission.id,
            Submission.team_id,
            Submission.attempt,
            Submission.received_at,
            GradingRun.id,
            GradingRun.state,
            Result.score,
            Result.max_score,
            Result.pending_score,
        )
        .join(Submission, SubmissionMember.submission_id == Submission.id)
        .join(GradingRun, GradingRun.submission_id == Submission.id)
        .outerjoin(Result, Result.run_id == GradingRun.id)
        .where(SubmissionMember.enrolment_id.in_(enrolment_ids), MAY_SPEAK)
        .order_by(Submission.id, SubmissionMember.enrolment_id, *SPEAKS_FIRST)
    )
    places: dict[Place, list[_Sent]] = {}
    for _, rows in groupby(session.execute(query), key=lambda row: (row[2], row[0])):
        enrolment, offering, *facts, score, most, pending = next(rows)
        graded = None if score is None else PointsByTests.of(score, most, pending)
        places.setdefault((enrolment, offering), []).append(_Sent._make((*facts, graded)))
    return places


def _marks(session: Session, enrolment_ids: Sequence[int]) -> dict[Place, dict[str, Decimal]]:
    query = (
        select(
            ManualMark.enrolment_id, ManualMark.offering_id, ManualMark.item_id, ManualMark.points
        )
        .where(ManualMark.enrolment_id.in_(enrolment_ids))
        .order_by(ManualMark.id)
    )
    marks: dict[Place, dict[str, Decimal]] = {}
    for enrolment, offering, item, points in session.execute(query):
        marks.setdefault((enrolment, offering), {})[item] = points
    return marks


def _add_items(
    session: Session, true: dict[Place, dict[str, Any]], kept: dict[Place, dict[str, Any]]
) -> None:
    """Add the points by item: a run has one report for ever, so those of the same run stay.

    Of one run there are as many standings as its team had people.
    """
    unread: dict[str, list[dict[str, Any]]] = {}
    for place, facts in true.items():
        before = kept.get(place)
        if before is not None and before["run_id"] == facts["run_id"]:
            facts["items"] = before["items"]
        elif facts["run_id"] is not None:
            unread.setdefault(facts["run_id"], []).append(facts)
    query = select(Result.run_id, Result.report).where(Result.run_id.in_(unread))
    for run_id, report in session.execute(query):
        parts = Report.model_validate_json(report).parts
        items = [item for part in parts for item in part.items]
        scores = {item.id: [item.score, item.max_score] for item in items if item.score is not None}
        for facts in unread[run_id]:
            facts["items"] = scores


def _write(
    session: Session, kept: dict[Place, dict[str, Any]], true: dict[Place, dict[str, Any]]
) -> list[StandingDifference]:
    found = []
    for place in sorted({*kept, *true}):
        before, after = kept.get(place), true.get(place)
        if before == after:
            continue
        here = (StudentStanding.enrolment_id == place[0], StudentStanding.offering_id == place[1])
        columns: tuple[str, ...] = ()
        if after is None:
            session.execute(delete(StudentStanding).where(*here))
        elif before is None:
            session.execute(insert(StudentStanding).values(**after))
        else:
            columns = tuple(name for name in after if before[name] != after[name])
            session.execute(
                update(StudentStanding).where(*here).values({name: after[name] for name in columns})
            )
        found.append(StandingDifference(*place, columns))
    return found
