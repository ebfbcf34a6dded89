"""The state machine of a grading run. Every change is one compare-and-set in one transaction.

`claims.py` has what it shares with other work that is delivered.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.api import Report
from portal.courses.models import AttemptPolicy, Enrolment, Offering
from portal.platform.engine import DEFAULT_QUEUE, JobEngine
from portal.runs.claims import GRADINGS
from portal.runs.models import (
    FRESH,
    OPEN_STATES,
    Event,
    EventKind,
    GradingRun,
    Heartbeat,
    Result,
    RunState,
)
from portal.runs.speaking import MAY_SPEAK
from portal.runs.strength import Strength
from portal.runs.tests import add_tests
from portal.submissions.members import sent_by, sent_by_no_other
from portal.submissions.models import Submission

MAX_FAULTS = 3  # the third fault of ours calls for a person
MAX_CLAIMS = 10  # a run that takes its worker down each time must not do so for ever
LEASE = timedelta(seconds=30)  # a worker silent for longer is lost
PRIORITY_STAFF = 500_000
PRIORITY_FRESH = 1_000_000
PRIORITY_REGRADE = 2_000_000
PRIORITY_TRIAL = 3_000_000  # nobody waits for it


@dataclass(frozen=True)
class Claim:
    """The right to grade a run, until somebody claims it with a higher fence."""

    run_id: str
    fence: int
    submission_id: str


def open_run(
    session: Session,
    jobs: JobEngine,
    submission: Submission,
    *,
    suite_digest: str,
    base_priority: int,
    now: datetime,
    queue: str = DEFAULT_QUEUE,
    reason_key: str = FRESH,
    speaks: bool = True,
) -> GradingRun:
    """Add a queued run of a submission, its first event and its engine job to the transaction.

    Runs of people with many open runs come later: the priority grows with their number, those that
    do not speak left out.
    """
    run = GradingRun(
        id=str(uuid.uuid4()),
        submission_id=submission.id,
        suite_digest=suite_digest,
        reason_key=reason_key,
        queue=queue,
        priority=base_priority + _open_runs_of_user(session, submission.enrolment_id),
        state=RunState.QUEUED,
        fence=0,
        attempts=0,
        created_at=now,
        speaks=speaks,
    )
    session.add(run)
    session.flush()
    _record(session, run.id, EventKind.QUEUED, now)
    jobs.enqueue_in(session, run.id, run.queue, run.priority)
    return run


def supersede(
    session: Session, members: Collection[int], offering: Offering, *, now: datetime
) -> list[str]:
    """Take queued runs out where only the last upload counts; return their ids.

    Those of what `members`, who send the next one together, sent: all of them or some, but nobody
    else with them, who would lose the attempt. Where the best one counts, each upload may be the
    best and all of them are graded.
    """
    if offering.policy is not AttemptPolicy.LAST:
        return []
    queued = (
        select(GradingRun.id)
        .join(Submission)
        .where(
            sent_by(members, offering.id),
            sent_by_no_other(members),
            GradingRun.state == RunState.QUEUED,
            GradingRun.reason_key == FRESH,
        )
    )
    return give_up(session, session.scalars(queued).all(), now=now)


def give_up(session: Session, run_ids: Iterable[str], *, now: datetime) -> list[str]:
    """Take those of some runs that are still queued out of the queue; return their ids.

    The caller cancels their jobs once this is committed.
    """
    given_up = []
    for run_id in run_ids:
        if GRADINGS.move(session, run_id, {"state": RunState.SUPERSEDED}, state=RunState.QUEUED):
            _record(session, run_id, EventKind.SUPERSEDED, now)
            given_up.append(run_id)
    return given_up


def claim(
    session: Session, run_id: str, *, executor: str, now: datetime, lease: timedelta = LEASE
) -> Claim | None:
    """Take a run for grading, under a fence higher than any before.

    Returns None if there is nothing to do: the run has ended, or another worker that shows signs
    of life has it. A run whose claims have used up `MAX_CLAIMS` goes to a person instead.
    """
    run = GRADINGS.free(session, run_id, executor=executor, since=now - lease)
    if run is None:
        return None
    if run.fence >= MAX_CLAIMS:
        _to_person(session, run, f"{run.fence} workers took it and none finished", now)
        return None
    fence = GRADINGS.take(session, run, executor=executor)
    if fence is None:
        return None
    _record(session, run_id, EventKind.STARTED, now)
    return Claim(run_id, fence, run.submission_id)


def progress(session: Session, claim: Claim, *, done: int, total: int, now: datetime) -> bool:
    """Record that step `done` of `total` is reached; False if the claim is no longer the last."""
    if not _holds(session, claim):
        return False
    _record(session, claim.run_id, EventKind.PROGRESS, now, done=done, total=total)
    return True


def finish(session: Session, claim: Claim, report: Report, *, now: datetime) -> bool:
    """Book a report as the run's only result; False if the claim is no longer the last.

    `report.score` must be a number: what has no score is a fault of ours, for `fail`.
    """
    if report.score is None:
        raise ValueError("a report without a score is not a result; call fail")
    if not _end_claim(session, claim, {"state": RunState.GRADED, "executor": None}):
        return False
    add_result(session, claim.run_id, report, fence=claim.fence, now=now)
    _record(session, claim.run_id, EventKind.GRADED, now)
    return True


def add_result(session: Session, run_id: str, report: Report, *, fence: int, now: datetime) -> None:
    """Write a run's result and the rows of its tests; `report.score` must be a number."""
    environment = report.environment
    session.add(
        Result(
            run_id=run_id,
            fence=fence,
            report=report.model_dump_json(),
            score=report.score,
            max_score=report.max_score,
            pending_score=report.pending_score,
            environment=environment.model_dump_json() if environment else "",
            created_at=now,
        )
    )
    add_tests(session, run_id, report)


def fail(
    session: Session, jobs: JobEngine, claim: Claim, *, fault: str, now: datetime
) -> RunState | None:
    """Note a fault of ours: back into the queue, or to a person the third time.

    Returns the run's new state, None if the claim is no longer the last. Never touches a score.
    """
    run = session.get(GradingRun, claim.run_id, with_for_update=True)
    if run is None:
        return None
    attempts = run.attempts + 1
    state = RunState.QUEUED if attempts < MAX_FAULTS else RunState.NEEDS_HUMAN
    if not _end_claim(session, claim, {"state": state, "attempts": attempts, "executor": None}):
        return None
    if state is RunState.QUEUED:
        _record(session, run.id, EventKind.FAULT, now, fault=fault)
        jobs.enqueue_in(session, run.id, run.queue, run.priority)
    else:
        _record(session, run.id, EventKind.NEEDS_HUMAN, now, fault=fault)
    return state


def beat(
    session: Session,
    *,
    executor: str,
    host: str,
    pid: int,
    now: datetime,
    strength: Strength | None = None,
) -> None:
    """Write a worker's sign of life, and which sandbox it has."""
    row = session.get(Heartbeat, executor)
    if row is None:
        row = Heartbeat(executor=executor)
        session.add(row)
    row.at, row.host, row.pid = now, host, pid
    row.tier = strength.tier if strength else None
    row.minimum_tier = strength.demanded if strength else None


def retire(session: Session, executor: str) -> None:
    """Remove the sign of life of a worker that ends in good order."""
    row = session.get(Heartbeat, executor)
    if row is not None:
        session.delete(row)


def living(session: Session, since: datetime) -> set[str]:
    """Return the workers that showed a sign of life after `since`."""
    return set(session.scalars(select(Heartbeat.executor).where(Heartbeat.at > since)))


def queue_positions(session: Session, queue: str) -> dict[str, int]:
    """Return the place of every waiting run in a queue, 1 for the next, as the engine orders it."""
    waiting = session.scalars(
        select(GradingRun.id)
        .where(GradingRun.queue == queue, GradingRun.state == RunState.QUEUED)
        .order_by(GradingRun.priority, GradingRun.created_at, GradingRun.id)
    )
    return {run_id: place for place, run_id in enumerate(waiting, start=1)}


def _to_person(session: Session, run: GradingRun, fault: str, now: datetime) -> None:
    values = {"state": RunState.NEEDS_HUMAN, "executor": None}
    if GRADINGS.move(session, run.id, values, state=run.state, fence=run.fence):
        _record(session, run.id, EventKind.NEEDS_HUMAN, now, fault=fault)


def _holds(session: Session, claim: Claim) -> bool:
    run = session.get(GradingRun, claim.run_id, populate_existing=True, with_for_update=True)
    return run is not None and run.state is RunState.RUNNING and run.fence == claim.fence


def _end_claim(session: Session, claim: Claim, values: Mapping[str, Any]) -> bool:
    return GRADINGS.move(session, claim.run_id, values, state=RunState.RUNNING, fence=claim.fence)


def _record(
    session: Session, run_id: str, kind: EventKind, now: datetime, **data: int | str
) -> None:
    session.add(Event(run_id=run_id, kind=kind, data=json.dumps(data), at=now))


def _open_runs_of_user(session: Session, enrolment_id: int) -> int:
    user_id = select(Enrolment.user_id).where(Enrolment.id == enrolment_id).scalar_subquery()
    open_runs = (
        select(func.count(GradingRun.id))
        .join(Submission)
        .join(Enrolment, Submission.enrolment_id == Enrolment.id)
        .where(Enrolment.user_id == user_id, GradingRun.state.in_(OPEN_STATES), MAY_SPEAK)
    )
    return session.scalar(open_runs) or 0
