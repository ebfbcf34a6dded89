"""A worker that is killed in the middle of a re-run: another makes it, and it is written once."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.reruns import Ring

from grader.api import Verdict
from portal.competition.models import RerunState

PROGRAM = Path(__file__).parent / "programs" / "rerun_worker.py"
PATIENCE = 400

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def database_url(each_database_url):
    """The address of a database with every table, of each kind."""
    return each_database_url


@pytest.fixture
def gate(tmp_path):
    """A FIFO that every re-run waits at until the test opens it."""
    place = tmp_path / "gate"
    os.mkfifo(place)
    return place


@pytest.fixture
def ring(site, tmp_path):
    """A competition that is over, with two finals queued."""
    ring = Ring(site, tmp_path)
    ring.enter("ada", ring.honest())
    ring.enter("bo", ring.honest())
    ring.install()
    ring.end()
    site.make_member("tess", "ta")
    place = f"{ring.staff_address}/{ring.offering_id}/reruns"
    assert site.log_in("tess").post(place, data={"count": "2"}).status_code == 303
    return ring


@contextmanager
def worker(ring, gate):
    config = ring.site.config
    where = [str(config.instance), config.database_url, str(config.home), str(gate)]
    with subprocess.Popen([sys.executable, str(PROGRAM), *where]) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(ring, state, fence):
    """Wait until the first re-run stands so, and return all of them."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        first, second = ring.reruns()
        if first.state is state and first.fence == fence:
            return first, second
        time.sleep(0.05)
    raise AssertionError(f"the first re-run never was {state} under fence {fence}")


def test_what_a_killed_worker_held_is_made_by_the_next_and_written_once(ring, gate):
    with worker(ring, gate):
        first, second = wait_for(ring, RerunState.RUNNING, 1)
        assert second.state is RerunState.QUEUED, "one after another"
    with worker(ring, gate):
        wait_for(ring, RerunState.RUNNING, 2)
        handle = os.open(gate, os.O_WRONLY)  # waits until somebody is there
        gate.unlink()
        os.close(handle)
        first, second = wait_for(ring, RerunState.DONE, 2)
        assert first.verdict is Verdict.HOLDS
        deadline = time.monotonic() + PATIENCE
        while ring.reruns()[1].state is not RerunState.DONE and time.monotonic() < deadline:
            time.sleep(0.05)
    assert [(one.state, one.fence) for one in ring.reruns()] == [
        (RerunState.DONE, 2),
        (RerunState.DONE, 1),
    ]
