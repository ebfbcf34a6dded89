"""Writing standings as the rows that are only ever added have them.

`portal.standings.following` does so in the transaction of whatever changes one. `rebuild` does so
for everybody and tells where it found another standing than was kept; it must find none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.orm import Session, joinedload

from grader.api import Report
from portal.courses.models import Enrolment, Offering
from portal.courses.policy import NOTHING, conditions
from portal.grants.service import granted_to
from portal.platform.db import read_session, write_session
from portal.runs.models import GradingRun, Result
from portal.runs.speaking import SPEAKS_FIRST
from portal.standings.counting import PointsByTests, Tried, stand
from portal.standings.models import ManualMark, Place, StudentStanding
from portal.submissions.models import Submission

BATCH = 100  # students at a time
# Kinds of PostgreSQL's locks by two numbers; the second is an id.
_TERM, _STUDENT = 7001, 7002


@dataclass(frozen=True)
class StandingDifference:
    """A standing that was not as the rows have it."""

    enrolment_id: int
    offering_id: int
    columns: tuple[str, ...]  # that differed; none: there was none, or one too many


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

    A student's labs come in the order of their due dates, and spend late days in it.
    """
    granted = granted_to(session, enrolment_ids)
    tried = _tried(session, enrolment_ids)
    marks = _marks(session, enrolment_ids)
    places = {*tried, *marks}
    offerings = _offerings(session, {offering for _, offering in places})
    spent: Counter[int] = Counter()
    for place in sorted(places, key=lambda one: (offerings[one[1]].due_at, one)):
        offering = offerings[place[1]]
        found = stand(
            place,
            tried.get(place, []),
            marks.get(place, {}),
            policy=offering.policy,
            own=conditions(offering, granted.get(place, NOTHING)),
            late_days=offering.term.bank.available(spent[place[0]]),
        )
        spent[place[0]] += found.days_spent
        yield found


def _offerings(session: Session, ids: Collection[int]) -> dict[int, Offering]:
    query = select(Offering).where(Offering.id.in_(ids)).options(joinedload(Offering.term))
    fresh = query.execution_options(populate_existing=True)
    return {one.id: one for one in session.scalars(fresh)}


def _tried(session: Session, enrolment_ids: Sequence[int]) -> dict[Place, list[Tried]]:
    query = (
        select(
            Submission.enrolment_id,
            Submission.offering_id,
            Submission.id,
            Submission.attempt,
            Submission.received_at,
            GradingRun.id,
            GradingRun.state,
            Result.score,
            Result.max_score,
            Result.pending_score,
        )
        .join(GradingRun, GradingRun.submission_id == Submission.id)
        .outerjoin(Result, Result.run_id == GradingRun.id)
        .where(Submission.enrolment_id.in_(enrolment_ids))
        .order_by(Submission.id, *SPEAKS_FIRST)
    )
    places: dict[Place, list[Tried]] = {}
    for _, rows in groupby(session.execute(query), key=lambda row: row[2]):
        enrolment, offering, submission, attempt, received, run, state, *result = next(rows)
        graded = None if result[0] is None else PointsByTests.of(*result)
        places.setdefault((enrolment, offering), []).append(
            Tried(submission, attempt, received, run, state, graded)
        )
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
    """Add the points by item: a run has one report for ever, so those of the same run stay."""
    unread = {}
    for place, facts in true.items():
        before = kept.get(place)
        if before is not None and before["run_id"] == facts["run_id"]:
            facts["items"] = before["items"]
        elif facts["run_id"] is not None:
            unread[facts["run_id"]] = facts
    query = select(Result.run_id, Result.report).where(Result.run_id.in_(unread))
    for run_id, report in session.execute(query):
        parts = Report.model_validate_json(report).parts
        items = [item for part in parts for item in part.items]
        unread[run_id]["items"] = {
            item.id: [item.score, item.max_score] for item in items if item.score is not None
        }


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
