"""Makes the engine owe a delivery of every open run, whatever has been lost in between.

Three things can go missing: a run's job (the engine's tables restored from an older copy, a job
that ended without its run), the worker that took a job, and the worker's own memory of it. Each
is mended from the portal's tables, at a worker's start and every minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import CursorResult, Engine, delete, select
from sqlalchemy.orm import Session

from portal.platform.db import read_session, write_session
from portal.platform.engine import Job, JobEngine
from portal.runs import service
from portal.runs.models import OPEN_STATES, GradingRun, Heartbeat, RunState


@dataclass(frozen=True)
class Mended:
    """What one pass put right."""

    enqueued: tuple[str, ...] = ()  # runs that had no job
    resumed: tuple[str, ...] = ()  # runs whose worker was lost


@dataclass(frozen=True)
class _Seen:
    run_id: str
    state: RunState
    fence: int


def reconcile(
    database: Engine, jobs: JobEngine, *, now: datetime, lease: timedelta = service.LEASE
) -> Mended:
    """Enqueue open runs without a job and resume jobs of lost workers."""
    # The runs are read before the jobs: a job that ends in between belongs to a run that has
    # ended too, which `_enqueue_again` sees.
    with read_session(database) as session:
        runs = _open_runs(session)
    owed = jobs.pending_of()
    with_job = {job.run_id for job in owed}
    return Mended(
        enqueued=_enqueue_again(database, jobs, [r for r in runs if r.run_id not in with_job]),
        resumed=_resume_lost(database, jobs, owed, now - lease),
    )


def _open_runs(session: Session) -> list[_Seen]:
    rows = session.execute(
        select(GradingRun.id, GradingRun.state, GradingRun.fence).where(
            GradingRun.state.in_(OPEN_STATES)
        )
    )
    return [_Seen(*row) for row in rows]


def _enqueue_again(database: Engine, jobs: JobEngine, runs: list[_Seen]) -> tuple[str, ...]:
    if not runs:
        return ()
    mended = []
    with write_session(database) as session:
        for seen in runs:
            run = session.get(GradingRun, seen.run_id, with_for_update=True)
            if run is None or (run.state, run.fence) != (seen.state, seen.fence):
                continue
            if run.state is RunState.RUNNING:
                service.release(session, run.id, run.fence)
            jobs.enqueue_in(session, run.id, run.queue, run.priority)
            mended.append(run.id)
    return tuple(mended)


def _resume_lost(
    database: Engine, jobs: JobEngine, owed: list[Job], since: datetime
) -> tuple[str, ...]:
    with read_session(database) as session:
        alive = service.living(session, since)
    lost = [job for job in owed if job.executor is not None and job.executor not in alive]
    if not lost:
        return ()
    mine = _bury(database, {cast(str, job.executor) for job in lost}, since)
    resumed = [job for job in lost if job.executor in mine]
    jobs.resume(resumed)
    return tuple(job.run_id for job in resumed)


def _bury(database: Engine, executors: set[str], since: datetime) -> set[str]:
    """Return the lost workers this process is to look after.

    Of several watchers one deletes the old sign of life; that one resumes the jobs. A worker
    that never left a sign, or whose row is gone since an earlier, interrupted pass, has no such
    lease: its jobs may be resumed twice, which the claim's fence makes harmless.
    """
    with write_session(database) as session:
        mine = set()
        for executor in executors:
            row = session.get(Heartbeat, executor)
            if row is None:
                mine.add(executor)
                continue
            old = delete(Heartbeat).where(Heartbeat.executor == executor, Heartbeat.at <= since)
            if cast("CursorResult[object]", session.execute(old)).rowcount:
                mine.add(executor)
    return mine
