"""The bounds against published tables, simulation and what must hold of any sample."""

import math
import random
import sys
from statistics import NormalDist

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grader.authoring.calibrate import bounds
from grader.errors import AuthoringError

EXAMPLES = settings(deadline=None)  # the first one imports SciPy

# D. B. Owen, Factors for one-sided tolerance limits, SCR-607, 1963; also M. G. Natrella,
# Experimental statistics, NBS Handbook 91, table A-7. Confidence 0.95.
OWEN = [
    (3, 0.999, 13.857),
    (10, 0.90, 2.355),
    (10, 0.99, 3.981),
    (10, 0.999, 5.203),
    (20, 0.999, 4.319),
    (30, 0.90, 1.778),
    (30, 0.95, 2.220),
    (30, 0.99, 3.064),
    (30, 0.999, 4.022),
    (50, 0.999, 3.766),
]


@pytest.mark.parametrize(("n", "p", "factor"), OWEN)
def test_tolerance_factors_are_those_of_the_table(n, p, factor):
    assert bounds.tolerance_factor(n, p, 0.95) == pytest.approx(factor, abs=1.5e-3)


@pytest.mark.parametrize("n", [30, 100])
def test_natrellas_approximation_comes_near(n):
    z, c = (NormalDist().inv_cdf(q) for q in (0.999, 0.95))
    a, b = 1 - c * c / (2 * (n - 1)), z * z - c * c / n
    near = (z + math.sqrt(z * z - a * b)) / a
    assert bounds.tolerance_factor(n, 0.999, 0.95) == pytest.approx(near, rel=0.005)


@EXAMPLES
@given(st.integers(5, 200), st.floats(1e-6, 0.4))
def test_bound_and_factor_undo_each_other(n, share):
    factor = bounds.tolerance_factor(n, 1 - share, 0.95)
    assert bounds.normal_bound(factor, n, 0.95) == pytest.approx(share, rel=1e-4)


@EXAMPLES
@given(st.integers(5, 100), st.floats(-3, 12), st.floats(0.1, 3))
def test_more_margin_and_more_runs_lower_the_normal_bound(n, margin, more):
    here = bounds.normal_bound(margin, n, 0.95)
    assert bounds.normal_bound(margin + more, n, 0.95) <= here
    assert bounds.normal_bound(margin, 2 * n, 0.95) <= here * (1 + 1e-9) or margin < 0
    assert 0 < here <= 1


# C. J. Clopper and E. S. Pearson's upper limits, one-sided at 95 %.
@pytest.mark.parametrize(
    ("misses", "n", "bound"),
    [(0, 30, 0.0950), (1, 30, 0.1486), (0, 10, 0.2589), (5, 10, 0.7776), (10, 10, 1.0)],
)
def test_counting_bounds_are_clopper_and_pearsons(misses, n, bound):
    assert bounds.free_bound(misses, n, 0.95) == pytest.approx(bound, abs=5e-5)


@settings(deadline=None)
@given(st.integers(1, 500))
def test_without_a_miss_counting_has_a_formula(n):
    assert bounds.free_bound(0, n, 0.95) == pytest.approx(1 - 0.05 ** (1 / n), rel=1e-9)


def test_counting_alone_takes_2995_runs():
    assert bounds.free_bound(0, 2994, 0.95) > 0.001 >= bounds.free_bound(0, 2995, 0.95)


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(0, 60))
def test_counting_bound_leaves_five_per_cent(n, misses):
    misses = min(misses, n - 1)
    p = bounds.free_bound(misses, n, 0.95)
    as_few = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(misses + 1))
    assert as_few == pytest.approx(0.05, rel=1e-6)


def shapes():
    """Give name, a drawer of one value, and the 0.1 % quantile of its distribution."""
    yield "normal", lambda r: r.gauss(0, 1), -3.0902
    yield "exponential", lambda r: -r.expovariate(1), math.log(0.001)
    yield "laplace", lambda r: r.choice((-1, 1)) * r.expovariate(1), math.log(0.002)
    yield "gumbel", lambda r: math.log(r.expovariate(1)), math.log(-math.log(0.999))
    yield "uniform", lambda r: r.random(), 0.001


@pytest.mark.parametrize(("name", "draw", "quantile"), list(shapes()), ids=[s[0] for s in shapes()])
def test_the_tail_bound_holds_for_every_falling_tail(name, draw, quantile):
    source = random.Random(name)
    samples = [[draw(source) for _ in range(30)] for _ in range(400)]
    held = sum(bounds.tail_bound(sample, quantile, 0.95) >= 0.001 for sample in samples)
    assert held >= 0.95 * len(samples) - 2 * math.sqrt(400 * 0.95 * 0.05)


def test_the_normal_bound_holds_as_often_as_it_says():
    source = random.Random("normal bound")
    quantile = NormalDist().inv_cdf(0.001)
    factor = bounds.tolerance_factor(30, 0.999, 0.95)
    held = 0
    for _ in range(2000):
        sample = [source.gauss(0, 1) for _ in range(30)]
        mean = sum(sample) / 30
        sd = math.sqrt(sum((x - mean) ** 2 for x in sample) / 29)
        held += mean - factor * sd <= quantile
    assert held / 2000 == pytest.approx(0.95, abs=0.015)


def test_the_normal_bound_would_be_too_low_for_a_heavy_tail():
    source = random.Random("too low")
    held = warned = 0
    for _ in range(300):
        sample = [-source.expovariate(1) for _ in range(60)]
        mean = sum(sample) / 60
        sd = math.sqrt(sum((x - mean) ** 2 for x in sample) / 59)
        held += bounds.normal_bound((mean - math.log(0.001)) / sd, 60, 0.95) >= 0.001
        warned += bounds.heavy_below(sample)
    assert held < 150  # so it must not count, and the sample gives it away
    assert warned > 285


def test_normal_samples_are_seldom_called_heavy():
    source = random.Random("seldom")
    samples = [[source.gauss(0, 1) for _ in range(30)] for _ in range(1000)]
    assert sum(map(bounds.heavy_below, samples)) < 50


def test_leaning_up_is_not_heavy_below():
    source = random.Random("up")
    samples = [[source.random() ** 8 for _ in range(40)] for _ in range(100)]
    assert all(bounds.skewness(sample) > 0 for sample in samples)
    down = [[-value for value in sample] for sample in samples]
    assert sum(map(bounds.heavy_below, down)) > 90
    # Short tails above, none below: only kurtosis may object.
    assert sum(map(bounds.heavy_below, samples)) < sum(map(bounds.heavy_below, down))


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=60), st.floats(-10, 10))
def test_shape_does_not_depend_on_place(values, shift):
    assume(max(values) - min(values) > 1e-3)
    moved = [value + shift for value in values]
    assert bounds.skewness(moved) == pytest.approx(bounds.skewness(values), abs=1e-5)
    assert bounds.kurtosis(moved) == pytest.approx(bounds.kurtosis(values), abs=1e-4)


def test_skewness_and_kurtosis_of_a_known_sample():
    # By hand: mean 3, moments 2, 0 and 6.8 of 1..5.
    assert bounds.skewness([1, 2, 3, 4, 5]) == pytest.approx(0)
    assert bounds.kurtosis([1, 2, 3, 4, 5]) == pytest.approx(-1.2)
    assert bounds.skewness([0, 0, 0, 1]) == pytest.approx(2.0)
    assert bounds.kurtosis([0, 0, 0, 1]) == pytest.approx(4.0)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.integers(4, 40))
def test_equal_values_have_no_shape(value, n):
    assert bounds.skewness([value] * n) == bounds.kurtosis([value] * n) == 0
    assert not bounds.heavy_below([value] * n)


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=6, max_size=60), st.floats(1e-6, 0.2))
def test_the_tail_threshold_has_its_share(values, share):
    assume(sorted(values)[0] < sorted(values)[len(values) // 2 - 1] - 1e-3)
    threshold = bounds.tail_threshold(values, share, 0.95)
    assert bounds.tail_bound(values, threshold, 0.95) == pytest.approx(share, rel=1e-6)


def test_without_scipy_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(AuthoringError, match=r"pip install 'proctor-autograder\[authoring\]'"):
        bounds.free_bound(0, 30, 0.95)
