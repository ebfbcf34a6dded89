"""Claim against re-run: two scores of one team, on two sets of rows drawn alike.

    z = (claim - re-run) / sqrt(sd(claim)^2 + sd(re-run)^2), turned round where less is better

Each score has the standard deviation that it would have over new rows. A source that makes its
predictions honestly is expected at z = 0, beyond 3 once in 700 times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from grader.competition.metrics import Values, right_rows, score
from grader.lab.competition import MetricName

MOST_SDS = 3.0
_RESAMPLINGS = 400
_SEED = 20150208  # of the resampling: two computations must agree


@dataclass(frozen=True)
class Comparison:
    """Two scores, and how far the second is below the first."""

    claim: float
    again: float
    sd: float  # of their difference
    drop: float  # by which the re-run is worse; below 0 if it is better

    @property
    def sds(self) -> float:
        """The drop in standard deviations."""
        if self.sd:
            return self.drop / self.sd
        return math.copysign(math.inf, self.drop) if self.drop else 0.0

    @property
    def below(self) -> bool:
        """Whether the re-run is further below the claim than luck explains."""
        return self.sds > MOST_SDS


def compare(
    metric: MetricName, claimed: Values, labels: Values, again: Values, fresh_labels: Values
) -> Comparison:
    """Compare predictions [rows, columns] of one set with those of a fresh set."""
    claim, second = score(metric, claimed, labels), score(metric, again, fresh_labels)
    sign = 1 if metric.higher_is_better else -1
    sd = math.hypot(score_sd(metric, claimed, labels), score_sd(metric, again, fresh_labels))
    return Comparison(claim, second, sd, sign * (claim - second))


def score_sd(metric: MetricName, predicted: Values, labels: Values) -> float:
    """Return the score's standard deviation over new rows: in closed form, or by resampling."""
    right = right_rows(metric, predicted, labels)
    if right is not None:
        return float(np.sqrt(right.var() / len(right)))
    draws = np.random.default_rng(_SEED)
    samples = (draws.integers(len(labels), size=len(labels)) for _ in range(_RESAMPLINGS))
    return float(np.std([score(metric, predicted[rows], labels[rows]) for rows in samples]))
