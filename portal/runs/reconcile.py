"""Makes the engine owe a delivery of all open work, whatever has been lost in between.

Three things can go missing: the job of a run, or of other work (the engine's tables restored from
an older copy, a job that ended without its run), the worker that took a job, and the worker's own
memory of it. Each is mended from the portal's tables, at a worker's start and every minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Engine, delete

from portal.platform.db import read_session, write_session
from portal.platform.engine import Job, JobEngine
from portal.runs import service
from portal.runs.claims import GRADINGS, Seen, WorkTable
from portal.runs.models import Heartbeat


@dataclass(frozen=True)
class Mended:
    """What one pass put right."""

    enqueued: tuple[str, ...] = ()  # what had no job
    resumed: tuple[str, ...] = ()  # what lost its worker


def reconcile(
    database: Engine,
    jobs: JobEngine,
    *,
    now: datetime,
    lease: timedelta = service.LEASE,
    tables: Sequence[WorkTable[Any]] = (GRADINGS,),
) -> Mended:
    """Enqueue open work without a job and resume jobs of lost workers."""
    # The rows are read before the jobs: a job that ends in between belongs to a row that has
    # ended too, which `_enqueue_again` sees.
    with read_session(database) as session:
        due = [(table, row) for table in tables for row in table.owed(session)]
    owed = jobs.pending_of()
    with_job = {job.run_id for job in owed}
    return Mended(
        enqueued=_enqueue_again(
            database, jobs, [(table, row) for table, row in due if row.id not in with_job]
        ),
        resumed=_resume_lost(database, jobs, owed, now - lease),
    )


def _enqueue_again(
    database: Engine, jobs: JobEngine, due: Sequence[tuple[WorkTable[Any], Seen]]
) -> tuple[str, ...]:
    if not due:
        return ()
    mended = []
    with write_session(database) as session:
        for table, seen in due:
            row = session.get(table.model, seen.id, with_for_update=True)
            if row is None or (row.state, row.fence) != (seen.state, seen.fence):
                continue
            if row.state is table.running:
                table.release(session, row.id, row.fence)
            jobs.enqueue_in(session, row.id, row.queue, row.priority)
            mended.append(row.id)
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
