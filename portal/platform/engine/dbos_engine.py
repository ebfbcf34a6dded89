"""DBOS Transact behind the port: durable queues in the portal's own database.

What is particular to DBOS, and why this adapter does what it does:

- Its tables live in the portal's database (on PostgreSQL in the schema ``dbos``), so a job is
  written in the transaction that writes the run. It still has connections of its own: it sets up
  SQLite differently and must not find the portal's lock in its way.
- The portal's processes use `DBOSClient` alone; a process that launches DBOS takes jobs.
- Its default serialiser is pickle. Ours is JSON, and a job carries one run id.
- It dequeues only jobs of its own application version, which defaults to a hash of the code: a
  deployment would strand every waiting job. The version is pinned.
- Priority 0, its default, is the soonest; ours starts at 1.
- It never notices a dead host, and resuming a job resets its count of attempts. Heartbeats and
  attempts are therefore kept in our tables (`portal.runs`).
- A job has no steps. It is delivered at least once as a whole, and the claim inside it is not
  checkpointed: a recovered job must claim anew, under a new fence.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from dbos import (
    DBOS,
    DBOSClient,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    EnqueueOptions,
    WorkflowSerializationFormat,
    WorkflowStatus,
)
from sqlalchemy.orm import Session

from portal.platform.engine.port import GPU_QUEUE, Deliver, Job, QueueStats, WorkerOptions

APPLICATION = "proctor-portal"
VERSION = "1"  # of the job's shape: raised only when old jobs can no longer be read
WORKFLOW = "grade"
LIVE = ["ENQUEUED", "PENDING", "DELAYED"]
TAKEN = "PENDING"
_JSON = WorkflowSerializationFormat.PORTABLE
_LOOK_SECONDS = 1.0

logger = logging.getLogger(__name__)


def prepare(database_url: str) -> None:
    """Create or migrate the engine's tables. Safe to call again, by several processes too."""
    _quiet()
    DBOS.migrate(database_url)


@dataclass(frozen=True)
class DbosEngine:
    """The port's six methods over one database that `prepare` has seen."""

    database_url: str
    client: DBOSClient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _quiet()
        client = DBOSClient(
            system_database_url=self.database_url,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )
        object.__setattr__(self, "client", client)

    def close(self) -> None:
        """Give back the engine's connections."""
        self.client.destroy()

    def enqueue_in(self, session: Session, run_id: str, queue: str, priority: int) -> None:
        """Write a job for `run_id` in the caller's transaction, under an id not used before."""
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": queue,
            "workflow_id": f"{run_id}.{self._used(run_id)}",
            "priority": max(1, priority),
            "app_version": VERSION,
            "serialization_type": _JSON,
        }
        self.client.enqueue_in_transaction(session.connection(), options, run_id)

    def cancel(self, run_ids: Iterable[str]) -> None:
        """Cancel what is still owed to these runs."""
        jobs = self.pending_of(run_ids)
        if jobs:
            self.client.cancel_workflows([job.id for job in jobs])

    def pending_of(self, run_ids: Iterable[str] | None = None) -> list[Job]:
        """Return the jobs that wait or are taken."""
        prefixes = None if run_ids is None else [f"{run_id}." for run_id in run_ids]
        if prefixes == []:
            return []
        return [_job(status) for status in self._list(prefixes, LIVE)]

    def resume(self, jobs: Iterable[Job]) -> None:
        """Put taken jobs back into their queues."""
        by_queue = sorted(jobs, key=lambda job: job.queue)
        for queue, members in groupby(by_queue, key=lambda job: job.queue):
            self.client.resume_workflows([job.id for job in members], queue_name=queue)

    def run_worker(
        self, queues: Iterable[str], deliver: Deliver, options: WorkerOptions, stop: threading.Event
    ) -> None:
        """Launch DBOS in this process, once in its life, and take jobs until `stop` is set."""

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None, serialization_type=_JSON)
        def grade(run_id: str) -> None:
            deliver(run_id)

        names = sorted(set(queues))
        DBOS(config=self._config(options))
        DBOS.listen_queues(names)
        DBOS.launch()
        try:
            for name in names:
                DBOS.register_queue(
                    name,
                    worker_concurrency=_concurrency(name, options),
                    polling_interval_sec=options.polling_seconds,
                )
            # In short waits: the kernel may hand a signal to another thread, and what it is to do
            # here is done when this one wakes.
            while not stop.wait(_LOOK_SECONDS):
                pass
        finally:
            DBOS.destroy(
                destroy_registry=True, workflow_completion_timeout_sec=options.drain_seconds
            )

    def stats(self) -> dict[str, QueueStats]:
        """Count waiting and taken jobs by queue."""
        jobs = self.pending_of()
        return {
            queue: QueueStats(
                waiting=sum(1 for job in jobs if job.queue == queue and job.executor is None),
                running=sum(1 for job in jobs if job.queue == queue and job.executor is not None),
            )
            for queue in sorted({job.queue for job in jobs})
        }

    def _used(self, run_id: str) -> int:
        """Count the jobs this run has had; two who see the same count write the same job."""
        return len(self._list([f"{run_id}."], None))

    def _list(self, prefixes: list[str] | None, states: list[str] | None) -> list[WorkflowStatus]:
        return self.client.list_workflows(
            workflow_id_prefix=prefixes,
            status=states,
            name=WORKFLOW,
            load_input=False,
            load_output=False,
        )

    def _config(self, options: WorkerOptions) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "system_database_url": self.database_url,
            "application_version": VERSION,
            "executor_id": options.executor,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
        }


def _concurrency(queue: str, options: WorkerOptions) -> int:
    return max(1, options.gpus) if queue == GPU_QUEUE else options.concurrency


def _job(status: WorkflowStatus) -> Job:
    run_id = status.workflow_id.rpartition(".")[0]
    executor = status.executor_id if status.status == TAKEN else None
    return Job(status.workflow_id, run_id, status.queue_name or "", executor)


def _quiet() -> None:
    """Keep the library's notices out of the portal's log; warnings stay."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
