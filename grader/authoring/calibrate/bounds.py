"""How often the reference misses a threshold: upper bounds at a confidence, from a sample.

Three bounds that trust the sample's shape less and less. Samples are turned so that less is
worse: a miss is a value below the threshold. Everything is exact to rounding and needs no library
of statistics; integrals are sums over a fine grid, quantiles are found by bisection.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist, fmean, median

_NORMAL = NormalDist()
_LEAST = 1e-15  # no sample of any size proves less
_GRID = 300


def tolerance_factor(n: int, p: float, confidence: float) -> float:
    """Return k: at this confidence, mean - k sd of n normal values lies below a share p of all.

    The one-sided tolerance factor by the noncentral t distribution, as tabled by D. B. Owen
    (Factors for one-sided tolerance limits, SCR-607, 1963): k(30, .999, .95) = 4.022.
    """
    quantile = _NORMAL.inv_cdf(p)
    return _bisect(lambda k: _confidence(k, n, quantile) >= confidence, 0.0, 1e3)


def normal_bound(margin: float, n: int, confidence: float) -> float:
    """Return the most that a normal's share of misses can be, `confidence` given.

    `margin` is how many of the sample's sd its mean lies above the threshold.
    """
    quantile = _bisect(lambda q: _confidence(margin, n, q) < confidence, -40.0, margin + 40.0)
    return max(_NORMAL.cdf(-quantile), _LEAST)


def _confidence(k: float, n: int, quantile: float) -> float:
    """Return P(mean - k sd < mu - quantile sigma), over samples of n normal values.

    Given the sample's sd, u sigma, it is a probability of the mean's normal; u sqrt(n - 1) has a
    chi distribution of n - 1 degrees of freedom, over which we integrate.
    """
    freedom = n - 1
    width = 10 / math.sqrt(2 * freedom)
    low, high = max(1e-12, 1 - width), 1 + width
    step = (high - low) / _GRID
    constant = math.log(2) + freedom / 2 * math.log(freedom / 2) - math.lgamma(freedom / 2)
    total = 0.0
    for u in (low + (i + 0.5) * step for i in range(_GRID)):
        log_density = constant + (freedom - 1) * math.log(u) - freedom * u * u / 2
        total += math.exp(log_density) * _NORMAL.cdf(math.sqrt(n) * (k * u - quantile))
    return total * step


def tail_bound(values: Sequence[float], threshold: float, confidence: float) -> float:
    """Return a bound for samples that are not normal: the tail falls as an exponential at least.

    So does the tail of every distribution whose hazard rate rises, normal or not (R. E. Barlow,
    F. Proschan, Mathematical theory of reliability, 1965). The mean excess below the sample's
    median is bounded by a chi-square quantile, at half of the risk; the other half is for the
    median, which is a sample's too.
    """
    centre, mean = _tail(values, confidence)
    distance = centre - threshold
    if distance <= 0:
        return 1.0
    return max(0.5 * math.exp(-distance / mean), _LEAST) if mean > 0 else _LEAST


def tail_threshold(values: Sequence[float], share: float, confidence: float) -> float:
    """Return the threshold whose `tail_bound` is this share."""
    centre, mean = _tail(values, confidence)
    return centre - mean * math.log(0.5 / share)


def free_bound(misses: int, n: int, confidence: float) -> float:
    """Return the bound that holds for any distribution (C. J. Clopper, E. S. Pearson, 1934).

    It is the p under which as few misses in n runs have a probability of 1 - confidence; without
    any miss that is 1 - (1 - confidence)^(1/n).
    """
    if misses >= n:
        return 1.0

    def as_few(p: float) -> float:
        return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(misses + 1))

    return _bisect(lambda p: as_few(p) <= 1 - confidence, 0.0, 1.0)


def skewness(values: Sequence[float]) -> float:
    """Return the adjusted Fisher-Pearson skewness; 0 if all values are equal."""
    n, moment = len(values), _moments(values)
    if moment[2] == 0:
        return 0.0
    return math.sqrt(n * (n - 1)) / (n - 2) * moment[3] / math.pow(moment[2], 1.5)


def kurtosis(values: Sequence[float]) -> float:
    """Return the adjusted excess kurtosis; 0 if all values are equal."""
    n, moment = len(values), _moments(values)
    if moment[2] == 0:
        return 0.0
    excess = moment[4] / moment[2] ** 2 - 3
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6)


def heavy_below(values: Sequence[float]) -> bool:
    """Tell whether the sample leans down, or has tails, more than a normal one of its size would.

    Judged at 2.58 standard errors of skewness and of kurtosis. What leans up, or has short tails,
    misses less often than a normal would: that is no reason to mistrust it.
    """
    n = len(values)
    of_skewness = math.sqrt(6 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3)))
    of_kurtosis = 2 * of_skewness * math.sqrt((n * n - 1) / ((n - 3) * (n + 5)))
    return skewness(values) < -2.58 * of_skewness or kurtosis(values) > 2.58 * of_kurtosis


def _moments(values: Sequence[float]) -> dict[int, float]:
    # Equal values can have a mean that differs from them in the last bit.
    mean = values[0] if min(values) == max(values) else fmean(values)
    return {order: fmean((value - mean) ** order for value in values) for order in (2, 3, 4)}


def _tail(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return the median and the most that the mean excess below it can be."""
    ordered = sorted(values)
    centre = median(ordered)
    excess = [centre - value for value in ordered[: len(ordered) // 2]]
    return centre, sum(excess) / _gamma_quantile(len(excess), (1 - confidence) / 2)


def _gamma_quantile(shape: int, p: float) -> float:
    """Return the p-quantile of a gamma distribution of whole shape and scale 1."""

    def below(x: float) -> float:  # at least `shape` events of a Poisson process by then
        terms = (math.exp(i * math.log(x) - x - math.lgamma(i + 1)) for i in range(shape))
        return 1 - sum(terms)

    return _bisect(lambda x: below(x) >= p, 1e-12, 10.0 * shape + 100)


def _bisect(reached: Callable[[float], bool], low: float, high: float) -> float:
    """Return where `reached` turns from False to True between low and high."""
    for _ in range(64):
        middle = (low + high) / 2
        if reached(middle):
            high = middle
        else:
            low = middle
    return high
