"""A drop is measured in standard deviations of luck, in closed form and by resampling alike."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.lab.competition import MetricName
from grader.rerun import compare

ACCURACY, RMSE = MetricName.ACCURACY, MetricName.RMSE
ROWS = 400


def answers(share, seed):
    """Return labels of zeros, and predictions of which about a share is right."""
    right = np.random.default_rng(seed).random((ROWS, 1)) < share
    return np.where(right, 0.0, 1.0), np.zeros((ROWS, 1))


def test_a_drop_is_counted_in_the_spread_of_both_scores():
    claimed, labels = answers(0.6, 1)
    again, fresh = answers(0.5, 2)
    found = compare(ACCURACY, claimed, labels, again, fresh)
    p, q = 1 - claimed.mean(), 1 - again.mean()
    assert found.claim == pytest.approx(p) and found.again == pytest.approx(q)
    sd = math.sqrt((p * (1 - p) + q * (1 - q)) / ROWS)
    assert found.sds == pytest.approx((p - q) / sd)


@given(st.floats(0.05, 0.95), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_an_honest_source_is_within_luck(share, seed):
    found = compare(ACCURACY, *answers(share, seed), *answers(share, seed + 1001))
    assert abs(found.sds) < 4.5 and (found.below is (found.sds > 3))


def test_three_sds_are_passed_once_in_700_times():
    draws = [compare(ACCURACY, *answers(0.4, n), *answers(0.4, n + 5000)) for n in range(1500)]
    assert sum(one.below for one in draws) <= 8  # 2 are expected; 9 or more once in 5,000 times
    assert np.std([one.sds for one in draws]) == pytest.approx(1.0, abs=0.06)


def test_a_claim_from_leaked_labels_is_far_above():
    _, labels = answers(1.0, 1)
    assert compare(ACCURACY, labels, labels, *answers(0.5, 2)).sds > 15


def test_an_error_is_worse_when_it_grows():
    draws = np.random.default_rng(1)
    labels, fresh = draws.normal(size=(2, ROWS, 1))
    fine, rough = (labels + size * draws.normal(size=(ROWS, 1)) for size in (0.1, 1.0))
    better = fresh + 0.1 * draws.normal(size=(ROWS, 1))
    assert compare(RMSE, fine, labels, fresh + 1.0, fresh).below
    assert not compare(RMSE, rough, labels, better, fresh).below
    assert abs(compare(RMSE, fine, labels, better, fresh).sds) < 4


def test_two_computations_agree():
    draws = np.random.default_rng(1)
    said, labels, again, fresh = draws.normal(size=(4, ROWS, 1))
    assert compare(RMSE, said, labels, again, fresh) == compare(RMSE, said, labels, again, fresh)


@pytest.mark.parametrize(
    ("claim", "again", "sds"), [(0, 0, 0.0), (0, 1, math.inf), (1, 0, -math.inf)]
)
def test_scores_without_spread_are_compared_as_they_are(claim, again, sds):
    labels = np.zeros((5, 1))
    found = compare(ACCURACY, np.full((5, 1), claim), labels, np.full((5, 1), again), labels)
    assert found.sds == sds
