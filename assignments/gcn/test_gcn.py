"""Public tests of the lab gcn: run ``python -m pytest test_gcn.py`` beside the folder ``gcn``.

They need the student's package, NumPy, torch and pytest, and show small examples worked by hand.
Passing them is a good start, not full marks: the hidden tests ask for more.
"""

import functools

import pytest
import torch
from gcn import layers, model, study


def told(test):
    """Say in one line which function is not written yet, instead of a traceback."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        try:
            return test(*args, **kwargs)
        except NotImplementedError as missing:
            reason = str(missing)
        pytest.fail(reason, pytrace=False)

    return run


def close(actual, expected, tolerance=1e-5):
    """Assert equal shapes and nearly equal values."""
    actual, expected = torch.as_tensor(actual), torch.as_tensor(expected)
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance, check_dtype=False)


STAR = torch.tensor([[1, 0], [1, 2], [1, 3]])  # node 1 in the middle
X = torch.tensor([[1.0, 0.0], [3.0, 4.0], [5.0, 2.0]])


def blocks(seed=5, n=120):
    """Return a graph of two communities: x, edges, y and the labelled nodes."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    edges = torch.randint(n, (20 * n, 2), generator=generator)
    within = y[edges[:, 0]] == y[edges[:, 1]]
    chance = torch.where(within, 0.2, 0.02)
    edges = edges[torch.rand(len(edges), generator=generator) < chance]
    x = (torch.rand(n, 20, generator=generator) < 0.1).float()
    x[:, :10] += (torch.rand(n, 10, generator=generator) < 0.2 * y[:, None]).float()
    return x, edges, y, torch.arange(40)


@told
def test_undirected():
    """Doubles, both directions and self-loops go."""
    edges = torch.tensor([[3, 1], [1, 3], [0, 2], [2, 2], [0, 2]])
    close(layers.undirected(edges), [[0, 2], [1, 3]])


@told
def test_norm_adj_of_a_star():
    """Degrees with the self-loop: 4 in the middle, 2 elsewhere."""
    s = 0.353553
    wanted = [[0.5, s, 0, 0], [s, 0.25, s, s], [0, s, 0.5, 0], [0, s, 0, 0.5]]
    close(layers.dense(layers.norm_adj(STAR, 4), 4), wanted)


@told
def test_norm_adj_by_rows():
    """Every row sums to 1; a lone node without self-loop has a row of zeros."""
    matrix = layers.dense(layers.norm_adj(STAR, 5, 0.0, "row"), 5)
    close(matrix.sum(dim=1), [1.0, 1, 1, 1, 0])


@told
def test_repeated_propagation_ends_at_sqrt_d():
    """Over-smoothing: what is left of any signal is a multiple of sqrt(d)."""
    h = torch.tensor([[1.0], [0.0], [0.0], [0.0]])
    for _ in range(200):
        h = layers.propagate(layers.norm_adj(STAR, 4), h)
    close(h[:, 0], [0.2, 0.282843, 0.2, 0.2])


@told
def test_gcn_layer():
    """A x W + b, for an A with one entry."""
    adj = (torch.tensor([[0], [1]]), torch.tensor([2.0]))
    w, b = torch.tensor([[1.0], [10.0]]), torch.tensor([0.5])
    close(layers.gcn_layer(X, adj, w, b), [[86.5], [0.5], [0.5]])


@told
def test_row_normalise():
    """Rows sum to 1, zeros stay zeros."""
    close(layers.row_normalise(torch.tensor([[1.0, 3.0], [0.0, 0.0]])), [[0.25, 0.75], [0, 0]])


@told
def test_drop_edge():
    """The probability p is that to drop; what stays are edges of the graph."""
    u = torch.arange(2000)
    path = torch.stack([u, u + 1], dim=1)
    kept = layers.drop_edge(path, 0.3, torch.Generator().manual_seed(0))
    assert 1300 < len(kept) < 1500, f"p = 0.3 kept {len(kept)} of 2000 edges"
    assert ((kept[:, 1] - kept[:, 0]) == 1).all(), "an edge that the graph does not have"


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        pytest.param("PN", [[-0.866025, -0.866025], [0, 0.866025], [0.866025, 0]], id="PN"),
        pytest.param("PN-SI", [[-0.707107, -0.707107], [0, 1], [1, 0]], id="PN-SI"),
    ],
)
@told
def test_pair_norm(mode, wanted):
    """Three points in the plane."""
    close(layers.pair_norm(X, 1.0, mode), wanted)


@told
def test_split_edges():
    """Every edge is in one part, and no negative is an edge."""
    _, edges, _, _ = blocks()
    parts = layers.split_edges(edges, 120, torch.Generator().manual_seed(0))
    held = [tuple(pair) for name in ("train", "val", "test") for pair in parts[name].tolist()]
    every = {tuple(pair) for pair in layers.undirected(edges).tolist()}
    assert sorted(held) == sorted(every)
    for name in ("val", "test"):
        negatives = {tuple(pair) for pair in parts[f"{name}_neg"].tolist()}
        assert len(negatives) == len(parts[name]) and not negatives & every


@told
def test_auc():
    """Four scores, two of them equal: three and a half of four pairs are in order."""
    scores, labels = torch.tensor([0.9, 0.4, 0.4, 0.1]), torch.tensor([1, 1, 0, 0])
    close(layers.auc(scores, labels), 0.875)


@told
def test_average_precision():
    """The two equal scores are one step."""
    scores, labels = torch.tensor([0.9, 0.4, 0.4, 0.1]), torch.tensor([1, 1, 0, 0])
    close(layers.average_precision(scores, labels), 5 / 6)


@told
def test_gcn_has_the_asked_layers():
    """Parameters in order from input to output."""
    shapes = [tuple(p.shape) for p in model.GCN(20, 8, 3, layers=3).parameters()]
    assert shapes == [(20, 8), (8,), (8, 8), (8,), (8, 3), (3,)]


@told
def test_evaluation_mode_drops_nothing():
    """Two passes give one output."""
    x, edges, _, _ = blocks()
    network = model.GCN(20, 8, 3, drop_edge=0.5, dropout=0.5).eval()
    close(network(x, edges), network(x, edges).detach())


@told
def test_train_node_learns_communities():
    """Two communities from 40 labels."""
    x, edges, y, train = blocks()
    known = torch.full_like(y, -1)
    known[train] = y[train]
    network = model.train_node(layers.row_normalise(x), edges, known, train, 0)
    with torch.no_grad():
        guess = network(layers.row_normalise(x), edges).argmax(dim=1)
    accuracy = float((guess == y)[40:].double().mean())
    assert accuracy > 0.8, f"the accuracy is {accuracy:.2f}"


@told
def test_train_link_finds_edges():
    """Inner products are larger for edges than for other pairs."""
    x, edges, _, _ = blocks()
    network = model.train_link(layers.row_normalise(x), edges, 0)
    with torch.no_grad():
        z = network(layers.row_normalise(x), edges)
    pairs = layers.undirected(edges)
    score, others = (z[pairs[:, 0]] * z[pairs[:, 1]]).sum(dim=1), z @ z.T
    assert score.mean() > others.mean() + 0.5


@told
def test_train_open_gives_an_encoder():
    """Any module from (x, edges) to at most 256 numbers a node."""
    x, edges, _, _ = blocks()
    encoder = model.train_open(layers.row_normalise(x), edges, 0)
    z = encoder(layers.row_normalise(x), edges)
    assert len(z) == len(x) and z.ndim == 2 and z.shape[1] <= 256


@pytest.mark.parametrize("task", ["node", "link"])
@told
def test_run_cell_gives_the_same_number_for_the_same_seed(task):
    """A cell can be run again."""
    x, edges, y, train = blocks()
    data = {"x": x, "edges": edges, "y": y, "train": train}
    data |= {"val": torch.arange(40, 60), "test": torch.arange(60, 120)}
    first, again = (study.run_cell(task, "layers", 2, 1, data) for _ in range(2))
    assert 0 <= first <= 1
    assert abs(first - again) < 1e-6
