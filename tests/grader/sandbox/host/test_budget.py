"""CPU and wall allowances, on clocks that the test winds."""

import pytest

from grader.report.diagnosis import Cause
from grader.sandbox.host import clock
from grader.sandbox.host.budget import Budget
from grader.sandbox.host.failures import StudentTimeout


@pytest.fixture
def clocks(monkeypatch):
    """Return [CPU seconds, wall seconds], which the test sets."""
    times = [100.0, 5000.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: times[1])
    monkeypatch.setattr(clock, "_last", times[1])
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
