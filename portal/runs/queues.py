"""Which queue a lab's runs wait in: a lab that asks for a GPU is graded where there is one."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.api import Assignment, gpu_count
from portal.platform.engine import DEFAULT_QUEUE, GPU_QUEUE
from portal.runs.models import GradingRun, RunState

QUEUES = (DEFAULT_QUEUE, GPU_QUEUE)
_PATIENCE = timedelta(minutes=10)


def queue_of(assignment: Assignment) -> str:
    """Return the queue of a lab's runs."""
    return GPU_QUEUE if assignment.gpu else DEFAULT_QUEUE


def queues_here() -> tuple[str, ...]:
    """Return the queues that this machine can work on."""
    return QUEUES if gpu_count() else (DEFAULT_QUEUE,)


def waiting_for_gpu(session: Session, *, now: datetime) -> int:
    """Return how many runs have waited so long for a GPU that there may be no worker with one."""
    waiting = select(func.count()).where(
        GradingRun.queue == GPU_QUEUE,
        GradingRun.state == RunState.QUEUED,
        GradingRun.created_at < now - _PATIENCE,
    )
    return session.scalar(waiting) or 0
