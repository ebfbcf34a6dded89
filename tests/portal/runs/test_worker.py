import hashlib
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
from portal.runs.progress import SECONDS_BETWEEN, ProgressWriter
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


def test_progress_is_written_first_last_and_now_and_then(course):
    run_id = course.run()
    with write_session(course.engine) as session:
        held = claim(session, run_id, executor="w", now=NOON)
    ticks = iter([0.0, 0.1, SECONDS_BETWEEN, SECONDS_BETWEEN + 0.1, SECONDS_BETWEEN + 0.2])
    writer = ProgressWriter(course.engine, held, clock=lambda: next(ticks))
    for done in range(5):
        writer(GradingProgress(done, 4))
    with read_session(course.engine) as session:
        rows = session.scalars(
            select(Event.data).where(Event.kind == EventKind.PROGRESS).order_by(Event.id)
        )
        assert list(rows) == [f'{{"done": {done}, "total": 4}}' for done in (0, 2, 4)]


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
