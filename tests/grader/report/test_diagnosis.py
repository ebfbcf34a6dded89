"""What can be told of a test is a small set, whatever a student's code raises or returns."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from pydantic import ValidationError

from grader.report.diagnosis import (
    Cause,
    Diagnosis,
    bar_word,
    exception_word,
    figure_word,
    figures,
    tellable,
)
from grader.report.scoring import CREDIT_STEPS
from grader.sandbox.guest.codec import Handle
from grader.sandbox.host.failures import StudentRaised, StudentValue
from grader.sandbox.host.proxy import RemoteObject
from grader.suite import as_array, as_number, as_object, as_tensor, assert_matches, expect_raises
from grader.suite.values import WrongAnswer

TELLABLE = frozenset(tellable())
BITS_OF_A_TEST = 13  # as docs/threat-model.md says
BARS = 2  # that one test asks
MESSAGES = 500  # more plain strings than any suite's `require` has
LEVELS = (0.8, 0.615, 1e-4, 0.0316, -1.0, 0.0, 1.5, 75.0, 1e300, 5e-324)


@pytest.mark.parametrize("level", LEVELS)
def test_a_test_tells_fewer_bits_than_the_threat_model_says(level):
    grid = BARS * len(set(figures(bar_word(level, lower_is_better=True))))
    lost = len(TELLABLE) + MESSAGES + grid
    in_part = (CREDIT_STEPS - 1) * (1 + grid // 2)  # of a scale's own grid, or without a figure
    assert math.log2(1 + lost + in_part) < BITS_OF_A_TEST


WORDS = st.text(max_size=30)
NAMES = st.lists(
    WORDS | st.sampled_from(["ValueError", "MemoryError", "OSError", "NotImplementedError"]),
    max_size=20,
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.binary(max_size=9)
    | st.builds(lambda name: RemoteObject(None, Handle(1, name)), WORDS)
    | nps.arrays(
        nps.scalar_dtypes(),
        nps.array_shapes(min_dims=0, max_dims=8, min_side=0, max_side=3),
    )
    | st.sampled_from([torch.zeros(2, 3), torch.ones(3, 2, dtype=torch.int8), torch.tensor(2.5)]),
    lambda inner: st.lists(inner, max_size=3)
    | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
EXPECTED = (
    np.arange(6.0).reshape(2, 3),
    np.arange(3),
    torch.ones(2, 3),
    torch.arange(4, dtype=torch.int8),
    [1.0, (2, None)],
    {"a": np.ones(2), "b": "text"},
    (np.ones((2, 2)), 7),
    3.25,
    np.float32(1.5),
    True,
    1 + 2j,
)


@given(NAMES, WORDS, WORDS, st.integers())
def test_what_a_student_raises_tells_a_word_of_the_set(names, message, trace, number):
    told = StudentRaised(names, message, trace, number).diagnosis
    assert told is None or told in TELLABLE


@given(NAMES, WORDS)
def test_so_does_what_is_raised_in_place_of_an_expected_exception(names, message):
    with pytest.raises(WrongAnswer) as caught:
        with expect_raises(KeyError):
            raise StudentRaised([name for name in names if name != "KeyError"], message, "")
    assert caught.value.diagnosis in TELLABLE


@given(PLAIN, st.sampled_from(EXPECTED))
def test_what_a_student_returns_tells_a_word_of_the_set(value, expected):
    takers = (
        lambda: assert_matches(value, expected),
        lambda: as_array(value, (2, None), np.float64),
        lambda: as_tensor(value, (2, 3), torch.float32),
        lambda: as_number(value),
        lambda: as_object(value),
    )
    for take in takers:
        try:
            take()
        except WrongAnswer as error:
            assert error.diagnosis in TELLABLE
        except StudentValue as error:
            assert error.diagnosis in TELLABLE


@given(
    st.floats(),
    st.sampled_from(LEVELS) | st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.sampled_from(["linear", "log10"]),
)
def test_a_figure_lies_on_the_grid_of_its_bar(value, level, lower, scale):
    scale = scale if level > 0 else "linear"
    bar = bar_word(level, lower_is_better=lower)
    got = figure_word(value, level, scale, round_up=lower)
    assert got in set(figures(bar))
    Diagnosis(cause=Cause.FIGURE, said="a bar", expected=bar, got=got)


@pytest.mark.parametrize(
    ("value", "level", "scale", "lower", "shown"),
    [
        (0.7967, 0.8, "linear", False, "0.79"),  # never rounded up to its bar
        (0.8, 0.8, "linear", False, "0.80"),
        (0.1234, 0.8, "linear", False, "≤ 0.30"),
        (0.0617, 0.06, "linear", True, "0.062"),
        (3.14159e-4, 1e-4, "log10", True, "0.00032"),
        (7.7, 1e-4, "log10", True, "7.9"),
        (1e6, 1e-4, "log10", True, "≥ 10"),
        (0.0, 0.03, "log10", False, "≤ 3.2e-07"),
        (-1.0, 0.03, "log10", False, "≤ 3.2e-07"),
        (float("nan"), 0.8, "linear", False, "nan"),
        (float("inf"), 1.0, "linear", True, "nan"),
        (-0.42, -1.0, "linear", True, "-0.4"),
    ],
)
def test_what_is_shown_of_a_figure(value, level, scale, lower, shown):
    assert figure_word(value, level, scale, round_up=lower) == shown


@pytest.mark.parametrize(
    ("types", "word"),
    [
        (["ZeroDivisionError", "ArithmeticError", "Exception"], "ZeroDivisionError"),
        (["LinAlgError", "ValueError", "Exception"], "ValueError"),
        (["Seen_0_31415", "Exception", "BaseException", "object"], "own"),
        ([], "own"),
    ],
)
def test_an_exception_is_told_by_a_built_in_name(types, word):
    assert exception_word(types) == word


@pytest.mark.parametrize(
    "fields",
    [
        {"cause": "raised", "got": "Seen_0_31415"},
        {"cause": "kind", "expected": "list", "got": "a secret"},
        {"cause": "dtype", "expected": "float64"},
        {"cause": "wrong", "got": "0.31415"},
        {"cause": "cpu_time", "expected": "0.31415"},
        {"cause": "figure", "said": "a bar", "expected": "≤ 0.1", "got": "0.31415"},
        {"cause": "figure", "said": "a bar", "expected": "soon", "got": "0.3"},
        {"cause": "wrong", "said": "0.31415"},
        {"cause": "said"},
        {"cause": "table_line", "got": "0.31415"},
        {"cause": "value", "hint": "0.31415"},
    ],
)
def test_nothing_else_can_be_put_into_a_diagnosis(fields):
    with pytest.raises(ValidationError):
        Diagnosis(**fields)
