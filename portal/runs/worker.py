"""A worker process: takes ids from the engine, grades runs and books the results.

What else workers do is handed in, as `OtherWork`: the table that holds an id says whose it is.

It may be killed at any instant. What it had taken is delivered again and claimed under a higher
fence, so that every run is booked once; the sandboxes it had started die with it.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Engine

from grader.api import Catalogue, Report, RunStatus, gpu_count
from portal.platform.config import PortalConfig
from portal.platform.db import make_engine, read_session, utc_now, write_session
from portal.platform.engine import DbosEngine, JobEngine, WorkerOptions, prepare
from portal.platform.store import Store
from portal.runs import service
from portal.runs.claims import GRADINGS, OtherWork
from portal.runs.executor import executor_name
from portal.runs.grading import Grade, Graded, engine_grading, load_work, read_order
from portal.runs.progress import ProgressWriter
from portal.runs.queues import queues_here
from portal.runs.reconcile import reconcile
from portal.runs.strength import Strength, strength_here

logger = logging.getLogger(__name__)


def processors() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class WorkerSettings:
    """How a worker goes about it."""

    queues: tuple[str, ...] = field(default_factory=queues_here)
    concurrency: int = field(default_factory=processors)  # gradings at a time
    gpus: int = field(default_factory=gpu_count)  # gradings at a time of labs that ask for one
    heartbeat_seconds: float = 5.0
    reconcile_seconds: float = 60.0
    polling_seconds: float = 0.25
    lease: timedelta = service.LEASE
    drain_seconds: int = 600  # how long a stopping worker finishes what it has begun


@dataclass(frozen=True)
class WorkerParts:
    """What a worker has, for all that it does."""

    config: PortalConfig
    database: Engine
    store: Store
    catalogue: Catalogue
    jobs: JobEngine


class Worker:
    """What a worker does with one id, and between them. Has no loop of its own."""

    def __init__(
        self,
        *,
        executor: str,
        database: Engine,
        store: Store,
        catalogue: Catalogue,
        jobs: JobEngine,
        grade: Grade,
        lease: timedelta = service.LEASE,
        strength: Strength | None = None,
        others: Sequence[OtherWork] = (),
    ) -> None:
        self.executor = executor
        self._database = database
        self._store = store
        self._catalogue = catalogue
        self._jobs = jobs
        self._grade = grade
        self._lease = lease
        self._strength = strength
        self._others = others
        self._busy: set[str] = set()
        self._guard = threading.Lock()

    def deliver(self, run_id: str) -> None:
        """Do a run or other work unless it has ended or goes on. Logs what is wrong; never raises.

        If even the fault cannot be written down, the run stays open without a job and the next
        pass of `tend` delivers it again.
        """
        with self._only_once(run_id) as first:
            if not first:
                return
            try:
                other = self._other(run_id)
                if other is None:
                    self._claim_and_grade(run_id)
                else:
                    other.do(run_id, executor=self.executor, lease=self._lease)
            except Exception:
                logger.exception("run %s could not be booked; it will be delivered again", run_id)

    def beat(self) -> None:
        """Write a sign of life."""
        with write_session(self._database) as session:
            service.beat(
                session,
                executor=self.executor,
                host=socket.gethostname(),
                pid=os.getpid(),
                now=utc_now(),
                strength=self._strength,
            )

    def tend(self) -> None:
        """Have the engine owe what it should."""
        tables = [GRADINGS, *(other.table for other in self._others)]
        mended = reconcile(
            self._database, self._jobs, now=utc_now(), lease=self._lease, tables=tables
        )
        if mended.enqueued or mended.resumed:
            logger.warning("enqueued %s again, resumed %s", mended.enqueued, mended.resumed)

    def retire(self) -> None:
        """Take the sign of life away at a good end, so that nobody waits for the lease."""
        with write_session(self._database) as session:
            service.retire(session, self.executor)

    @contextmanager
    def _only_once(self, run_id: str) -> Iterator[bool]:
        with self._guard:
            first = run_id not in self._busy
            self._busy.add(run_id)
        try:
            yield first
        finally:
            if first:
                with self._guard:
                    self._busy.discard(run_id)

    def _other(self, work_id: str) -> OtherWork | None:
        """Return whose work an id is; None for a grading run."""
        if not self._others:
            return None
        with read_session(self._database) as session:
            return next((one for one in self._others if one.table.holds(session, work_id)), None)

    def _claim_and_grade(self, run_id: str) -> None:
        with write_session(self._database) as session:
            claim = service.claim(
                session, run_id, executor=self.executor, now=utc_now(), lease=self._lease
            )
        if claim is None:
            return
        try:
            graded = self._grade_claimed(claim)
        except Exception as error:
            logger.exception("grading run %s failed", run_id)
            self._fail(claim, f"{type(error).__name__}: {error}")
            return
        if graded.report.status is RunStatus.GRADED and graded.report.score is not None:
            self._book(claim, graded)
        else:
            self._fail(claim, _fault_of(graded.report))

    def _grade_claimed(self, claim: service.Claim) -> Graded:
        with read_session(self._database) as session:
            order = read_order(session, claim.submission_id)
        work = load_work(order, self._catalogue, self._store)
        with ProgressWriter(self._database, claim) as progress:
            return self._grade(work, progress)

    def _book(self, claim: service.Claim, graded: Graded) -> None:
        for data in graded.artifacts.values():
            self._store.put(data)
        with write_session(self._database) as session:
            booked = service.finish(session, claim, graded.report, now=utc_now())
        if not booked:
            logger.warning("run %s was claimed by another worker meanwhile", claim.run_id)

    def _fail(self, claim: service.Claim, fault: str) -> None:
        with write_session(self._database) as session:
            state = service.fail(session, self._jobs, claim, fault=fault, now=utc_now())
        logger.error("run %s: %s; it is now %s", claim.run_id, fault, state)


def run_worker(
    config: PortalConfig,
    settings: WorkerSettings | None = None,
    *,
    grade: Grade | None = None,
    others: Sequence[Callable[[WorkerParts], OtherWork]] = (),
) -> None:
    """Grade until SIGTERM or SIGINT, then finish what was begun and return.

    `others` make what else is to be done. `grade` stands in for the engine's; no setting of an
    installation can do that.
    """
    settings = settings or WorkerSettings()
    prepare(config.database_url)
    database = make_engine(config.database_url)
    jobs = DbosEngine(config.database_url)
    store, catalogue = Store(config.store), Catalogue(config.home)
    parts = WorkerParts(config, database, store, catalogue, jobs)
    with (
        executor_name(config.instance / "executors") as executor,
        nullcontext(grade) if grade else engine_grading(config, settings.concurrency) as grading,
    ):
        worker = Worker(
            executor=executor,
            database=database,
            store=store,
            catalogue=catalogue,
            jobs=jobs,
            grade=grading,
            lease=settings.lease,
            strength=_strength(config.minimum_tier),
            others=[make(parts) for make in others],
        )
        # The sign of life comes before the first job: a job in the hands of an executor without
        # one would look lost to other workers.
        worker.beat()
        worker.tend()
        with _tended(worker, settings):
            jobs.run_worker(
                settings.queues, worker.deliver, _options(executor, settings), _stop_on_signals()
            )
        worker.retire()
    jobs.close()
    database.dispose()


def _strength(demanded: int) -> Strength:
    """Measure this machine, and say loudly if it is weaker than it should be."""
    found = strength_here(demanded)
    if found.warning():
        logger.critical("this machine has %s", found.warning())
    return found


def _options(executor: str, settings: WorkerSettings) -> WorkerOptions:
    return WorkerOptions(
        executor=executor,
        concurrency=settings.concurrency,
        gpus=settings.gpus,
        polling_seconds=settings.polling_seconds,
        drain_seconds=settings.drain_seconds,
    )


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


@contextmanager
def _tended(worker: Worker, settings: WorkerSettings) -> Iterator[None]:
    """Beat and tend in threads of their own, also while the worker drains."""
    ended = threading.Event()
    threads = [
        threading.Thread(target=_repeat, args=(step, every, ended), name=name, daemon=True)
        for name, step, every in (
            ("heartbeat", worker.beat, settings.heartbeat_seconds),
            ("reconciler", worker.tend, settings.reconcile_seconds),
        )
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _repeat(step: Callable[[], None], every: float, ended: threading.Event) -> None:
    while not ended.wait(every):
        try:
            step()
        except Exception:
            logger.exception("%s failed; it will be tried again", step.__name__)


def _fault_of(report: Report) -> str:
    return report.fault or f"the report has the status {report.status.value} and no score"
