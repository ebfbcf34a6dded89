"""Scores of predictions against labels. A new metric is one function here and one name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from grader.lab.competition import MetricName

Values = NDArray[np.float64]  # [rows, columns]
PerRow = NDArray[np.float64]  # [rows]


def score(metric: MetricName, predicted: Values, labels: Values) -> float:
    """Return the score of some rows; both arrays are [rows, columns]. ValueError without rows."""
    if predicted.shape != labels.shape or not len(labels):
        raise ValueError(f"{predicted.shape} predictions for {labels.shape} labels")
    return _SCORES[metric](predicted, labels)


def right_rows(metric: MetricName, predicted: Values, labels: Values) -> PerRow | None:
    """Return 1 for each row that is right and 0 for the others; None if the metric is no mean.

    Where the score is a mean over rows, two entries can be compared row by row in closed form.
    """
    if metric in {MetricName.ACCURACY, MetricName.ALL_RIGHT}:
        return np.asarray((predicted == labels).all(axis=1), dtype=np.float64)
    return None


def _share_right(predicted: Values, labels: Values) -> float:
    return float((predicted == labels).all(axis=1).mean())


def _macro_f1(predicted: Values, labels: Values) -> float:
    """Mean over the labels' classes of 2 TP / (2 TP + FP + FN); a class nobody names scores 0."""
    scores = []
    for kind in np.unique(labels):
        said, true = predicted == kind, labels == kind
        hits = np.sum(said & true)
        scores.append(2 * hits / (np.sum(said) + np.sum(true)))
    return float(np.mean(scores))


def _rmse(predicted: Values, labels: Values) -> float:
    return float(np.sqrt(np.mean((predicted - labels) ** 2)))


def _auc(predicted: Values, labels: Values) -> float:
    """Return the chance that a positive is scored above a negative, ties counting half.

    The Mann-Whitney statistic from mean ranks: (R - n1 (n1 + 1) / 2) / (n1 n0). Without both
    kinds of labels there is nothing to tell apart: a half.
    """
    scores, truth = predicted[:, 0], labels[:, 0] == 1
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return 0.5
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2
    total = mean_ranks[place][truth].sum()
    return float((total - positives * (positives + 1) / 2) / (positives * negatives))


_SCORES: Mapping[MetricName, Callable[[Values, Values], float]] = {
    MetricName.ACCURACY: _share_right,
    MetricName.ALL_RIGHT: _share_right,
    MetricName.MACRO_F1: _macro_f1,
    MetricName.RMSE: _rmse,
    MetricName.AUC: _auc,
}
