"""A check that rounding may spoil passes once it passes, and fails if it never does."""

import pytest

from grader.grading.harness import fixtures
from grader.sandbox.host.failures import StudentCrashed

any_draw = fixtures.any_draw


def check_that_fails(times, error=AssertionError):
    """Return a check that fails so often, each time with its number, and the list of its calls."""
    calls = []

    def check():
        calls.append(None)
        if len(calls) <= times:
            raise error(f"draw {len(calls)}")

    return check, calls


@pytest.mark.parametrize("times", [0, 1, 7])
def test_one_draw_that_agrees_is_enough(any_draw, times):
    check, calls = check_that_fails(times)
    any_draw(check)
    assert len(calls) == times + 1


def test_if_none_agrees_the_first_failure_is_told(any_draw):
    check, calls = check_that_fails(3)
    with pytest.raises(AssertionError, match="draw 1"):
        any_draw(check, draws=3)
    assert len(calls) == 3


def test_what_is_no_disagreement_ends_it_at_once(any_draw):
    check, calls = check_that_fails(1, StudentCrashed)
    with pytest.raises(StudentCrashed):
        any_draw(check)
    assert len(calls) == 1
