"""The sentence on an outcome helps, and holds nothing that student code could choose."""

import pytest

from grader.report import Outcome
from grader.report.causes import is_fixed, reason_for


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("credit", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("blocked", [False, True])
@pytest.mark.parametrize("limit", [None, 10, 0.5, 86_400])
def test_every_sentence_is_recognised_as_fixed(outcome, credit, blocked, limit):
    memory = None if limit is None else 2048
    sentence = reason_for(
        outcome, credit=credit, blocked=blocked, cpu_seconds=limit, memory_mb=memory
    )
    assert sentence.endswith((".",))
    assert is_fixed(sentence)


def test_a_timeout_names_the_limit_and_where_to_look():
    sentence = reason_for(Outcome.TIMEOUT, cpu_seconds=10)
    assert "(10 s)" in sentence
    assert "loop" in sentence


def test_memory_names_the_limit():
    assert "(2048 MB)" in reason_for(Outcome.MEMORY, memory_mb=2048)


def test_a_blocked_test_points_to_the_one_to_mend_first():
    assert "first" in reason_for(Outcome.MISSING, blocked=True)


def test_a_partial_pass_does_not_read_like_full_marks():
    assert reason_for(Outcome.PASSED, credit=0.5) != reason_for(Outcome.PASSED)


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "Your code raised Label_7.",
        reason_for(Outcome.FAILED) + " 42",
        reason_for(Outcome.TIMEOUT, cpu_seconds=10).replace("10", "secret"),
    ],
)
def test_any_other_sentence_is_not_fixed(sentence: str):
    assert not is_fixed(sentence)
