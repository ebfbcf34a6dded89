"""What the portal asks of a task engine. Six methods, so that another engine can be put in.

The engine only delivers run ids to workers, at least once. Which runs exist, how they stand and
what they earned is kept in the portal's own tables.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

DEFAULT_QUEUE = "cpu"
GPU_QUEUE = "gpu"

Deliver = Callable[[str], None]  # called with a run id; it must not raise


@dataclass(frozen=True)
class Job:
    """One delivery that is still owed."""

    id: str
    run_id: str
    queue: str
    executor: str | None  # the worker that took it, None while it waits


@dataclass(frozen=True)
class QueueStats:
    """How many deliveries of a queue wait and how many are in the hands of workers."""

    waiting: int
    running: int


@dataclass(frozen=True)
class WorkerOptions:
    """How one worker process takes its deliveries."""

    executor: str  # unique among live workers, the same again after a restart
    concurrency: int  # deliveries at a time from each queue
    gpus: int = 1  # deliveries at a time from the queue of GPUs
    polling_seconds: float = 0.25
    drain_seconds: int = 600  # how long a stopping worker waits for what it has begun


class JobEngine(Protocol):
    """A durable queue of run ids."""

    def enqueue_in(self, session: Session, run_id: str, queue: str, priority: int) -> None:
        """Owe a delivery of `run_id`, as part of the caller's transaction.

        A lower `priority` is delivered sooner; 1 is the soonest.
        """

    def cancel(self, run_ids: Iterable[str]) -> None:
        """Forget the deliveries of these runs. Not within a write transaction."""

    def pending_of(self, run_ids: Iterable[str] | None = None) -> list[Job]:
        """Return what is still owed, to these runs or to all."""

    def resume(self, jobs: Iterable[Job]) -> None:
        """Deliver again what a lost worker took. Not within a write transaction."""

    def run_worker(
        self, queues: Iterable[str], deliver: Deliver, options: WorkerOptions, stop: threading.Event
    ) -> None:
        """Deliver from these queues until `stop` is set, then finish what was begun."""

    def stats(self) -> dict[str, QueueStats]:
        """Return the load of every queue that has any."""
