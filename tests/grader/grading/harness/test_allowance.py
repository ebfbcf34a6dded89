"""What all tests of a run have together: CPU seconds, waiting, and the time that passes."""

import pytest

from grader.errors import SandboxError
from grader.grading.collected import TestSpec
from grader.grading.harness.allowance import RunAllowance
from grader.lab.manifest import Limits
from grader.report.diagnosis import Cause
from grader.sandbox.host import clock
from grader.sandbox.host.failures import StudentTimeout

TEST = TestSpec(id="test_x.py::a", item="a", title="A", cpu_seconds=10)


class Clocks:
    """A clock to wind, and the CPU seconds of the student's code."""

    def __init__(self):
        self.wall = self.cpu = 0.0

    def pass_by(self, wall, cpu=0.0):
        """Let time pass as who waits sees it: in steps shorter than a gap in the watch."""
        for _ in range(round(wall)):
            self.wall += 1
            clock.seconds()
        self.cpu += cpu


@pytest.fixture
def clocks(monkeypatch):
    clocks = Clocks()
    monkeypatch.setattr(clock.time, "monotonic", lambda: clocks.wall)
    monkeypatch.setattr(clock, "_last", 0.0)
    monkeypatch.setattr(clock, "_queues", {})
    monkeypatch.setattr(clock, "_owed", 0.0)
    return clocks


def allowance(clocks, cpu_seconds=100):
    return RunAllowance(Limits(cpu_seconds=cpu_seconds), {}, lambda: clocks.cpu)


def test_waiting_is_what_passes_beyond_a_busy_machines_share(clocks):
    run = allowance(clocks)
    with run.watching() as idle:
        clocks.pass_by(wall=40, cpu=10)
    assert idle() == run.idle_seconds == pytest.approx(0, abs=0.1)
    with run.watching() as idle:
        clocks.pass_by(wall=60, cpu=10)
    assert idle() == run.idle_seconds == pytest.approx(20, abs=1)


def test_waiting_in_imports_and_tests_ends_a_run(clocks):
    run = allowance(clocks)
    for _ in range(2):
        with run.watching():
            clocks.pass_by(wall=290)
        run.of(TEST, 10)
    with run.watching():
        clocks.pass_by(wall=60)
    with pytest.raises(StudentTimeout) as caught:
        run.of(TEST, 10)
    assert caught.value.cause is Cause.WAITED


def test_a_run_holds_its_worker_no_longer_than_its_limits_say(clocks):
    limits = Limits(cpu_seconds=30)
    assert limits.longest_hold_seconds == 4 * 30 + 600
    run = allowance(clocks, cpu_seconds=30)
    clocks.pass_by(wall=719)
    run.of(TEST, 10)
    clocks.pass_by(wall=2)
    with pytest.raises(StudentTimeout):
        run.of(TEST, 10)


def test_what_passed_in_an_earlier_process_of_the_run_counts(clocks):
    limits = Limits(cpu_seconds=30)
    run = RunAllowance(limits, {}, lambda: clocks.cpu, held_seconds=700)
    run.of(TEST, 10)
    clocks.pass_by(wall=21)
    with pytest.raises(StudentTimeout):
        run.of(TEST, 10)
    run = RunAllowance(limits, {}, lambda: clocks.cpu, idle_seconds=601)
    with pytest.raises(StudentTimeout):
        run.of(TEST, 10)


def test_a_run_that_hardly_got_a_turn_is_a_fault_of_ours(clocks):
    line = {0: 0.0}
    clock.follow(lambda: dict(line))
    run = allowance(clocks)
    with run.watching():
        for _ in range(4000):
            line[0] += 1
            clocks.pass_by(wall=1)
    with pytest.raises(SandboxError, match="grade fewer at once"):
        run.of(TEST, 10)
