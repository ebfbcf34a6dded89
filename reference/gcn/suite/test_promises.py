"""Promises of the docstrings that other tests leave open: dropout, zeros, no side effects."""

import pytest
import torch

from grader.suite import (
    as_object,
    as_tensor,
    parameters,
    require,
    require_unchanged,
    set_training,
)


def graph(rng, n=12, count=30):
    """Return a messy list of edges: both directions, doubles, self-loops."""
    edges = torch.tensor(rng.integers(0, n, (count, 2)))
    return torch.cat([edges, edges[:5].flip(1)])


def normal(rng, *shape):
    """Return normal numbers."""
    return torch.tensor(rng.normal(0, 1, shape), dtype=torch.float32)


@pytest.mark.item("adjacency", weight=0.5)
@pytest.mark.depends("test_layers.py::test_undirected", "test_layers.py::test_norm_adj")
@pytest.mark.hint("Sort and clean a copy of the list: edges belongs to whoever called.")
def test_an_adjacency_changes_no_tensor_it_is_given(student, rng):
    """Undirected and norm_adj leave the list of edges as it was."""
    require_unchanged(student, student.layers.undirected, graph(rng))
    for mode in ("sym", "row"):
        require_unchanged(student, student.layers.norm_adj, graph(rng), 12, 1.0, mode)


@pytest.mark.item("convolution", weight=0.5)
@pytest.mark.depends(
    "test_layers.py::test_propagate",
    "test_layers.py::test_gcn_layer",
    "test_layers.py::test_row_normalise",
)
@pytest.mark.hint("x /= x.sum(...) changes the caller's features: divide into a new tensor.")
def test_a_convolution_changes_no_tensor_it_is_given(student, reference, rng):
    """propagate, gcn_layer and row_normalise leave all they are given as it was."""
    adj, x = reference.layers.norm_adj(graph(rng), 12), normal(rng, 12, 4)
    require_unchanged(student, student.layers.propagate, adj, x)
    require_unchanged(student, student.layers.gcn_layer, x, adj, normal(rng, 4, 3), normal(rng, 3))
    require_unchanged(student, student.layers.row_normalise, x.abs())


@pytest.mark.item("drop-edge", weight=0.5)
@pytest.mark.depends("test_layers.py::test_the_share_that_is_dropped")
@pytest.mark.hint("Return a new list: whoever called needs all edges in the next epoch.")
def test_drop_edge_changes_no_tensor_it_is_given(student, rng):
    """drop_edge leaves the list of edges as it was."""
    require_unchanged(
        student, student.layers.drop_edge, graph(rng), 0.5, student.torch_generator(0)
    )


@pytest.mark.item("pair-norm", weight=0.5)
@pytest.mark.depends("test_layers.py::test_pair_norm")
@pytest.mark.hint("x -= x.mean(0) changes the caller's rows: centre into a new tensor.")
def test_pair_norm_changes_no_tensor_it_is_given(student, rng):
    """pair_norm leaves its input as it was, in every mode."""
    for mode in ("none", "PN", "PN-SI"):
        require_unchanged(student, student.layers.pair_norm, normal(rng, 8, 3), 2.0, mode)


@pytest.mark.item("split", weight=0.5)
@pytest.mark.depends("test_links.py::test_every_edge_is_in_one_part")
@pytest.mark.hint("Shuffle a copy of the edges.")
def test_a_split_changes_no_tensor_it_is_given(student, rng):
    """split_edges leaves the list of edges as it was."""
    edges, generator = graph(rng, 40, 120), student.torch_generator(0)
    require_unchanged(student, student.layers.split_edges, edges, 40, generator)


@pytest.mark.item("metrics", weight=0.5)
@pytest.mark.depends("test_links.py::test_metric")
@pytest.mark.hint("sort(), not sort_(): scores and labels belong to whoever called.")
def test_a_metric_changes_no_tensor_it_is_given(student, rng):
    """AUC and average precision leave scores and labels as they were."""
    scores, labels = normal(rng, 30), torch.arange(30) % 3 % 2
    for function in (student.layers.auc, student.layers.average_precision):
        require_unchanged(student, function, scores, labels)


@pytest.mark.item("network", weight=0.5)
@pytest.mark.hint("Dropout stands before every layer, the first one too, and divides by 1 - p.")
@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_thins_the_input_and_keeps_its_mean(student, twin, rng, layers):
    """In training inputs are dropped with probability p, and what stays is divided by 1 - p."""
    n, p = 4000, 0.4
    x, lonely = normal(rng, 1, 6).repeat(n, 1), torch.zeros(0, 2, dtype=torch.int64)
    settings = {"layers": layers, "activation": "identity"}
    module = as_object(student.model.GCN(6, 8, 3, dropout=p, **settings))
    ours = twin(module, (6, *[8] * (layers - 1), 3), activation="identity")
    with torch.no_grad():
        plain = ours(x[:1], lonely)[0].double()  # what the rows, all equal, must give on average
    set_training(module, True)
    found = as_tensor(module(x, lonely), (n, 3), torch.float32).detach().double()
    # Without edges every node sees itself alone: its output is a sum over the weights that stay.
    kept = p / (1 - p)
    weights = [layer.detach().double() for layer in list(ours.parameters())[0::2]]
    biases = [layer.detach().double() for layer in list(ours.parameters())[1::2]]
    h, spread = x[0].double(), torch.zeros(6, 6, dtype=torch.float64)  # mean and covariance
    for w, b in zip(weights, biases, strict=True):
        spread = spread + kept * torch.diag(torch.diagonal(spread) + h.square())
        h, spread = h @ w + b, w.T @ spread @ w
    variance = torch.diagonal(spread)
    # Means of 4,000 rows, and variances with a relative sd of 0.03: bounds at seven sd or more.
    far = float(((found.mean(dim=0) - plain).abs() / (variance / n).sqrt()).max())
    require(far < 7, f"the mean is {far:.0f} standard errors off: is what stays divided by 1 - p?")
    share = float(found.var(dim=0).sum() / variance.sum())
    require(0.75 < share < 1.3, f"the variance is {share:.2f} of that of a dropped input")


@pytest.mark.item("pair-norm", weight=0.5)
@pytest.mark.hint(
    "The slope of a root is infinite at 0: keep the squared length above 0 within it."
)
@pytest.mark.parametrize("mode", ["PN", "PN-SI"])
def test_gradients_of_pair_norm_are_finite_at_zeros(student, rng, mode):
    """Nodes that are all equal are centred to zeros, and training on them leaves no NaN."""
    n = 8
    x, lonely = normal(rng, 1, 5).repeat(n, 1), torch.zeros(0, 2, dtype=torch.int64)
    module = student.model.train_node(
        x, lonely, torch.arange(n) % 2, torch.arange(n), 0,
        epochs=3, layers=2, pair_norm=mode, dropout=0.0,
    )  # fmt: skip
    for name, tensor in parameters(as_object(module)).items():
        require(bool(as_tensor(tensor, finite=False).isfinite().all()), f"{name} is NaN")
