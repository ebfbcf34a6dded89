"""Real servers and workers, killed without warning."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.platform.db import make_engine, read_session, utc_now, write_session
from portal.platform.engine import DbosEngine
from portal.platform.store import Store
from portal.runs import service
from portal.runs.models import GradingRun, Heartbeat, Result, RunState
from portal.submissions.models import Submission

PROGRAMS = Path(__file__).parent / "programs"
KILL9 = Path(__file__).parents[4] / "bench" / "kill9.py"
PATIENCE = 400

pytestmark = pytest.mark.timeout(900)
# What these show is not the database's doing.
one_database = pytest.mark.parametrize(
    "each_database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.nightly)],
    indirect=True,
)


@pytest.fixture(scope="module")
def kill9():
    spec = importlib.util.spec_from_file_location("kill9", KILL9)
    module = importlib.util.module_from_spec(spec)
    sys.modules["kill9"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["kill9"]


@pytest.fixture
def scene(kill9, tmp_path, instance, home, database_url):
    where = [str(instance), database_url, str(home)]
    return kill9.Scene(
        folder=instance,
        database_url=database_url,
        home=home,
        assignment="demo",
        upload=b"def answer():\n    return 42\n",
        filename="answer.py",
        portal=[sys.executable, str(PROGRAMS / "portal_server.py"), *where, "{port}"],
        worker=[
            sys.executable,
            str(PROGRAMS / "grading_worker.py"),
            *where,
            str(tmp_path / "gate"),
        ],
        patience=PATIENCE,
    )


@pytest.fixture
def gate(tmp_path):
    """A FIFO every grading waits at until the test opens it."""
    place = tmp_path / "gate"
    os.mkfifo(place)

    def open_gate():
        handle = os.open(place, os.O_WRONLY)  # waits until somebody is there
        place.unlink()
        os.close(handle)

    return open_gate


@pytest.fixture
def queued(kill9, scene):
    """A database with one queued run and no process yet."""
    engine = make_engine(scene.database_url)
    offering_id = kill9.set_up(engine, scene)
    jobs = DbosEngine(scene.database_url)
    with write_session(engine) as session:
        submission = Submission(
            id="submission",
            enrolment_id=1,
            offering_id=offering_id,
            client_key="key",
            upload_sha256=Store(scene.folder / "store").put(scene.upload),
            filename=scene.filename,
            size=1,
            content_digest="0" * 64,
            intake='{"files": []}',
            attempt=1,
            received_at=utc_now(),
        )
        session.add(submission)
        session.flush()
        service.open_run(
            session,
            jobs,
            submission,
            suite_digest="s",
            base_priority=service.PRIORITY_FRESH,
            now=submission.received_at,
        )
    yield engine
    jobs.close()
    engine.dispose()


def run_of(engine):
    with read_session(engine) as session:
        return session.scalars(select(GradingRun)).one()


def test_kill_9_loses_no_submission_and_books_none_twice(kill9, scene):
    figures = kill9.play(scene)
    assert figures.sound(scene.students), figures
    assert (figures.portal_kills, figures.worker_kills) == (1, 1)


def test_another_worker_takes_over_what_a_killed_one_held(kill9, scene, queued, gate):
    environ = dict(os.environ)
    with kill9.running(scene.worker, environ) as first:
        kill9.wait_for(
            lambda: run_of(queued).state is RunState.RUNNING, PATIENCE, "the first worker"
        )
        holder = run_of(queued).executor
        with kill9.running(scene.worker, environ):
            # The second must hold a name of its own before the first one's is free again.
            kill9.wait_for(
                lambda: len(living(queued)) == 2, PATIENCE, "the second worker's sign of life"
            )
            first.child.kill()
            first.child.wait()
            kill9.wait_for(lambda: run_of(queued).fence == 2, PATIENCE, "the second claim")
            assert run_of(queued).executor != holder
            gate()
            kill9.wait_for(lambda: run_of(queued).state is RunState.GRADED, PATIENCE, "the result")
    assert kill9.count(queued, Result) == 1


@one_database
@pytest.mark.parametrize("elsewhere", [{}, {"SIGNALS_ELSEWHERE": "1"}], ids=["main", "elsewhere"])
def test_a_stopping_worker_finishes_what_it_has_begun(kill9, scene, queued, gate, elsewhere):
    """Also where the kernel hands the signal to another thread than that which waits for it."""
    process = kill9.Process(scene.worker, {**os.environ, **elsewhere})
    try:
        kill9.wait_for(lambda: run_of(queued).state is RunState.RUNNING, PATIENCE, "the worker")
        process.child.terminate()
        gate()
        assert process.child.wait(PATIENCE) == 0
    finally:
        process.stop()
    assert run_of(queued).state is RunState.GRADED
    assert living(queued) == set(), "a worker that ended well leaves no sign of life"


@one_database
def test_the_live_stream_follows_a_run_and_survives_a_restart(kill9, scene, gate):
    engine = make_engine(scene.database_url)
    offering_id = kill9.set_up(engine, scene)
    port = kill9.free_port()
    command = [part.replace("{port}", str(port)) for part in scene.portal]
    environ = dict(os.environ)
    with kill9.running(command, environ, whole_group=True) as portal:
        kill9.wait_for(lambda: kill9.answers(port), PATIENCE, "the portal")
        browser = kill9.Browser(f"http://127.0.0.1:{port}")
        browser.log_in("student0")
        submission = browser.upload(offering_id, "one-key-1", scene.filename, scene.upload)
        with browser.open(f"/submissions/{submission}/events") as stream:
            number, waiting = next_status(stream)
            assert (waiting["state"], waiting["position"]) == ("queued", 1)
        portal.kill_and_restart()
        kill9.wait_for(lambda: kill9.answers(port), PATIENCE, "the portal again")
        seen = {"Last-Event-ID": str(number)}
        with (
            browser.open(f"/submissions/{submission}/events", seen) as stream,
            kill9.running(scene.worker, environ),
        ):
            later, started = next_status(stream)
            assert started["state"] == "running"
            assert later > number
            gate()
            states = [started]
            while not states[-1]["final"]:
                states.append(next_status(stream)[1])
            assert states[-1]["state"] == "graded"
            assert stream.read().strip() == b"", "the stream ends with the run"
    engine.dispose()


def next_status(stream):
    """Read on to the next status; return its event id and what it says."""
    number = None
    for line in stream:
        text = line.decode().strip()
        if text.startswith("id: "):
            number = int(text[4:])
        elif text.startswith("data: "):
            return number, json.loads(text[6:])
    raise AssertionError("the stream ended early")


def living(engine):
    with read_session(engine) as session:
        return set(session.scalars(select(Heartbeat.executor)))
