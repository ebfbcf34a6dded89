"""Scores against scikit-like definitions written out, and what holds of every one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.competition import score
from grader.lab.competition import MetricName

ACCURACY, ALL_RIGHT, MACRO_F1, RMSE, AUC = MetricName


def column(*values):
    return np.array(values, dtype=np.float64).reshape(-1, 1)


classes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


@given(classes)
def test_accuracy_is_the_share_of_equal_rows(pairs):
    said, true = (column(*values) for values in zip(*pairs, strict=True))
    assert score(ACCURACY, said, true) == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))


@given(classes)
def test_macro_f1_is_the_mean_over_the_labels_classes(pairs):
    found = []
    for kind in {true for _, true in pairs}:
        hits = sum(a == b == kind for a, b in pairs)
        said, true = sum(a == kind for a, _ in pairs), sum(b == kind for _, b in pairs)
        precision, recall = hits / said if said else 0.0, hits / true
        both = precision + recall
        found.append(2 * precision * recall / both if both else 0.0)
    said, true = (column(*values) for values in zip(*pairs, strict=True))
    assert score(MACRO_F1, said, true) == pytest.approx(sum(found) / len(found))


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_auc_is_the_share_of_ordered_pairs_and_ties_are_halves(rows):
    positives = [value for value, truth in rows if truth]
    negatives = [value for value, truth in rows if not truth]
    said, true = column(*(value for value, _ in rows)), column(*(truth for _, truth in rows))
    found = score(AUC, said, true)
    if not positives or not negatives:
        assert found == 0.5
        return
    ordered = sum((p > n) + (p == n) / 2 for p in positives for n in negatives)
    assert found == pytest.approx(ordered / (len(positives) * len(negatives)))


def test_all_right_asks_for_every_column():
    labels = np.array([[0, 1], [1, 2], [2, 2]], dtype=float)
    said = np.array([[0, 1], [1, 1], [2, 2]], dtype=float)
    assert score(ALL_RIGHT, said, labels) == pytest.approx(2 / 3)


def test_rmse_is_the_root_of_the_mean_square():
    assert score(RMSE, column(1, 2, 3), column(1, 2, 7)) == pytest.approx((16 / 3) ** 0.5)


@pytest.mark.parametrize("metric", MetricName)
def test_no_metric_scores_nothing_or_another_shape(metric):
    for said, labels in ((column(), column()), (column(1), column(1, 2)), (column(1), np.ones(1))):
        with pytest.raises(ValueError, match="predictions for"):
            score(metric, said, labels)
