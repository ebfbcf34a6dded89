"""What a student is told of a wrong value, case by case."""

import numpy as np
import pytest
import torch

from grader.report.diagnosis import Cause
from grader.sandbox.host.failures import StudentRaised
from grader.suite import as_number, as_tensor, assert_matches, expect_raises, require
from grader.suite.values import WrongAnswer

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, -6.0]])


def told_of(take):
    with pytest.raises(WrongAnswer) as caught:
        take()
    told = caught.value.diagnosis
    return (told.cause, told.expected, told.got)


@pytest.mark.parametrize(
    ("actual", "expected", "told"),
    [
        (X.tolist(), X, (Cause.KIND, "array", "list")),
        (X.tolist(), torch.tensor(X), (Cause.KIND, "tensor", "list")),
        (None, X, (Cause.KIND, "array", "None")),
        ((1, 2), [1, 2], (Cause.KIND, "list", "tuple")),
        (1, True, (Cause.KIND, "bool", "int")),
        (X, 1.0, (Cause.KIND, "number", "array")),
        ([1], [1, 2], (Cause.LENGTH, "2", "1")),
        ([0] * 12, [1, 2], (Cause.LENGTH, "2", "more")),
        ({"a": 1}, {"b": 1}, (Cause.KEYS, "", "")),
        (X[0], X, (Cause.AXES, "2", "1")),
        (X.T, X, (Cause.SHAPE, "", "swapped")),
        (X[:1], X, (Cause.SHAPE, "", "0")),
        (X[:, :2], X, (Cause.SHAPE, "", "1")),
        (X.astype(np.float32), X, (Cause.DTYPE, "float64", "float32")),
        (torch.ones(2), torch.ones(2).double(), (Cause.DTYPE, "float64", "float32")),
        (np.ones(2, "datetime64[s]"), np.ones(2), (Cause.DTYPE, "float64", "another")),
        (np.where(X < 0, np.inf, X), X, (Cause.NOT_FINITE, "", "")),
        (-X, X, (Cause.VALUE, "", "sign")),
        (X / 2, X, (Cause.VALUE, "", "factor")),
        (-3 * X, X, (Cause.VALUE, "", "factor")),
        (0 * X, X, (Cause.VALUE, "", "all")),
        (X + 1, X, (Cause.VALUE, "", "all")),
        (np.maximum(X, 0), X, (Cause.VALUE, "", "some")),
        (np.array([2.0, 0.0]), np.array([1.0, 0.0]), (Cause.VALUE, "", "some")),
        (2.0, 1.0, (Cause.VALUE, "", "")),
        (-1.0, 1.0, (Cause.VALUE, "", "sign")),
        (1.00001, 1.0, (Cause.VALUE, "", "close")),
        (0.001, 0.0, (Cause.VALUE, "", "")),
        (X + 1e-5, X, (Cause.VALUE, "", "close")),
        (X.astype(np.float32) * np.float64(np.float32(0.1)), X * 0.1, (Cause.VALUE, "", "close")),
        (3, 4, (Cause.VALUE, "", "")),
        (np.arange(3), np.arange(1, 4), (Cause.VALUE, "", "all")),
        (np.full(3, 1e308), np.full(3, -1e-300), (Cause.VALUE, "", "all")),
    ],
)
def test_of_a_value_that_does_not_match(actual, expected, told):
    assert told_of(lambda: assert_matches(actual, expected)) == told


def test_of_a_number_and_of_a_tensor():
    assert told_of(lambda: as_number(float("nan"))) == (Cause.NOT_FINITE, "", "")
    assert told_of(lambda: as_number(10**400)) == (Cause.NOT_FINITE, "", "")
    assert told_of(lambda: as_tensor(torch.ones(4, 3), (None, 2))) == (Cause.SHAPE, "", "1")


def expecting(kind, error=None):
    with expect_raises(kind):
        if error:
            raise error


def test_of_an_exception_that_is_expected():
    assert told_of(lambda: expecting(ValueError)) == (Cause.NOT_RAISED, "ValueError", "")
    other = StudentRaised(["KeyError", "LookupError", "Exception"], "a secret", "")
    told = (Cause.OTHER_RAISED, "ValueError", "KeyError")
    assert told_of(lambda: expecting(ValueError, other)) == told
    unwritten = StudentRaised(["NotImplementedError", "RuntimeError", "Exception"], "", "")
    assert told_of(lambda: expecting(ValueError, unwritten)) == (Cause.NOT_WRITTEN, "", "")


def test_a_bare_requirement_tells_nothing_by_itself():
    with pytest.raises(WrongAnswer, match="words") as caught:
        require(False, "words")
    assert caught.value.diagnosis is None
