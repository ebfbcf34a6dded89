"""Which queue a lab's runs wait in: a lab that asks for a GPU is graded where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import union_all
from sqlalchemy.orm import Session

from grader.api import Assignment, gpu_count
from portal.platform.engine import DEFAULT_QUEUE, GPU_QUEUE
from portal.runs.claims import GRADINGS, WorkTable

QUEUES = (DEFAULT_QUEUE, GPU_QUEUE)
_PATIENCE = timedelta(minutes=10)


def queue_of(assignment: Assignment) -> str:
    """Return the queue of a lab's runs."""
    return GPU_QUEUE if assignment.gpu else DEFAULT_QUEUE


def queues_here() -> tuple[str, ...]:
    """Return the queues that this machine can work on."""
    return QUEUES if gpu_count() else (DEFAULT_QUEUE,)


def waiting_for_gpu(
    session: Session, *, now: datetime, tables: Sequence[WorkTable[Any]] = (GRADINGS,)
) -> int:
    """Return how much of some tables has waited so long for a GPU that no worker may have one."""
    overdue = (table.overdue(GPU_QUEUE, before=now - _PATIENCE) for table in tables)
    return sum(session.scalars(union_all(*overdue)))
