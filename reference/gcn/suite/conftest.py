"""What the tests share: random graphs, the hidden form of a public graph, the proof of a network.

Labels and edges of Cora, Citeseer and PPI can be looked up. So a submission never meets them as
they are published: some nodes, edges and words are missing, and nodes, words and classes have new
numbers, drawn for this submission. Only the labels to train on go in, and of edges only those to
train on.
"""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from grader.suite import as_object, as_tensor, parameters, require

# The shares of a public graph that stay. Less would cost accuracy: of 3 % of the nodes, 3 % of
# the edges and 5 % of the words the reference loses about one point.
NODES, EDGES, WORDS = 0.97, 0.97, 0.95
TRAIN_PER_CLASS = 20
TRAIN_SHARE = 0.6  # of the labelled nodes, where a node may bear several labels
UNLABELLED = -1  # stands for a class that is hidden, or that nobody knows
# Rounding in float32 through a few layers; a network that differs in any part is off by far more.
ROUNDING = 1e-4


@dataclass(frozen=True)
class Nodes:
    """A node task: what goes in, and the labels to score by."""

    x: torch.Tensor  # float32 [n, d], rows sum to 1
    edges: torch.Tensor  # int64 [E, 2]
    shown: torch.Tensor  # labels with -1 where they are hidden
    train: torch.Tensor
    y: torch.Tensor  # all labels, which stay out here
    test: torch.Tensor

    @property
    def classes(self):
        """The number of classes, or of labels of which a node bears any number."""
        return self.y.shape[1] if self.y.ndim == 2 else int(self.y.max()) + 1


def disguise(graph, rng):
    """Return x, y, edges of a data set with parts left out and all numbers drawn anew."""
    nodes = rng.permutation(len(graph.x))[: int(NODES * len(graph.x))]
    place = np.full(len(graph.x), -1)
    place[nodes] = np.arange(len(nodes))
    edges = place[graph.edges]
    edges = edges[(edges >= 0).all(axis=1) & (rng.random(len(edges)) < EDGES)]
    edges = rng.permutation(np.where(rng.random((len(edges), 1)) < 0.5, edges, edges[:, ::-1]))
    if np.array_equal(graph.x, np.eye(len(graph.x), dtype=np.float32)):
        x = np.eye(len(nodes), dtype=np.float32)  # a graph without features: a node is its number
    else:
        x = graph.x[nodes][:, rng.permutation(graph.x.shape[1])]
        x = x * (rng.random(x.shape, dtype=np.float32) < WORDS)
    if graph.y.ndim == 2:
        return x, graph.y[nodes][:, rng.permutation(graph.y.shape[1])], edges
    y, numbers = graph.y[nodes], rng.permutation(graph.num_classes)
    return x, np.where(y == UNLABELLED, UNLABELLED, numbers[y]), edges


def resplit(x, y, edges, rng, normalise):
    """Return a node task with a split of its own: a labelled node is trained on or tested.

    Nodes that nobody labelled (15 in Citeseer) stay in the graph and are in neither.
    """
    labelled = (y.reshape(len(y), -1) != UNLABELLED).all(axis=1)
    order = rng.permutation(np.flatnonzero(labelled))
    if y.ndim == 2:
        train = order[: int(TRAIN_SHARE * len(order))]
    else:
        classes = range(int(y.max()) + 1)
        train = np.concatenate([order[y[order] == c][:TRAIN_PER_CLASS] for c in classes])
    test = np.setdiff1d(order, train)
    shown = np.full_like(y, UNLABELLED)
    shown[train] = y[train]
    tensors = map(torch.tensor, (edges, shown, train, y, test))
    return Nodes(normalise(torch.tensor(x)), *tensors)


@pytest.fixture(scope="session")
def node_task(reference):
    """Give ``node_task(name, rng)``, which draws a hidden form and split of a data set."""

    def draw(name, rng):
        parts = disguise(reference.datasets.load(name), rng)
        return resplit(*parts, rng, reference.layers.row_normalise)

    return draw


@pytest.fixture(scope="session")
def link_task(reference):
    """Give ``link_task(name, rng, matched)``: x [n, d] and the split edges of a hidden form."""

    def draw(name, rng, matched):
        x, _, edges = disguise(reference.datasets.load(name), rng)
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        pairs = torch.tensor(edges)
        split = reference.layers.split_edges(pairs, len(x), generator, matched=matched)
        return reference.layers.row_normalise(torch.tensor(x)), split

    return draw


@pytest.fixture(scope="session")
def messy_edges():
    """Give ``messy_edges(rng, n, count)``: both directions, doubles, self-loops, lone nodes."""

    def draw(rng, n, count):
        # The last fifth of the nodes has no edge, wherever the shuffle puts it.
        nodes = rng.permutation(n)[: max(2, 4 * n // 5)]
        edges = nodes[rng.integers(0, len(nodes), (count, 2))]
        again = edges[: count // 3]
        loops = np.repeat(rng.integers(0, n, (max(1, count // 8), 1)), 2, axis=1)
        return torch.tensor(rng.permutation(np.concatenate([edges, again[:, ::-1], again, loops])))

    return draw


@pytest.fixture(scope="session")
def planted(reference):
    """Give ``planted(rng, ...)``: a graph of communities that is nowhere to be looked up.

    Edges mostly stay within a community and words tell something of it, neither of them enough
    by itself.
    """

    def draw(rng, n=240, classes=3, words=90, several=False, within=0.10, across=0.006):
        community = rng.permutation(np.arange(n) % classes)
        u, v = rng.integers(0, n, (2, 30 * n))
        chance = np.where(community[u] == community[v], within, across)
        edges = np.stack([u, v], axis=1)[rng.random(len(u)) < chance]
        topic = rng.random((n, words)) < 0.05
        own = (np.arange(words) % classes)[None] == community[:, None]
        x = (topic | (own & (rng.random((n, words)) < 0.06))).astype(np.float32)
        y = community
        if several:
            bits = np.arange(2 * classes)[None] % classes == community[:, None]
            y = (bits ^ (rng.random(bits.shape) < 0.02)).astype(np.float32)
        return resplit(x, y, edges, rng, reference.layers.row_normalise)

    return draw


@pytest.fixture(scope="session")
def arrays_of():
    """Give ``arrays_of(module, sizes)``: its parameters, checked to be W_1, b_1, W_2, b_2, ..."""

    def take(module, sizes):
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        wanted = [shape for a, b in pairs for shape in ((a, b), (b,))]
        found = list(parameters(as_object(module)).values())
        shapes = [tuple(tensor.shape) for tensor in found]
        require(shapes == wanted, f"parameters of shapes {shapes}, expected {wanted}")
        return [as_tensor(tensor, dtype=torch.float32).detach() for tensor in found]

    return take


@pytest.fixture(scope="session")
def twin(reference, arrays_of):
    """Give ``twin(module, sizes, **settings)``: our network with the parameters of a student's."""

    def make(module, sizes, **settings):
        hidden = sizes[1] if len(sizes) > 2 else 1
        ours = reference.model.GCN(
            sizes[0], hidden, sizes[-1], layers=len(sizes) - 1, **settings
        ).eval()
        with torch.no_grad():
            for mine, theirs in zip(ours.parameters(), arrays_of(module, sizes), strict=True):
                mine.copy_(theirs)
        return ours

    return make


@pytest.fixture(scope="session")
def output_of(twin):
    """Give ``output_of(module, x, edges, sizes)``: a trained network's output, checked.

    It must be that of a GCN with the parameters the module shows: predictions that come from
    somewhere else, a table or the propagation of labels, are none of a network.
    """

    @torch.no_grad()
    def ask(module, x, edges, sizes):
        answer = as_object(module)(x, edges)
        found = as_tensor(answer, (len(x), sizes[-1]), torch.float32).detach()
        wanted = twin(module, sizes)(x.to_sparse(), edges)
        error = float((found - wanted).abs().max())
        scale = float(wanted.abs().max())
        require(
            error <= ROUNDING * (1 + scale),
            f"the output is {error:.3g} off that of a GCN with these parameters; is the network "
            "returned in evaluation mode?",
        )
        return found

    return ask


@pytest.fixture(scope="session")
def link_scores():
    """Give ``link_scores(z, positives, negatives)``: scores and labels of pairs, for AUC and AP."""

    def score(z, positives, negatives):
        u, v = torch.cat([positives, negatives]).T
        labels = torch.cat([torch.ones(len(positives)), torch.zeros(len(negatives))])
        return (z[u].double() * z[v].double()).sum(dim=1), labels

    return score
