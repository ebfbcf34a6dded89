"""Stand-ins for the graphs: the same shape, made by a stochastic block model, learnable.

They exist so that everything runs where the real sets cannot be had. Figures measured on them say
nothing about the real sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .kinds import Graph, undirected

VERSION = 1  # to be raised with any change to what comes out: digests of stand-ins hold it


@dataclass(frozen=True)
class Shape:
    """What a stand-in takes from the set that it stands for."""

    nodes: int
    features: int
    classes: int
    degree: float  # edges per node
    strays: float  # share of the nodes whose words and edges are those of another class
    within: float  # share of the edges drawn within a class, before nodes stray
    words: float  # mean number of words of a document
    topical: float  # share of them that come from the class's own words


SHAPES = {
    "synthetic-cora": Shape(2708, 1433, 7, 5278 / 2708, 0.14, 0.95, 18.2, 0.42),
    "synthetic-citeseer": Shape(3327, 3703, 6, 4552 / 3327, 0.26, 0.95, 31.8, 0.42),
}
TRAIN_PER_CLASS, VALIDATION, TEST = 20, 500, 1000
OWN_WORDS = 0.1  # share of all words that a class favours
GRAPHS, VALID_GRAPHS, TEST_GRAPHS = 24, 2, 2
PPI_NODES, PPI_FEATURES, PPI_LABELS, PPI_DEGREE = 2373, 50, 121, 14.4
HIDDEN_FACTORS = 16


def generate(
    name: str,
    nodes: int | None = None,
    features: int | None = None,
    graphs: int = GRAPHS,
    seed: int = 0,
) -> Graph:
    """Return a stand-in, the same for the same arguments.

    `nodes` and `features` are those of the real set unless they are given; for "synthetic-ppi"
    `nodes` counts those of each of the `graphs`, of which there must be at least 5. Splits of
    smaller graphs are smaller in proportion. Raises ValueError if it would be too small to split.
    """
    rng = np.random.default_rng(seed)
    if name == "synthetic-ppi":
        return _many_graphs(name, nodes or PPI_NODES, features or PPI_FEATURES, graphs, rng)
    shape = SHAPES[name]
    return _one_graph(name, shape, nodes or shape.nodes, features or shape.features, rng)


def _one_graph(
    name: str, shape: Shape, nodes: int, features: int, rng: np.random.Generator
) -> Graph:
    if nodes < 5 * shape.classes or features < 10 * shape.classes:
        raise ValueError(f"{name} needs at least 5 nodes and 10 features a class")
    y = rng.permutation(np.arange(nodes, dtype=np.int64) % shape.classes)
    train, val, test = _split(y, shape, rng)
    stray = rng.random(nodes) < shape.strays
    like = np.where(stray, rng.integers(shape.classes, size=nodes), y)
    return Graph(
        name=name,
        x=_documents(like, shape, features, rng),
        y=y,
        edges=_edges(like, round(shape.degree * nodes), shape.within, rng),
        train=train,
        val=val,
        test=test,
        synthetic=True,
    )


def _split(
    y: np.ndarray, shape: Shape, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw as many training nodes of every class; validation and test from the others."""
    nodes = len(y)
    each = max(1, round(TRAIN_PER_CLASS * min(1.0, nodes / shape.nodes)))
    order = rng.permutation(nodes)
    train = np.concatenate([order[y[order] == label][:each] for label in range(shape.classes)])
    rest = order[~np.isin(order, train)]
    val = round(VALIDATION * min(1.0, nodes / shape.nodes))
    test = round(TEST * min(1.0, nodes / shape.nodes))
    return np.sort(train), np.sort(rest[:val]), np.sort(rest[val : val + test])


def _edges(y: np.ndarray, count: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Draw edges, a share of them within a class; some nodes have far more than others."""
    nodes = len(y)
    weight = rng.pareto(2.5, nodes) + 1.0
    drawn = 3 * count  # what is double or joins a node to itself goes
    u = rng.choice(nodes, drawn, p=weight / weight.sum())
    v = rng.integers(nodes, size=drawn)
    within = rng.random(drawn) < share
    for label in np.unique(y):
        members, chosen = np.flatnonzero(y == label), within & (y[u] == label)
        v[chosen] = rng.choice(members, int(chosen.sum()))
    edges = undirected(np.column_stack([u, v]))
    kept = rng.choice(len(edges), min(count, len(edges)), replace=False)
    return edges[np.sort(kept)]


def _documents(y: np.ndarray, shape: Shape, features: int, rng: np.random.Generator) -> np.ndarray:
    """Return float32 [N, features] of 0 and 1: which words, some of them favoured by the class."""
    common = 1.0 / np.arange(1, features + 1) ** 0.7
    common = rng.permutation(common / common.sum())
    x = np.zeros((len(y), features), dtype=np.float32)
    own = [
        rng.choice(features, max(2, int(features * OWN_WORDS)), replace=False)
        for _ in range(shape.classes)
    ]
    lengths = 1 + rng.poisson(shape.words - 1.0, len(y))
    node = np.repeat(np.arange(len(y)), lengths)
    word = rng.choice(features, len(node), p=common)
    topical = rng.random(len(node)) < shape.topical
    for label in range(shape.classes):
        chosen = topical & (y[node] == label)
        word[chosen] = rng.choice(own[label], int(chosen.sum()))
    x[node, word] = 1.0
    return x


def _many_graphs(
    name: str, nodes: int, features: int, graphs: int, rng: np.random.Generator
) -> Graph:
    if graphs <= VALID_GRAPHS + TEST_GRAPHS or nodes < 2 * HIDDEN_FACTORS:
        raise ValueError(f"{name} needs at least 5 graphs of {2 * HIDDEN_FACTORS} nodes")
    shown = rng.normal(size=(HIDDEN_FACTORS, features))
    asked = rng.normal(size=(HIDDEN_FACTORS, PPI_LABELS))
    bar = rng.normal(0.9, 0.5, PPI_LABELS)  # labels differ in how many nodes bear them
    parts = [_tissue(nodes, shown, asked, bar, rng) for _ in range(graphs)]
    firsts = nodes * np.arange(graphs, dtype=np.int64)
    ends = [nodes * (graphs - VALID_GRAPHS - TEST_GRAPHS), nodes * (graphs - TEST_GRAPHS)]
    train, val, test = np.split(np.arange(nodes * graphs, dtype=np.int64), ends)
    return Graph(
        name=name,
        x=np.concatenate([x for x, _, _ in parts]),
        y=np.concatenate([y for _, y, _ in parts]),
        edges=np.concatenate([e + first for (_, _, e), first in zip(parts, firsts, strict=True)]),
        train=train,
        val=val,
        test=test,
        synthetic=True,
    )


def _tissue(
    nodes: int, shown: np.ndarray, asked: np.ndarray, bar: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features, labels and edges of one graph.

    Nodes of one block share hidden factors. Features show them under noise, labels depend on them
    alone: neighbours, mostly of the same block, help to see them.
    """
    block = rng.integers(HIDDEN_FACTORS, size=nodes)
    factors = rng.normal(size=(HIDDEN_FACTORS, HIDDEN_FACTORS))[block]
    factors = 0.8 * factors + 0.6 * rng.normal(size=(nodes, HIDDEN_FACTORS))
    noise = rng.normal(scale=2.0 * HIDDEN_FACTORS**0.5, size=(nodes, shown.shape[1]))
    x = ((factors @ shown + noise) / HIDDEN_FACTORS**0.5).astype(np.float32)
    y = (factors @ asked / HIDDEN_FACTORS**0.5 > bar).astype(np.float32)
    return x, y, _edges(block, round(PPI_DEGREE * nodes), 0.8, rng)
