import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from grader.errors import GradingError
from grader.grading import GradingProgress
from grader.report import Report
from portal.platform.db import read_session, write_session
from portal.platform.errors import WriteTimeout
from portal.platform.store import Store
from portal.runs.models import Event, EventKind, GradingRun, Result, RunState
from portal.runs.progress import ProgressWriter
from portal.runs.service import claim
from portal.runs.worker import Worker

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PICTURE = b"\x89PNG a curve"


@dataclass
class Graded:
    report: Report
    artifacts: dict[str, bytes] = field(default_factory=dict)


@pytest.fixture
def worker(course, tmp_path):
    """A worker whose `outcome` the test sets; it needs neither a lab nor an upload."""

    class Hand(Worker):
        outcome: object = None

        def _grade_claimed(self, claim):
            if isinstance(self.outcome, Exception):
                raise self.outcome
            return self.outcome

    return Hand(
        executor="w",
        database=course.engine,
        store=Store(tmp_path / "store"),
        catalogue=None,
        jobs=course.jobs,
        grade=None,
    )


@pytest.fixture(autouse=True)
def store_folder(tmp_path):
    (tmp_path / "store").mkdir()


def state_of(course, run_id):
    with read_session(course.engine) as session:
        return session.get_one(GradingRun, run_id).state


def test_a_delivered_run_is_booked_with_its_pictures(course, worker, new_report, tmp_path):
    digest = hashlib.sha256(PICTURE).hexdigest()
    worker.outcome = Graded(new_report(3.0), {digest: PICTURE})
    run_id = course.run()
    worker.deliver(run_id)
    assert state_of(course, run_id) is RunState.GRADED
    assert Store(tmp_path / "store").get(digest) == PICTURE


def test_a_run_that_has_ended_is_not_graded_again(course, worker, new_report):
    worker.outcome = Graded(new_report(3.0))
    run_id = course.run()
    worker.deliver(run_id)
    worker.outcome = Graded(new_report(0.0))
    worker.deliver(run_id)
    with read_session(course.engine) as session:
        assert [result.score for result in session.scalars(select(Result))] == [3.0]


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(GradingError("no sandbox"), id="grading raised"),
        pytest.param(OSError("disk full"), id="something else raised"),
        pytest.param(None, id="the report is a grader error"),
    ],
)
def test_a_fault_is_never_a_score(course, worker, new_report, outcome):
    worker.outcome = outcome or Graded(new_report(None))
    run_id = course.run()
    for expected in (RunState.QUEUED, RunState.QUEUED, RunState.NEEDS_HUMAN):
        worker.deliver(run_id)
        assert state_of(course, run_id) is expected
    with read_session(course.engine) as session:
        assert session.scalars(select(Result)).all() == []


def test_if_not_even_the_fault_can_be_written_the_run_is_delivered_again(
    course, worker, new_report, monkeypatch
):
    run_id = course.run()
    job = course.jobs.take("w")
    worker.outcome = Graded(new_report())
    with monkeypatch.context() as broken:
        broken.setattr("portal.runs.service.finish", _raise)
        worker.deliver(run_id)  # does not raise
    course.jobs.end(job)
    assert state_of(course, run_id) is RunState.RUNNING
    worker.tend()
    assert state_of(course, run_id) is RunState.QUEUED
    worker.deliver(run_id)
    assert state_of(course, run_id) is RunState.GRADED


@pytest.fixture
def held(course):
    run_id = course.run()
    with write_session(course.engine) as session:
        return claim(session, run_id, executor="w", now=NOON)


def told(course):
    """Return which step each progress in the event table says is reached."""
    with read_session(course.engine) as session:
        rows = session.scalars(
            select(Event.data).where(Event.kind == EventKind.PROGRESS).order_by(Event.id)
        )
        return [json.loads(row)["done"] for row in rows]


def test_the_end_of_a_test_is_told_by_the_clock_and_not_by_the_test(course, held):
    writer = ProgressWriter(course.engine, held)
    for done in range(41):
        writer(GradingProgress(done, 40, done / 40))
    assert told(course) == [0], "only the beginning, before any code has run"


def test_progress_is_told_in_quarters_of_the_time_that_tests_may_take(course, held):
    writer = ProgressWriter(course.engine, held)
    for done, share in enumerate((0.0, 0.1, 0.2, 0.26, 0.4, 0.8, 0.9, 1.0)):
        writer(GradingProgress(done, 7, share))
        writer.tell()
    assert told(course) == [0, 1, 3], "the end is the result's to tell"


def test_progress_is_told_again_and_again_while_a_run_goes_on(course, held):
    with ProgressWriter(course.engine, held, seconds=0.01) as writer:
        writer(GradingProgress(0, 4, 0.0))
        writer(GradingProgress(2, 4, 0.5))
        deadline = time.monotonic() + 30
        while told(course) != [0, 2] and time.monotonic() < deadline:
            writer(GradingProgress(2, 4, 0.5))
    assert told(course) == [0, 2]
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_progress_that_cannot_be_written_does_not_stop_the_grading(course, monkeypatch):
    run_id = course.run()
    with write_session(course.engine) as session:
        held = claim(session, run_id, executor="w", now=NOON)
    course.engine.dispose()
    monkeypatch.setattr("portal.runs.progress.write_session", _refuse)
    ProgressWriter(course.engine, held)(GradingProgress(1, 2))


def _raise(*_args, **_options):
    raise RuntimeError("the database is gone")


def _refuse(_engine):
    raise WriteTimeout("busy")
