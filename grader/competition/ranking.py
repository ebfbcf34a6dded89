"""Ranks at the end of a competition: who is better beyond luck, and ties where nobody can tell.

    rank = 1 + the number of teams that are better in at least 95 of 100 resamplings of the rows

A team's rank counts only teams that would still be better on other rows of the same kind (paired
bootstrap: both are scored on the same resampled rows). Then no team stands behind one that scored
less. For a score that is a mean over rows the share is computed in closed form: the resampled mean
of the row-wise differences d is normal about mean(d) with variance var(d) / n, so "95 of 100" is
mean(d) >= 1.645 sqrt(var(d) / n).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from grader.competition.metrics import Values, right_rows, score
from grader.lab.competition import CompetitionRules, MetricName

SURE = 0.95
_SURE_Z = 1.6448536269514722  # the standard normal's 95 % point
RESAMPLINGS = 1000
_SEED = 20150208  # of the resampling: two computations must agree


@dataclass(frozen=True)
class Standing:
    """A team's place at the end."""

    team: str
    score: float
    rank: int
    tied: bool  # with another team


def rank(metric: MetricName, entries: Mapping[str, Values], labels: Values) -> list[Standing]:
    """Return the standings of teams by their predictions [rows, columns], the best first.

    Teams of equal score stand in the order of their names; their ranks are equal.
    """
    names = sorted(entries)
    if not names:
        return []
    scores = {name: score(metric, entries[name], labels) for name in names}
    better = _better(metric, [entries[name] for name in names], labels)
    ranks = dict(zip(names, 1 + better.sum(axis=0), strict=True))
    sign = -1 if metric.higher_is_better else 1
    order = sorted(names, key=lambda name: (sign * scores[name], name))
    final: dict[str, int] = {}
    lowest = math.inf
    for name in reversed(order):  # nobody stands behind a team that scored less
        equal = [other for other in order if scores[other] == scores[name]]
        lowest = min(lowest, *(ranks[other] for other in equal))
        final[name] = int(lowest)
    held = list(final.values())
    return [
        Standing(name, scores[name], final[name], tied=held.count(final[name]) > 1)
        for name in order
    ]


def points_of(rules: CompetitionRules, score: float, place: int, teams: int) -> Decimal:
    """Return what a score at a rank among so many teams is worth, by the rule in the manifest."""
    reaches = rules.reaches(score, rules.baseline)
    return rules.points_of(place, teams) if reaches else rules.below_baseline


def _better(metric: MetricName, entries: list[Values], labels: Values) -> NDArray[np.bool_]:
    """Return [teams, teams]: whether the first is better than the second beyond luck."""
    rows = [right_rows(metric, entry, labels) for entry in entries]
    means = [row for row in rows if row is not None]
    if len(means) == len(rows):
        return _better_by_rows(np.stack(means))
    return _better_by_resampling(metric, entries, labels)


def _better_by_rows(right: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Compare means over rows in closed form; `right` is [teams, rows]."""
    teams, count = right.shape
    better = np.zeros((teams, teams), dtype=np.bool_)
    for first in range(teams):
        difference = right[first] - right  # [teams, rows]
        mean = difference.mean(axis=1)
        spread = np.sqrt(difference.var(axis=1) / count)
        better[first] = (mean > 0) & (mean >= _SURE_Z * spread)
    return better


def _better_by_resampling(
    metric: MetricName, entries: list[Values], labels: Values
) -> NDArray[np.bool_]:
    """Compare scores on the same resampled rows, counting how often each is ahead."""
    draws = np.random.default_rng(_SEED)
    teams, count = len(entries), len(labels)
    ahead = np.zeros((teams, teams))
    sign = 1 if metric.higher_is_better else -1
    for _ in range(RESAMPLINGS):
        rows = draws.integers(count, size=count)
        scores = np.array([sign * score(metric, entry[rows], labels[rows]) for entry in entries])
        ahead += scores[:, None] > scores[None, :]
    return ahead / RESAMPLINGS >= SURE
