"""Calls at the edge of what the docstrings allow: nothing to score, no generator."""

import pytest
import torch

from grader.suite import as_number, as_tensor, assert_matches, expect_raises, require


@pytest.mark.item("metrics", weight=0.5)
@pytest.mark.hint("An empty list has no positive: ValueError, as for any list without one.")
def test_nothing_to_score_is_refused(student):
    """Empty lists of scores raise ValueError."""
    scores, labels = torch.zeros(0), torch.zeros(0, dtype=torch.int64)
    for function in (student.layers.auc, student.layers.average_precision):
        with expect_raises(ValueError):
            function(scores, labels)


@pytest.mark.item("metrics", weight=0.5)
@pytest.mark.hint("Labels may be floats as well as integers.")
def test_one_positive_and_one_negative(student):
    """Two scores: right, wrong or equal."""
    labels = torch.tensor([1.0, 0.0])
    for scores, area, precision in (
        ((2.0, 1.0), 1, 1),
        ((1.0, 2.0), 0, 0.5),
        ((1.0, 1.0), 0.5, 0.5),
    ):
        found = as_number(student.layers.auc(torch.tensor(scores), labels))
        require(abs(found - area) < 1e-9, f"AUC {found}, expected {area}")
        found = as_number(student.layers.average_precision(torch.tensor(scores), labels))
        require(abs(found - precision) < 1e-9, f"average precision {found}, expected {precision}")


@pytest.mark.item("split", weight=0.5)
@pytest.mark.hint("generator may be None: torch's own draws then.")
def test_a_split_without_a_generator(student, rng):
    """Without a generator a split has its sizes and differs from the next."""
    n = 40
    pairs = torch.combinations(torch.arange(n))
    edges = pairs[torch.tensor(rng.permutation(len(pairs))[:200])]
    found = []
    for _ in range(2):
        answer = student.layers.split_edges(edges, n, test=0.2)
        require(type(answer) is dict, "expected a dict")
        require({"test", "test_neg"} <= set(answer), "a list is missing")
        for name in ("test", "test_neg"):
            found.append(as_tensor(answer[name], (40, 2), torch.int64))
    for one, other in zip(found[:2], found[2:], strict=True):
        require(not torch.equal(one, other), "two splits are the same")


@pytest.mark.item("drop-edge", weight=0.5)
@pytest.mark.hint("generator may be None: torch's own draws then.")
def test_edges_are_dropped_without_a_generator(student):
    """Without a generator about half of 400 edges stay at p = 0.5, others every time."""
    nodes = torch.arange(400)
    edges = torch.stack([nodes, nodes + 400], dim=1)
    one, other = (
        as_tensor(student.layers.drop_edge(edges, 0.5), (None, 2), torch.int64) for _ in range(2)
    )
    for kept in (one, other):
        require(100 < len(kept) < 300, f"{len(kept)} of 400 edges stay")  # sd 10
    require(not torch.equal(one, other), "two calls kept the same edges")


@pytest.mark.item("split", weight=0.5)
@pytest.mark.hint("int(0.1 * 5) is 0: no edge is held out, and no negative is drawn.")
def test_a_graph_too_small_to_hold_out_edges(student):
    """Of five edges none is held out: train has them all, the other lists are empty."""
    path = torch.tensor([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]])
    answer = student.layers.split_edges(path, 6, student.torch_generator(0))
    require(type(answer) is dict, "expected a dict")
    for name, size in (("train", 5), ("val", 0), ("test", 0), ("val_neg", 0), ("test_neg", 0)):
        require(name in answer, f"{name} is missing")
        as_tensor(answer[name], (size, 2), torch.int64)


@pytest.mark.item("convolution", weight=0.5)
@pytest.mark.hint("Divide by the row's sum wherever it is not 0, below 1 too.")
def test_rows_of_fractions_are_normalised(student):
    """Rows whose sum is below 1 sum to 1 as well."""
    x = torch.tensor([[0.2, 0.3], [0.0, 0.0], [0.5, 0.0]])
    wanted = torch.tensor([[0.4, 0.6], [0.0, 0.0], [1.0, 0.0]])
    assert_matches(student.layers.row_normalise(x), wanted, rtol=1e-5)
