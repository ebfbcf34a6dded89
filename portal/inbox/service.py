"""Collecting what waits for somebody of the staff. Nothing is stored: it is read from what is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, literal_column, select
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload

from grader.api import Catalogue, clean_line
from portal.competition.finish import has_ended, result_of
from portal.competition.opening import competition_of
from portal.competition.rerunpage import WaitingReruns, waiting_reruns
from portal.courses.models import Enrolment, Offering, OfferingKind, Term
from portal.platform.db import sought_last
from portal.runs.models import OPEN_STATES, Event, EventKind, GradingRun, Result, RunState
from portal.runs.speaking import MAY_SPEAK
from portal.standings.opinions import opinions_of
from portal.standings.to_mark import to_mark
from portal.submissions.models import LateUpload, Submission

LONG = timedelta(minutes=30)  # in the queue or in grading: longer than a lab's tests may take
MOST = 100  # of each kind on the page


@dataclass(frozen=True)
class FaultGroup:
    """Runs that failed three times through one fault of ours."""

    fault: str
    submissions: tuple[Submission, ...]


@dataclass(frozen=True)
class ToMark:
    """An offering where people have something to mark."""

    offering: Offering
    attempts: int
    first: str  # a submission to begin with


@dataclass(frozen=True)
class Inbox:
    """Everything that waits for the staff of a term."""

    faults: tuple[FaultGroup, ...]
    unjudged: tuple[tuple[Submission, float], ...]  # with the points that are open
    slow: tuple[tuple[Submission, GradingRun], ...]
    slow_reruns: tuple[WaitingReruns, ...]  # by competition
    late: tuple[LateUpload, ...]  # refused, and not accepted since
    to_mark: tuple[ToMark, ...]
    to_settle: tuple[Submission, ...]  # marked by two who are apart
    to_finish: tuple[Offering, ...]  # competitions that are over and have no result yet

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        graded = (self.faults, self.unjudged, self.slow, self.slow_reruns, self.late)
        return not any((*graded, self.to_mark, self.to_settle, self.to_finish))


def inbox(
    session: Session, catalogue: Catalogue, term: Term, *, reader_id: int, now: datetime
) -> Inbox:
    """Return what waits for somebody of a term's staff at `now`, the oldest first."""
    return Inbox(
        faults=_faults(session, term),
        unjudged=_unjudged(session, term),
        slow=_slow(session, term, now),
        slow_reruns=_slow_reruns(session, term, now),
        late=_late(session, term),
        to_mark=_to_mark(session, catalogue, term, reader_id),
        to_settle=_to_settle(session, term),
        to_finish=_to_finish(session, catalogue, term, now),
    )


def _faults(session: Session, term: Term) -> tuple[FaultGroup, ...]:
    query = _newest_runs(term).where(GradingRun.state == RunState.NEEDS_HUMAN)
    runs = session.scalars(query.limit(MOST)).all()
    said = _said(session, [run.id for run in runs])
    groups: dict[str, list[Submission]] = {}
    for run in runs:
        groups.setdefault(said.get(run.id, ""), []).append(run.submission)
    found = [FaultGroup(fault, tuple(submissions)) for fault, submissions in groups.items()]
    return tuple(sorted(found, key=lambda group: -len(group.submissions)))


def _said(session: Session, run_ids: Sequence[str]) -> dict[str, str]:
    """Return the last line of each run's last fault."""
    events = session.scalars(
        select(Event)
        .where(Event.run_id.in_(run_ids), Event.kind == EventKind.NEEDS_HUMAN)
        .order_by(Event.id)
    )
    faults = {event.run_id: str(json.loads(event.data).get("fault", "")) for event in events}
    return {
        run: clean_line((text.strip().splitlines() or [""])[-1], 200)
        for run, text in faults.items()
    }


def _unjudged(session: Session, term: Term) -> tuple[tuple[Submission, float], ...]:
    # The number stands in the text, as in the index that holds these few results alone.
    unjudged = select(Result.run_id).where(Result.pending_score > literal_column("0"))
    query = (
        _newest_runs(term)
        .join(Result, Result.run_id == GradingRun.id)
        .where(GradingRun.id.in_(unjudged))
        .add_columns(Result.pending_score)
        .limit(MOST)
    )
    return tuple((run.submission, open_points) for run, open_points in session.execute(query))


def _slow(session: Session, term: Term, now: datetime) -> tuple[tuple[Submission, GradingRun], ...]:
    query = _newest_runs(term).where(
        GradingRun.state.in_(OPEN_STATES), GradingRun.created_at < now - LONG
    )
    return tuple((run.submission, run) for run in session.scalars(query.limit(MOST)))


def _slow_reruns(session: Session, term: Term, now: datetime) -> tuple[WaitingReruns, ...]:
    ranked = (one for one in term.offerings if one.kind is OfferingKind.COMPETITION)
    found = (waiting_reruns(session, one, before=now - LONG) for one in ranked)
    return tuple(one for one in found if one is not None)


def _late(session: Session, term: Term) -> tuple[LateUpload, ...]:
    accepted = select(Submission.id).where(
        Submission.enrolment_id == LateUpload.enrolment_id,
        Submission.offering_id == LateUpload.offering_id,
        Submission.client_key == "late-" + LateUpload.id,
    )
    query = (
        select(LateUpload)
        .join(LateUpload.offering)
        .where(Offering.term_id == term.id, ~accepted.exists())
        .options(
            joinedload(LateUpload.offering),
            joinedload(LateUpload.enrolment).joinedload(Enrolment.user),
        )
        .order_by(LateUpload.received_at)
        .limit(MOST)
    )
    return tuple(session.scalars(query))


def _to_settle(session: Session, term: Term) -> tuple[Submission, ...]:
    apart = {
        opinions.given[0].submission_id: None
        for offering in term.offerings
        if offering.wants_two_marks
        for items in opinions_of(session, offering.id).values()
        for opinions in items.values()
        if opinions.apart
    }
    return tuple(session.get_one(Submission, one) for one in list(apart)[:MOST])


def _to_mark(
    session: Session, catalogue: Catalogue, term: Term, reader_id: int
) -> tuple[ToMark, ...]:
    found = []
    for offering in term.offerings:
        waiting = to_mark(session, catalogue, offering, reader_id)
        if waiting:
            found.append(ToMark(offering, len(waiting), waiting[0].submission_id))
    return tuple(found)


def _to_finish(
    session: Session, catalogue: Catalogue, term: Term, now: datetime
) -> tuple[Offering, ...]:
    return tuple(
        offering
        for offering in term.offerings
        if (competition := competition_of(catalogue, offering)) is not None
        and offering.published
        and has_ended(session, competition, now)
        and result_of(session, offering.id) is None
    )


def _newest_runs(term: Term) -> Select[GradingRun]:
    """Select each submission's newest run that may speak, the oldest first, with whose it is."""
    later = aliased(GradingRun)
    newer = select(later.id).where(
        later.submission_id == GradingRun.submission_id,
        later.created_at > GradingRun.created_at,
        later.speaks,
    )
    mine = [offering.id for offering in term.offerings]
    return (
        select(GradingRun)
        .join(GradingRun.submission)
        .join(Submission.offering)
        .join(Submission.enrolment)
        .join(Enrolment.user)
        .where(sought_last(Submission.offering_id).in_(mine), MAY_SPEAK, ~newer.exists())
        .options(
            contains_eager(GradingRun.submission).contains_eager(Submission.offering),
            contains_eager(GradingRun.submission)
            .contains_eager(Submission.enrolment)
            .contains_eager(Enrolment.user),
        )
        .order_by(GradingRun.created_at, GradingRun.id)
    )
