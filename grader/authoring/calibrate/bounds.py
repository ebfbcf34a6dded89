"""How often the reference misses a threshold: upper bounds at a confidence, from a sample.

Three bounds that trust the sample's shape less and less. Samples are turned so that less is
worse: a miss is a value below the threshold. The distributions are SciPy's, which comes with the
extra `authoring`; it is imported when a bound is asked for, because most commands ask for none.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from statistics import NormalDist, median
from typing import Any

from grader.errors import AuthoringError

_LEAST = 1e-15  # no sample of any size proves less


def tolerance_factor(n: int, p: float, confidence: float) -> float:
    """Return k: at this confidence, mean - k sd of n normal values lies below a share p of all.

    The one-sided tolerance factor by the noncentral t distribution, as tabled by D. B. Owen
    (Factors for one-sided tolerance limits, SCR-607, 1963): k(30, .999, .95) = 4.022.
    """
    noncentrality = math.sqrt(n) * NormalDist().inv_cdf(p)
    return float(_scipy("special").nctdtrit(n - 1, noncentrality, confidence)) / math.sqrt(n)


def normal_bound(margin: float, n: int, confidence: float) -> float:
    """Return the most that a normal's share of misses can be, `confidence` given.

    `margin` is how many of the sample's sd its mean lies above the threshold.
    """
    noncentrality = float(_scipy("special").nctdtrinc(n - 1, confidence, math.sqrt(n) * margin))
    return max(NormalDist().cdf(-noncentrality / math.sqrt(n)), _LEAST)


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
    return float(_scipy("special").betaincinv(misses + 1, n - misses, confidence))


def skewness(values: Sequence[float]) -> float:
    """Return the adjusted Fisher-Pearson skewness; 0 if all values are equal."""
    return float(_scipy("stats").skew(values, bias=False)) if min(values) < max(values) else 0.0


def kurtosis(values: Sequence[float]) -> float:
    """Return the adjusted excess kurtosis; 0 if all values are equal."""
    return float(_scipy("stats").kurtosis(values, bias=False)) if min(values) < max(values) else 0.0


def heavy_below(values: Sequence[float]) -> bool:
    """Tell whether the sample leans down, or has tails, more than a normal one of its size would.

    Judged at 2.58 standard errors of skewness and of kurtosis. What leans up, or has short tails,
    misses less often than a normal would: that is no reason to mistrust it.
    """
    n = len(values)
    of_skewness = math.sqrt(6 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3)))
    of_kurtosis = 2 * of_skewness * math.sqrt((n * n - 1) / ((n - 3) * (n + 5)))
    return skewness(values) < -2.58 * of_skewness or kurtosis(values) > 2.58 * of_kurtosis


def _tail(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return the median and the most that the mean excess below it can be."""
    ordered = sorted(values)
    centre = median(ordered)
    excess = [centre - value for value in ordered[: len(ordered) // 2]]
    shape, risk = len(excess), (1 - confidence) / 2
    return centre, sum(excess) / float(_scipy("special").gammaincinv(shape, risk))


def _scipy(part: str) -> Any:
    """Import a part of SciPy; AuthoringError if it is not installed."""
    try:
        return importlib.import_module(f"scipy.{part}")
    except ModuleNotFoundError:
        raise AuthoringError(
            ["bars are proven with SciPy; run: pip install 'proctor-autograder[authoring]'"]
        ) from None
