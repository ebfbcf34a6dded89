"""Labs that ask for a GPU wait in a queue of their own, and staff hear if nobody serves it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from portal.platform.db import read_session, write_session
from portal.platform.engine import DEFAULT_QUEUE, GPU_QUEUE
from portal.platform.engine.dbos_engine import _concurrency
from portal.platform.engine.port import WorkerOptions
from portal.runs import queues, worker
from portal.runs.models import GradingRun, RunState
from portal.runs.queues import queue_of, queues_here, waiting_for_gpu

from .conftest import NOON

LATER = NOON + timedelta(minutes=11)


def waiting(course, now=LATER):
    with read_session(course.engine) as session:
        return waiting_for_gpu(session, now=now)


def change(course, run_id, **values):
    with write_session(course.engine) as session:
        run = session.get_one(GradingRun, run_id)
        for name, value in values.items():
            setattr(run, name, value)


def test_a_manifest_chooses_the_queue():
    assert queue_of(SimpleNamespace(gpu=True)) == GPU_QUEUE
    assert queue_of(SimpleNamespace(gpu=False)) == DEFAULT_QUEUE


@pytest.mark.parametrize(("gpus", "names"), [(0, ("cpu",)), (2, ("cpu", "gpu"))])
def test_a_worker_serves_what_its_machine_can(monkeypatch, gpus, names):
    monkeypatch.setattr(queues, "gpu_count", lambda: gpus)
    assert queues_here() == names


def test_a_worker_grades_one_run_a_gpu_at_a_time():
    options = worker._options("here-0", worker.WorkerSettings(concurrency=8, gpus=2))
    assert _concurrency(DEFAULT_QUEUE, options) == 8
    assert _concurrency(GPU_QUEUE, options) == 2
    none = WorkerOptions("here-0", 8, gpus=0)
    assert _concurrency(GPU_QUEUE, none) == 1  # asked for by name where no card was found


def test_staff_hear_of_runs_that_wait_long_for_a_gpu(course):
    run_id = course.run()
    assert waiting(course) == 0  # it waits for a processor
    change(course, run_id, queue=GPU_QUEUE)
    assert waiting(course, NOON + timedelta(minutes=9)) == 0
    assert waiting(course) == 1
    change(course, run_id, state=RunState.RUNNING)
    assert waiting(course) == 0


def test_the_option_reaches_the_worker(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "portal.serving.run_worker", lambda config, settings, others: asked.append(settings)
    )
    from portal.serving import work

    work(None, ["gpu"])
    work(None)
    assert asked[0].queues == ("gpu",)
    assert asked[1] is None
