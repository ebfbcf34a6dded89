"""CPU and wall allowances, on clocks that the test winds."""

import os
import subprocess
import sys
import time

import pytest

from grader.errors import SandboxError
from grader.report.diagnosis import Cause
from grader.sandbox.host import clock
from grader.sandbox.host.budget import Budget
from grader.sandbox.host.failures import StudentTimeout
from grader.sandbox.process_tree import ProcessTree


@pytest.fixture
def clocks(monkeypatch):
    """Return [CPU seconds, wall seconds], which the test sets."""
    times = [100.0, 5000.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: times[1])
    monkeypatch.setattr(clock, "_last", times[1])
    monkeypatch.setattr(clock, "_watched", 0.0)  # else sums are rounded by what came before
    monkeypatch.setattr(clock, "_in_line", 0.0)
    monkeypatch.setattr(clock, "_queues", {})
    monkeypatch.setattr(clock, "_owed", 0.0)
    return times


def watch(budget, clocks, seconds):
    """Look at the budget once a second, as who waits for an answer does more often."""
    for _ in range(seconds):
        clocks[1] += 1
        budget.check()


def test_cpu_time_is_counted_from_the_opening(clocks):
    budget = Budget(2, lambda: clocks[0])
    clocks[0] += 2
    budget.check()
    assert budget.cpu_used == 2
    clocks[0] += 0.01
    with pytest.raises(StudentTimeout, match="2 s of CPU time") as caught:
        budget.check()
    assert (caught.value.cause, caught.value.allowance) == (None, 2)


def test_code_that_waits_without_computing_is_stopped_and_told_so(clocks):
    budget = Budget(2, lambda: clocks[0])
    watch(budget, clocks, 45)  # a busy machine must not trip it
    clocks[1] += 2
    with pytest.raises(StudentTimeout) as caught:
        budget.check()
    assert caught.value.cause is Cause.WAITED
    assert budget.wall_used == 47


def test_no_allowance_goes_beyond_the_end_of_the_run(clocks):
    budget = Budget(10, lambda: clocks[0], until=clock.seconds() + 5)
    watch(budget, clocks, 5)
    budget.allow(10)
    clocks[1] += 1
    with pytest.raises(StudentTimeout) as caught:
        budget.check()
    assert caught.value.cause is Cause.WAITED


def test_a_new_allowance_counts_from_now(clocks):
    budget = Budget(2, lambda: clocks[0])
    clocks[0] += 1.5
    budget.allow(2)
    clocks[0] += 1.5
    budget.check()
    assert budget.cpu_used == 3


def test_the_largest_part_of_an_allowance_is_told_once(clocks):
    budget = Budget(2, lambda: clocks[0])
    clocks[0] += 0.5
    budget.allow(10)
    clocks[0] += 8
    budget.allow(2)
    clocks[0] += 1
    assert budget.take_share() == pytest.approx(0.8)
    assert budget.take_share() == pytest.approx(0.5)  # of the one that still runs


def test_a_machine_that_was_suspended_is_not_code_that_waits(clocks):
    budget = Budget(2, lambda: clocks[0])
    watch(budget, clocks, 20)
    clocks[1] += 3600
    budget.check()
    watch(budget, clocks, 20)
    assert budget.wall_used == 40 + clock.LONGEST_GAP
    clocks[1] += 3600
    clocks[0] += 2.1  # what is computed counts, whatever the clock says
    with pytest.raises(StudentTimeout, match="2 s of CPU time"):
        budget.check()


class Line:
    """A line before a core, in which threads stand as long as the test says."""

    def __init__(self, *seconds):
        self.seconds = dict(enumerate(seconds))
        clock.follow(self.queued)

    def queued(self):
        return dict(self.seconds)


def test_code_that_stands_in_line_for_a_core_is_not_code_that_waits(clocks):
    line = Line(30.0)
    budget = Budget(2, lambda: clocks[0])
    for _ in range(100):
        line.seconds[0] += 1
        watch(budget, clocks, 1)
    assert budget.wall_used == pytest.approx((1 - clock.QUEUED_SHARE) * 100)


def test_a_wait_that_is_told_when_it_is_over_is_taken_off_then(clocks):
    line = Line(0.0)
    budget = Budget(2, lambda: clocks[0])
    watch(budget, clocks, 10)
    line.seconds[0] += 10
    watch(budget, clocks, 20)
    assert budget.wall_used == 20


def test_who_is_still_stopped_on_a_machine_without_a_turn_is_no_student_that_waits(clocks):
    line = Line(0.0)
    budget = Budget(2, lambda: clocks[0])
    with pytest.raises(SandboxError, match="too busy to grade"):
        for _ in range(200):
            line.seconds[0] += 1
            watch(budget, clocks, 1)


def test_code_that_sleeps_on_a_busy_machine_is_code_that_waits(clocks):
    line = Line(0.0)
    budget = Budget(2, lambda: clocks[0])
    with pytest.raises(StudentTimeout, match="waited without computing"):
        for _ in range(100):
            line.seconds[0] += 0.4  # until it had its turn to look at the clock
            watch(budget, clocks, 1)


def test_many_threads_that_wait_for_a_moment_are_no_line(clocks):
    line = Line(*[0.0] * 1000)
    budget = Budget(2, lambda: clocks[0])
    with pytest.raises(StudentTimeout, match="waited without computing"):
        for _ in range(60):
            line.seconds = {thread: waited + 0.001 for thread, waited in line.seconds.items()}
            watch(budget, clocks, 1)


def test_a_sandbox_that_ends_takes_no_time_back(clocks):
    line = Line(30.0)
    budget = Budget(2, lambda: clocks[0])
    line.seconds = {}
    watch(budget, clocks, 3)
    clock.leave(line.queued)
    watch(budget, clocks, 3)
    assert budget.wall_used == 6


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux: pins processes")
def test_the_kernel_tells_who_stands_in_line():
    """Of two processes that compute on one core each stands in line half of the time."""

    def longest(tree):
        return max(tree.queued_seconds().values())

    core = {min(os.sched_getaffinity(0))}
    program = f"import os\nos.sched_setaffinity(0, {core})\nwhile True: pass"
    spinning = [subprocess.Popen([sys.executable, "-S", "-c", program]) for _ in range(2)]
    sleeping = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    try:
        trees = [ProcessTree([process.pid]) for process in (*spinning, sleeping)]
        deadline = time.monotonic() + 60
        while min(longest(tree) for tree in trees[:2]) < 0.5:
            assert time.monotonic() < deadline, "nobody stood in line"
            time.sleep(0.05)
        idle = longest(trees[2])
    finally:
        for process in (*spinning, sleeping):
            process.kill()
            process.wait()
    assert idle < 30  # its own start, on a machine that is busy
