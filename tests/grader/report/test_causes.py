"""The sentence on a cause helps in both languages, and says nothing but the diagnosis's words."""

import re

import pytest

from grader.report import Outcome
from grader.report.causes import LANGUAGES, PASSED, is_fixed, outcome_diagnosis, sentence
from grader.report.diagnosis import Cause, Diagnosis, tellable

_CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("limit", [None, 10, 0.5, 86_400])
def test_every_outcome_alone_has_a_fixed_sentence(outcome, limit):
    memory = None if limit is None else 2048
    told = outcome_diagnosis(outcome, cpu_seconds=limit, memory_mb=memory)
    assert is_fixed(sentence(told))
    assert sentence(told).endswith(".")


def test_every_cause_is_told_in_both_languages():
    for told in tellable():
        english, chinese = (sentence(told, language) for language in LANGUAGES)
        assert english[0].isupper() and english.endswith("."), english
        assert not _CHINESE.search(english), english
        assert len(_CHINESE.findall(chinese)) > 5 and chinese.endswith(("。", "）")), chinese
        assert "{" not in english + chinese
        assert "  " not in english, english


def test_no_two_diagnoses_read_alike():
    told = list(tellable())
    for language in LANGUAGES:
        assert len({sentence(one, language) for one in told}) == len(told)


def test_a_timeout_names_the_limit_and_where_to_look():
    told = sentence(outcome_diagnosis(Outcome.TIMEOUT, cpu_seconds=10))
    assert "(10 s)" in told
    assert "loop" in told


def test_memory_names_the_limit():
    assert "(2048 MB)" in sentence(outcome_diagnosis(Outcome.MEMORY, memory_mb=2048))


def test_a_partial_pass_does_not_read_like_full_marks():
    assert sentence(outcome_diagnosis(Outcome.PASSED)) != PASSED["en"]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Diagnosis(cause=Cause.DTYPE, expected="float64", got="float32"), ("float64", "float32")),
        (Diagnosis(cause=Cause.KIND, expected="tensor", got="list"), ("torch tensor", "a list")),
        (Diagnosis(cause=Cause.AXES, expected="2", got="1"), ("expected 2", "gave 1")),
        (Diagnosis(cause=Cause.SHAPE, got="0"), ("axis 0",)),
        (Diagnosis(cause=Cause.RAISED, got="TypeError"), ("a TypeError", "arguments")),
        (Diagnosis(cause=Cause.RAISED, got="own"), ("an exception of its own",)),
        (Diagnosis(cause=Cause.NOT_RAISED, expected="ValueError"), ("raise a ValueError",)),
        (Diagnosis(cause=Cause.CHANGED, got="2"), ("argument number 2",)),
        (
            Diagnosis(cause=Cause.FIGURE, said="the error", expected="≤ 0.1", got="0.34"),
            ("the error: about 0.34", "≤ 0.1"),
        ),
        (
            Diagnosis(cause=Cause.FIGURE, said="the error", expected="≤ 0.1", got="≥ 0.60"),
            ("the error: ≥ 0.60",),
        ),
        (Diagnosis(cause=Cause.SAID, said="six arrays, please."), ("found: six arrays, please.",)),
    ],
)
def test_what_a_sentence_says(told, words):
    for word in words:
        assert word in sentence(told)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Your code raised Label_7.",
        sentence(outcome_diagnosis(Outcome.FAILED)) + " 42",
        sentence(outcome_diagnosis(Outcome.TIMEOUT, cpu_seconds=10)).replace("10", "secret"),
        "What the test found: anything.",
    ],
)
def test_any_other_sentence_is_not_fixed(text: str):
    assert not is_fixed(text)
