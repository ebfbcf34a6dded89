"""Which bars are refused, by which bound, and what would be accepted instead."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.authoring.calibrate import Counts, assess
from grader.authoring.calibrate.bounds import tolerance_factor
from grader.lab.bars import Bar


def make(**fields):
    return Bar.model_validate({"title": "a figure", "better": "higher", "full": 0.0, **fields})


def normal(n, mean=0.0, sd=1.0, seed=0):
    source = random.Random(seed)
    return [source.gauss(mean, sd) for _ in range(n)]


def test_a_bar_far_from_a_normal_sample_is_accepted():
    found = assess(make(full=-6.0), None, normal(30))
    assert found.counts is Counts.NORMAL
    assert found.accepted and found.objection == ""
    assert found.margin == pytest.approx((found.mean + 6) / found.sd)
    assert found.free == pytest.approx(0.095, abs=1e-3)


def test_a_bar_too_near_is_refused_and_told_what_would_do():
    values = normal(30)
    found = assess(make(full=-2.0), None, values)
    assert not found.accepted
    assert "-2" in found.objection and f"{found.acceptable:g}" in found.objection
    edge = found.mean - tolerance_factor(30, 0.999, 0.95) * found.sd
    assert edge - 0.01 * abs(edge) <= found.acceptable <= edge


def test_lower_is_better_is_the_mirror_image():
    values = normal(40, mean=0.7, seed=3)
    up = assess(make(full=-3.1), None, values)
    down = assess(make(better="lower", full=3.1), None, [-value for value in values])
    assert down.bound == up.bound
    assert down.mean == pytest.approx(-up.mean)
    assert down.acceptable == pytest.approx(-up.acceptable)
    assert down.worst == -up.worst == max(-value for value in values)


def test_the_scale_decides_what_is_normal():
    values = [10**value for value in normal(60, mean=-6, sd=0.5, seed=5)]
    on_log = assess(make(better="lower", full=1e-3, scale="log10"), None, values)
    assert on_log.counts is Counts.NORMAL
    assert on_log.mean == pytest.approx(-6, abs=0.2)
    assert on_log.margin == pytest.approx(6, abs=1)
    assert assess(make(better="lower", full=1e-3), None, values).counts is Counts.TAIL


def test_of_a_sample_that_leans_down_only_the_tail_bound_counts():
    source = random.Random(1)
    values = [-source.expovariate(1) for _ in range(60)]
    found = assess(make(full=-6.5), None, values)
    assert found.counts is Counts.TAIL
    assert found.normal < 0.001 < found.tail
    assert not found.accepted and "tail bound" in found.objection
    assert assess(make(full=found.acceptable), None, values).accepted


def test_a_miss_leaves_only_counting():
    values = [*normal(40), -9.0]
    found = assess(make(full=-8.0), None, values)
    assert found.counts is Counts.FREE
    assert found.bound == found.free > 0.1
    assert found.acceptable <= -9.0


def test_a_run_without_a_value_is_a_miss():
    found = assess(make(full=-8.0), None, normal(40), runs=41)
    assert (found.n, found.counts) == (41, Counts.FREE)
    assert not found.accepted


def test_a_constant_figure_is_left_to_counting():
    found = assess(make(full=7.0), None, [8.0] * 40)
    assert (found.counts, found.margin, found.acceptable) == (Counts.FREE, math.inf, None)
    assert not found.accepted and "never varies" in found.objection
    assert assess(make(full=7.0), None, [8.0] * 2995).accepted


@pytest.mark.parametrize("n", [1, 2, 29])
def test_few_runs_prove_nothing(n):
    found = assess(make(full=-99.0), None, normal(n))
    assert not found.accepted
    assert "too few" in found.objection


def test_levels_of_a_variant_are_its_own():
    bar = make(full={"easy": -6.0, "hard": -1.0})
    values = normal(30)
    assert assess(bar, "easy", values).accepted
    assert not assess(bar, "hard", values).accepted
    with pytest.raises(KeyError):
        assess(bar, "none", values)


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["higher", "lower"]),
    st.sampled_from(["linear", "log10"]),
    st.integers(30, 60),
)
def test_the_threshold_that_would_be_accepted_is(seed, better, scale, n):
    values = normal(n, mean=3, sd=0.8, seed=seed)
    if scale == "log10":
        values = [10**value for value in values]
    full = 5.0 if scale == "linear" else 1e5
    first = assess(make(better=better, full=full, scale=scale), None, values)
    again = make(better=better, full=first.acceptable, scale=scale)
    assert assess(again, None, values).accepted


def test_the_reference_seldom_misses_a_bar_that_was_accepted():
    over = 0
    for seed in range(200):
        acceptable = assess(make(full=9.0), None, normal(30, seed=seed)).acceptable
        misses = 0.5 * math.erfc(-acceptable / math.sqrt(2))
        over += misses > 0.001
    # 95 % confidence: of 200 calibrations about 10 accept a bar that is too near.
    assert over <= 20
