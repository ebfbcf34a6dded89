from datetime import UTC, datetime, timedelta

from portal.platform.db import read_session, write_session
from portal.runs import service
from portal.runs.models import GradingRun, Heartbeat, RunState
from portal.runs.reconcile import Mended, reconcile

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOON + service.LEASE + timedelta(seconds=1)


def beat(course, executor, now):
    with write_session(course.engine) as session:
        service.beat(session, executor=executor, host="h", pid=1, now=now)


def claim(course, run_id, executor):
    with write_session(course.engine) as session:
        return service.claim(session, run_id, executor=executor, now=NOON)


def test_nothing_is_done_where_nothing_is_missing(course):
    course.run()
    assert reconcile(course.engine, course.jobs, now=NOON) == Mended()


def test_an_open_run_without_a_job_gets_one(course):
    run_id = course.run()
    course.jobs.owed.clear()
    assert reconcile(course.engine, course.jobs, now=NOON).enqueued == (run_id,)
    assert [job.run_id for job in course.jobs.owed.values()] == [run_id]


def test_a_running_run_without_a_job_goes_back_into_the_queue(course):
    run_id = course.run()
    beat(course, "a", NOON)
    held = claim(course, run_id, "a")
    course.jobs.owed.clear()
    reconcile(course.engine, course.jobs, now=NOON)
    with read_session(course.engine) as session:
        assert session.get_one(GradingRun, run_id).state is RunState.QUEUED
    with write_session(course.engine) as session:
        assert not service.progress(session, held, done=1, total=1, now=NOON)


def test_what_a_lost_worker_took_is_resumed_once(course):
    run_id = course.run()
    beat(course, "a", NOON)
    course.jobs.take("a")
    assert reconcile(course.engine, course.jobs, now=NOON).resumed == ()
    assert reconcile(course.engine, course.jobs, now=LATER).resumed == (run_id,)
    assert reconcile(course.engine, course.jobs, now=LATER).resumed == ()
    with read_session(course.engine) as session:
        assert session.get(Heartbeat, "a") is None


def test_a_worker_that_beats_again_keeps_its_work(course):
    course.run()
    beat(course, "a", NOON)
    course.jobs.take("a")
    beat(course, "a", LATER)
    assert reconcile(course.engine, course.jobs, now=LATER).resumed == ()
