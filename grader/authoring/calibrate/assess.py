"""Judge a bar by what the reference measured: how often the reference itself would miss it.

A bar is refused unless an upper bound of that share, at 95 % confidence, is at most 0.1 %. Which
bound counts depends on the sample:

- `normal`: the sample looks normal on the bar's scale;
- `tail`: it leans to the bad side or has heavy tails, so that the normal bound would be too low;
- `free`: the reference missed the bar in a run, or has one value in all of them. Then no shape is
  known at all, and only counting is left, which takes 2,995 runs without a miss for 0.1 %.

A run without a value (it was not finite, or the test did not come so far) is a miss.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from statistics import fmean, stdev
from typing import Self

from grader.authoring.calibrate import bounds
from grader.lab.bars import Bar

MOST_MISSES = 0.001  # of the reference's runs
CONFIDENCE = 0.95
FEWEST_RUNS = 30
_FEWEST_FOR_A_SHAPE = 4


class Counts(StrEnum):
    """Which bound decides."""

    NORMAL = "normal"
    TAIL = "tail"
    FREE = "free"


@dataclass(frozen=True)
class Assessment:
    """What a sample says of a bar."""

    n: int
    mean: float  # on the bar's scale, as is sd
    sd: float
    worst: float  # the reference's own, as measured
    threshold: float  # as measured
    margin: float  # from the threshold to the mean, in sd; negative if the mean misses it
    normal: float  # upper bounds of the share of misses
    tail: float
    free: float
    counts: Counts
    acceptable: float | None  # the nearest threshold this sample would prove, None if none

    @property
    def bound(self) -> float:
        """The bound that counts."""
        found = {Counts.NORMAL: self.normal, Counts.TAIL: self.tail, Counts.FREE: self.free}
        return found[self.counts]

    @property
    def accepted(self) -> bool:
        """Whether the bar may be used."""
        return self.n >= FEWEST_RUNS and self.bound <= MOST_MISSES

    @property
    def objection(self) -> str:
        """Say why the bar is refused and what would be accepted; empty if it is not."""
        if self.accepted:
            return ""
        if self.n < FEWEST_RUNS:
            return f"{self.n} runs are too few; {FEWEST_RUNS} are the least"
        said = f"the reference may miss {self.threshold:.4g} in {self.bound:.2%} of its runs"
        why = {
            Counts.NORMAL: "by the normal bound",
            Counts.TAIL: "by the tail bound, for the sample leans down or has heavy tails",
            Counts.FREE: "by counting alone, for it missed it once, or never varies",
        }[self.counts]
        mend = (
            "a figure that never varies needs no bar"
            if self.acceptable is None
            else f"{self.acceptable:g} would be accepted"
        )
        return f"{said} ({why}); {mend}"


def assess(
    bar: Bar, variant: str | None, values: Sequence[float], runs: int | None = None
) -> Assessment:
    """Judge a bar by the reference's values, one a run, of `runs` runs (all by default).

    Raises KeyError if the bar is set for other variants only.
    """
    full = bar.full_for(variant)
    sample = [upright(bar, value) for value in values]
    n = len(values) if runs is None else runs
    misses = n - len(values) + sum(bar.ahead(full, value) for value in values)
    shape = _Shape.of(sample, upright(bar, full))
    known = shape.sd > 0 and not misses
    return Assessment(
        n=n,
        mean=shape.mean if bar.better == "higher" else -shape.mean,
        sd=shape.sd,
        worst=min(values) if bar.better == "higher" else max(values),
        threshold=full,
        margin=shape.margin,
        normal=shape.normal,
        tail=shape.tail,
        free=bounds.free_bound(misses, n, CONFIDENCE),
        counts=(Counts.TAIL if shape.heavy else Counts.NORMAL) if known else Counts.FREE,
        acceptable=_easy(bar, shape.provable) if shape.sd > 0 else None,
    )


@dataclass(frozen=True)
class _Shape:
    """What is made of a sample that is turned so that more is better."""

    mean: float
    sd: float
    heavy: bool
    margin: float
    normal: float
    tail: float
    provable: float  # the highest threshold that the bound which counts would accept

    @classmethod
    def of(cls, sample: list[float], threshold: float) -> Self:
        n, mean = len(sample), fmean(sample)
        if n < _FEWEST_FOR_A_SHAPE or min(sample) == max(sample):
            margin = math.copysign(math.inf, mean - threshold)
            bound = 1.0 if n < _FEWEST_FOR_A_SHAPE or margin < 0 else 0.0
            return cls(mean, 0.0, False, margin, bound, bound, min(sample))
        sd = stdev(sample)
        heavy = bounds.heavy_below(sample)
        if heavy:
            provable = bounds.tail_threshold(sample, MOST_MISSES, CONFIDENCE)
        else:
            provable = mean - bounds.tolerance_factor(n, 1 - MOST_MISSES, CONFIDENCE) * sd
        return cls(
            mean=mean,
            sd=sd,
            heavy=heavy,
            margin=(mean - threshold) / sd,
            normal=bounds.normal_bound((mean - threshold) / sd, n, CONFIDENCE),
            tail=bounds.tail_bound(sample, threshold, CONFIDENCE),
            provable=min(provable, *sample),
        )


def upright(bar: Bar, value: float) -> float:
    """Return a value on the bar's scale, turned so that more is better."""
    position = bar.on_scale(value)
    return position if bar.better == "higher" else -position


def _easy(bar: Bar, position: float) -> float:
    """Return a threshold as one would write it, rounded to the easy side."""
    exact = Decimal(repr(bar.off_scale(position if bar.better == "higher" else -position)))
    if exact == 0:
        return 0.0
    step = Decimal(1).scaleb(exact.adjusted() - 2)  # three figures
    rounding = ROUND_FLOOR if bar.better == "higher" else ROUND_CEILING
    return float((exact / step).to_integral_value(rounding) * step)
