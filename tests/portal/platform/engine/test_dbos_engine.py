import threading
import time
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from portal.platform.db import make_engine, write_session
from portal.platform.engine import DbosEngine, QueueStats, WorkerOptions, prepare


class Undone(Exception):
    pass


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Have a stopping DBOS look more often than once a second whether its work has ended."""
    clock = SimpleNamespace(time=time.time, sleep=lambda _seconds: time.sleep(0.02))
    monkeypatch.setattr("dbos._dbos.time", clock)


@pytest.fixture
def database(database_url):
    engine = make_engine(database_url, durable=False)
    yield engine
    engine.dispose()


@pytest.fixture
def jobs(database_url, database):
    engine = DbosEngine(database_url)
    yield engine
    engine.close()


def enqueue(database, jobs, *runs):
    with write_session(database) as session:
        for run_id, priority in runs:
            jobs.enqueue_in(session, run_id, "cpu", priority)


def deliver_all(jobs, count, executor="test-0"):
    """Run a worker of one place until it has delivered `count` ids; return them in order."""
    seen, stop = [], threading.Event()

    def deliver(run_id):
        seen.append(run_id)
        if len(seen) == count:
            stop.set()

    jobs.run_worker(
        ["cpu"], deliver, WorkerOptions(executor, 1, polling_seconds=0.02, drain_seconds=5), stop
    )
    return seen


def execute(database, statement):
    """Run a statement on the engine's own tables (`@` stands for their schema)."""
    schema = "" if database.dialect.name == "sqlite" else "dbos."
    with write_session(database) as session:
        outcome = session.execute(sa.text(statement.replace("@", schema)))
        return outcome.all() if outcome.returns_rows else None


def test_a_job_lives_and_dies_with_the_callers_transaction(database, jobs):
    with pytest.raises(Undone), write_session(database) as session:
        jobs.enqueue_in(session, "lost", "cpu", 1)
        raise Undone
    enqueue(database, jobs, ("kept", 1))
    assert [job.run_id for job in jobs.pending_of()] == ["kept"]


def test_jobs_are_delivered_by_priority_and_then_gone(database, jobs):
    enqueue(database, jobs, ("third", 30), ("first", 10), ("second", 20))
    assert jobs.stats() == {"cpu": QueueStats(waiting=3, running=0)}
    assert deliver_all(jobs, 3) == ["first", "second", "third"]
    assert jobs.pending_of() == []


def test_a_run_can_be_delivered_again(database, jobs):
    enqueue(database, jobs, ("run", 1))
    deliver_all(jobs, 1)
    enqueue(database, jobs, ("run", 1))
    assert [job.id for job in jobs.pending_of(["run"])] == ["run.1"]
    assert deliver_all(jobs, 1) == ["run"]


def test_a_cancelled_job_is_not_delivered(database, jobs):
    enqueue(database, jobs, ("out", 1), ("in", 2))
    jobs.cancel(["out"])
    assert deliver_all(jobs, 1) == ["in"]


def test_pending_of_tells_runs_apart_whose_ids_begin_alike(database, jobs):
    enqueue(database, jobs, ("run", 1), ("run2", 1))
    assert [job.run_id for job in jobs.pending_of(["run"])] == ["run"]
    assert jobs.pending_of([]) == []


def test_what_a_dead_worker_took_waits_until_it_is_resumed(database, jobs):
    enqueue(database, jobs, ("run", 7))
    execute(database, "UPDATE @workflow_status SET status = 'PENDING', executor_id = 'dead-0'")
    taken = jobs.pending_of()
    assert [(job.run_id, job.executor) for job in taken] == [("run", "dead-0")]
    jobs.resume(taken)
    assert [(job.queue, job.executor) for job in jobs.pending_of()] == [("cpu", None)]
    assert deliver_all(jobs, 1) == ["run"]


def test_a_restarted_worker_of_the_same_name_gets_its_work_back(database, jobs):
    enqueue(database, jobs, ("run", 7))
    execute(database, "UPDATE @workflow_status SET status = 'PENDING', executor_id = 'test-0'")
    assert deliver_all(jobs, 1, executor="test-0") == ["run"]


def test_a_job_is_json_of_a_pinned_version_and_never_of_priority_zero(database, jobs):
    enqueue(database, jobs, ("run", 0))
    [status] = execute(
        database, "SELECT serialization, application_version, priority FROM @workflow_status"
    )
    assert tuple(status) == ("portable_json", "1", 1)
    [(inputs,)] = execute(database, "SELECT inputs FROM @workflow_input")
    assert inputs == '{"namedArgs":{},"positionalArgs":["run"]}'


def test_preparing_twice_changes_nothing(database_url, database, jobs):
    enqueue(database, jobs, ("run", 1))
    prepare(database_url)
    assert len(jobs.pending_of()) == 1
