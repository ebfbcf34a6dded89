"""The comparator: nothing but the reference's value passes for it."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from grader.suite import as_number, as_tensor, assert_matches

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1.0, np.float64(1.0)),
        (np.float64(1.0), 1.0),
        (np.array(1.0), 1.0),
        (torch.tensor(1.0), 1.0),
        (1.0 + 1e-12, 1.0),
        (np.ones((0, 3)), np.ones((0, 3))),
        (torch.ones(2, dtype=torch.bfloat16), torch.ones(2, dtype=torch.bfloat16)),
        ({"a": [1, (None, "x")]}, {"a": [1, (None, "x")]}),
        (np.array([1 + 2j]), np.array([1 + 2j])),
        (torch.tensor(1.00001), torch.tensor(1.0)),
        (np.float32(1.00001), np.float32(1.0)),
        (np.array([1.00001j], np.complex64), np.array([1j], np.complex64)),
    ],
)
def test_the_same_value_matches(actual, expected):
    assert_matches(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        pytest.param(np.empty((0, 1)), np.ones((3, 1)), id="empty-0x1"),
        pytest.param(torch.empty(0, 1), torch.ones(3, 1), id="empty-tensor"),
        pytest.param(np.ones(1), np.ones(3), id="broadcast"),
        pytest.param(np.ones((3, 1)), np.ones(3), id="column"),
        pytest.param(1.0, np.ones(3), id="number-for-array"),
        pytest.param(np.ones(1), 1.0, id="array-for-number"),
        pytest.param(np.ones(3, np.float32), np.ones(3), id="float32"),
        pytest.param(np.ones(3, int), np.ones(3), id="ints"),
        pytest.param(torch.ones(3), np.ones(3, np.float32), id="tensor-for-array"),
        pytest.param([1.0, 1.0], np.ones(2), id="list-for-array"),
        pytest.param((1, 2), [1, 2], id="tuple-for-list"),
        pytest.param([1], [1, 2], id="short-list"),
        pytest.param({"a": 1}, {"b": 1}, id="other-key"),
        pytest.param(np.array([NAN, 1]), np.array([1.0, 1]), id="nan"),
        pytest.param(np.array([INF, 1]), np.array([1.0, 1]), id="inf"),
        pytest.param(NAN, 1.0, id="nan-number"),
        pytest.param(True, 1.0, id="bool-for-number"),
        pytest.param(1, True, id="number-for-bool"),
        pytest.param("1", 1, id="text-for-number"),
        pytest.param(None, 0.0, id="none"),
        pytest.param(np.array([True]), np.array([False]), id="bools"),
        pytest.param(np.array([2**60 + 1]), np.array([2**60]), id="large-ints"),
    ],
)
def test_another_value_does_not_match(actual, expected):
    with pytest.raises(AssertionError):
        assert_matches(actual, expected)


def test_nonfinite_entries_must_be_the_same_ones():
    expected = np.array([NAN, INF, 1.0])
    assert_matches(expected.copy(), expected, nonfinite=True)
    for wrong in ([NAN, -INF, 1.0], [INF, NAN, 1.0], [NAN, INF, NAN]):
        with pytest.raises(AssertionError):
            assert_matches(np.array(wrong), expected, nonfinite=True)


FINITE = nps.arrays(
    np.float64,
    nps.array_shapes(min_dims=1, max_dims=3, max_side=4),
    elements=st.floats(-1e6, 1e6),
)


@settings(max_examples=100, deadline=None)
@given(FINITE)
def test_every_array_matches_itself_as_array_and_as_tensor(array):
    assert_matches(array.copy(), array)
    assert_matches(torch.from_numpy(array.copy()), torch.from_numpy(array))


@settings(max_examples=100, deadline=None)
@given(FINITE, FINITE)
def test_what_is_rejected_one_way_is_rejected_the_other_way(a, b):
    assume(a.shape != b.shape or np.abs(a - b).max() > 1e-3 * (1 + np.abs(a).max()))
    for left, right in ((a, b), (b, a)):
        with pytest.raises(AssertionError):
            assert_matches(left, right)


@pytest.mark.parametrize(
    "value",
    [None, "1", [1], True, np.ones(1), NAN, INF, 10**400, pytest.param(object(), id="object")],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(AssertionError):
        as_number(value)


def test_without_torch_nothing_is_a_tensor(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    assert_matches(np.ones(2), np.ones(2))
    assert_matches(2.0, np.float64(2.0))
    with pytest.raises(AssertionError, match=r"expected a torch tensor, got a float64 array"):
        as_tensor(np.ones(2))


def test_comparisons_survive_an_optimising_python():
    code = "from grader.suite import assert_matches; assert_matches(1.0, 2.0)"
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, check=False)
    assert b"WrongAnswer" in done.stderr
