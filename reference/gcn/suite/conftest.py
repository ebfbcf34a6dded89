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

from grader.suite import as_number, as_object, as_tensor, parameters, require

# The shares of a public graph that stay. Less would cost accuracy: of 3 % of the nodes, 3 % of
# the edges and 5 % of the words the reference loses about one point.
NODES, EDGES, WORDS = 0.97, 0.97, 0.95
TRAIN_PER_CLASS = 20
TRAIN_SHARE = 0.6  # of the labelled nodes, where a node may bear several labels
UNLABELLED = -1  # stands for a class that is hidden, or that nobody knows
# Rounding in float32 through a few layers; a network that differs in any part is off by far more.
ROUNDING = 1e-4
CELL_CPU_SECONDS = 60  # students are told 10: a slow machine must decide nothing
EPOCHS = 100  # of a cell of the study, as the handout says
BASE = {
    "self_loops": 1.0,
    "layers": 2,
    "drop_edge": 0.0,
    "pair_norm": "none",
    "activation": "relu",
}


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


@dataclass(frozen=True)
class Citations:
    """How a graph like Cora is drawn: about as hard as Cora, and half its size."""

    nodes: int = 1500
    classes: int = 7
    topics: int = 63  # each is a part of one class
    edges: float = 1.95  # a node, of which a quarter close triangles
    within_topic: float = 0.62  # share of the other edges that join two nodes of one topic
    within_class: float = 0.25  # and of one class
    closing: float = 0.25
    words: int = 800
    length: int = 18  # mean number of words of a node
    of_topic: float = 0.45  # share of them that come from 25 words of its topic
    of_class: float = 0.10  # and from 60 of its class
    strays: float = 0.06  # share of the nodes that write of another topic


def distinct(edges):
    """Return every undirected edge once, in the order of the list; self-loops are left out."""
    edges = np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1)
    _, first = np.unique(edges, axis=0, return_index=True)
    return edges[np.sort(first)]


def cite(topic, of_class, rng, shape):
    """Draw edges: most stay within a topic, some nodes have many, neighbours share neighbours."""
    n, count = len(topic), int(shape.edges * len(topic))
    # Quantiles of a Pareto distribution, dealt out: graphs differ in who has many edges alone.
    weight = rng.permutation(np.minimum((1 - (np.arange(n) + 0.5) / n) ** -0.5 - 0.4, 15))

    def among(members, size):
        chance = weight[members]
        return rng.choice(members, size, p=chance / chance.sum())

    everyone, kind = np.arange(n), rng.random(2 * count)
    u = np.concatenate([rng.permutation(n), among(everyone, 2 * count - n)])  # nobody is left out
    v = among(everyone, 2 * count)
    near = kind < shape.within_topic
    for chosen, part in (
        (near, topic),
        (~near & (kind < shape.within_topic + shape.within_class), of_class),
    ):
        for group in np.unique(part):
            own = chosen & (part[u] == group)
            v[own] = among(np.flatnonzero(part == group), int(own.sum()))
    edges = distinct(np.stack([u, v], axis=1))[: int((1 - shape.closing) * count)]
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]  # neighbours of a node stand together
    first, degree = np.searchsorted(both[:, 0], everyone), np.bincount(both[:, 0], minlength=n)
    start, middle = both[rng.integers(len(both), size=count)].T
    end = both[first[middle] + rng.integers(degree[middle]), 1]
    return distinct(np.concatenate([edges, np.stack([start, end], axis=1)]))[:count]


def write(topic, of_class, rng, shape):
    """Draw the words of every node, float32 [n, words] of 0 and 1: some tell its topic or class."""
    n = len(topic)
    common = rng.permutation(1 / np.arange(1, shape.words + 1) ** 0.7)
    common /= common.sum()
    node = np.repeat(np.arange(n), 1 + rng.poisson(shape.length - 1, n))
    word, kind = rng.choice(shape.words, len(node), p=common), rng.random(len(node))
    telling = kind < shape.of_topic
    classy = ~telling & (kind < shape.of_topic + shape.of_class)
    for chosen, part, size in ((telling, topic, 25), (classy, of_class, 60)):
        for group in np.unique(part):
            own = chosen & (part[node] == group)
            favoured = rng.choice(shape.words, size, replace=False, p=common)
            word[own] = rng.choice(favoured, int(own.sum()))
    x = np.zeros((n, shape.words), dtype=np.float32)
    x[node, word] = 1
    return x


@pytest.fixture(scope="session")
def citations():
    """Give ``citations(rng)``: x, y, edges of a graph like Cora that is nowhere to be looked up.

    So it is scored on what training learns, and knowing the public graphs is worth nothing.
    """

    def draw(rng, shape=Citations()):
        topic = rng.permutation(np.arange(shape.nodes) % shape.topics)
        class_of = rng.permutation(np.arange(shape.topics) % shape.classes)
        strays = rng.random(shape.nodes) < shape.strays
        written = np.where(strays, rng.choice(shape.topics, shape.nodes), topic)
        edges = cite(topic, class_of[topic], rng, shape)
        return write(written, class_of[written], rng, shape), class_of[topic], edges

    return draw


@pytest.fixture(scope="session")
def drawn_node_task(reference, citations):
    """Give ``drawn_node_task(rng)``: the node task of a drawn graph like Cora."""
    return lambda rng: resplit(*citations(rng), rng, reference.layers.row_normalise)


@pytest.fixture(scope="session")
def drawn_link_task(reference, citations):
    """Give ``drawn_link_task(rng)``: x [n, d] and the split edges of a drawn graph like Cora."""

    def draw(rng):
        x, _, edges = citations(rng)
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        split = reference.layers.split_edges(torch.tensor(edges), len(x), generator)
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
    """Give ``arrays_of(module, sizes)``: its parameters, checked to be W_1, b_1, W_2, b_2, ...

    They are given as float32: in which precision a network keeps its numbers is its own affair.
    """

    def take(module, sizes):
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        wanted = [shape for a, b in pairs for shape in ((a, b), (b,))]
        found = list(parameters(as_object(module)).values())
        shapes = [tuple(tensor.shape) for tensor in found]
        require(shapes == wanted, f"parameters of shapes {shapes}, expected {wanted}")
        tensors = [as_tensor(tensor).detach() for tensor in found]
        real = all(tensor.is_floating_point() for tensor in tensors)
        require(real, f"expected real numbers, got {[tensor.dtype for tensor in tensors]}")
        return [tensor.float() for tensor in tensors]

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


@pytest.fixture(scope="session")
def run_cell():
    """Give ``run_cell(student, task, factor, value, seed, data)``: a cell of the student's own."""

    def run(student, *cell):
        with student.budget(cpu_seconds=CELL_CPU_SECONDS):
            metric = as_number(student.study.run_cell(*cell))
        require(0 <= metric <= 1, f"run_cell gave {metric}, scores lie in [0, 1]")
        return metric

    return run


@pytest.fixture(scope="session")
def measure_cell(reference, variant, link_scores):
    """Give ``measure_cell(student, task, factor, value, seed, data)``: what a cell should say.

    The student's own train_node or train_link makes the network, called as run_cell should call
    it; the graph is split and the network scored out here.
    """
    matched = variant["first"] == "ppi-node2vec"

    def train(student, function, x, edges, *rest, **settings):
        with student.budget(cpu_seconds=CELL_CPU_SECONDS):
            module = as_object(function(x, edges, *rest, epochs=EPOCHS, **settings))
            return as_tensor(module(x, edges), (len(x), None), torch.float32).detach()

    def node(student, seed, data, settings):
        y, test = data["y"], data["test"]
        known = torch.full_like(y, UNLABELLED)
        known[data["train"]] = y[data["train"]]
        x, rest = reference.layers.row_normalise(data["x"]), (known, data["train"], seed)
        logits = train(student, student.model.train_node, x, data["edges"], *rest, **settings)
        if y.ndim == 2:
            return reference.study.micro_f1(logits[test], y[test])
        return float((logits[test].argmax(dim=1) == y[test]).double().mean())

    def link(student, seed, data, settings):
        x, generator = reference.layers.row_normalise(data["x"]), torch.Generator()
        split = reference.layers.split_edges(
            data["edges"], len(x), generator.manual_seed(seed), matched=matched
        )
        settings = {**settings, "matched": matched}
        z = train(student, student.model.train_link, x, split["train"], seed, **settings)
        return reference.layers.auc(*link_scores(z, split["test"], split["test_neg"]))

    def measure(student, task, factor, value, seed, data):
        ask = node if task == "node" else link
        return ask(student, seed, data, {**BASE, factor: value})

    return measure


@pytest.fixture(scope="session")
def as_data():
    """Give ``as_data(task, y)``: a drawn graph as run_cell gets it, with words of 0 and 1.

    Half of the nodes that are not trained on are there to validate, the others to test.
    """

    def convert(task, y=None):
        half = len(task.test) // 2
        return {
            "x": (task.x > 0).float(),
            "y": task.y if y is None else y,
            "edges": task.edges,
            "train": task.train,
            "val": task.test[:half],
            "test": task.test[half:],
        }

    return convert
