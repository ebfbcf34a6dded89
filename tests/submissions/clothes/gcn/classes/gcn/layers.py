from __future__ import annotations

import torch
from torch import Tensor

from .graph import Graph, NegativeSampler, Normaliser
from .scores import Ranking

Adjacency = tuple[Tensor, Tensor]

NORMALISATIONS = tuple(Normaliser.modes)
PAIR_NORMS = ("none", "PN", "PN-SI")


def dense(adj: Adjacency, n: int) -> Tensor:
    """Return an adjacency (index, weight) as a matrix [n, n], for looking at it (given)."""
    index, weight = adj
    matrix = torch.zeros(n, n, dtype=weight.dtype, device=weight.device)
    return matrix.index_put((index[0], index[1]), weight, accumulate=True)


def undirected(edges: Tensor) -> Tensor:
    return Graph(edges).pairs


def norm_adj(edges: Tensor, n: int, self_loops: float = 1.0, mode: str = "sym") -> Adjacency:
    if mode not in Normaliser.modes:
        raise ValueError(f"Unknown mode: {mode}")
    index, values, degrees = Graph(edges, n).with_loops(self_loops)
    return index, Normaliser.modes[mode]()(index, values, degrees)


def propagate(adj: Adjacency, h: Tensor) -> Tensor:
    (rows, columns), weight = adj
    out = h.new_zeros(h.shape)
    return out.index_add(0, rows, h.index_select(0, columns) * weight.unsqueeze(-1))


def gcn_layer(x: Tensor, adj: Adjacency, w: Tensor, b: Tensor) -> Tensor:
    return torch.add(propagate(adj, torch.mm(x, w)), b)


def row_normalise(x: Tensor) -> Tensor:
    return torch.nan_to_num(x / x.sum(dim=1, keepdim=True), nan=0.0)


def drop_edge(edges: Tensor, p: float, generator: torch.Generator | None = None) -> Tensor:
    if not 0.0 <= p <= 1.0:
        raise ValueError("p must be a probability")
    pairs = Graph(edges).pairs
    kept = torch.full((len(pairs),), 1.0 - p).bernoulli(generator=generator).bool()
    return pairs[kept]


class PairNorm:
    def __init__(self, scale, mode):
        if mode not in PAIR_NORMS:
            raise ValueError(f"Unknown PairNorm: {mode}")
        self.scale, self.mode = scale, mode

    def __call__(self, x):
        if self.mode == "none":
            return x
        centred = x - x.mean(0)
        squares = centred.square().sum(dim=1, keepdim=True)
        if self.mode == "PN":
            squares = squares.mean(dim=0, keepdim=True)
        # below, the gradient is cut off as well: it would be inf times 0
        return self.scale * centred / squares.clamp(min=1e-24).sqrt()


def pair_norm(x: Tensor, scale: float = 1.0, mode: str = "PN") -> Tensor:
    return PairNorm(scale, mode)(x)


def split_edges(
    edges: Tensor,
    n: int,
    generator: torch.Generator | None = None,
    *,
    val: float = 0.05,
    test: float = 0.10,
    matched: bool = False,
) -> dict[str, Tensor]:
    graph = Graph(edges, n)
    total = len(graph.pairs)
    sizes = {"test": int(test * total), "val": int(val * total)}
    negatives = NegativeSampler(graph, generator, matched).draw(sum(sizes.values()))
    shuffled = graph.pairs[torch.randperm(total, generator=generator)]
    parts, done = {}, 0
    for name, size in sizes.items():
        parts[name] = shuffled[done : done + size]
        parts[name + "_neg"] = negatives[done : done + size]
        done += size
    parts["train"] = shuffled[done:]
    return parts


def auc(scores: Tensor, labels: Tensor) -> float:
    return Ranking(scores, labels).auc()


def average_precision(scores: Tensor, labels: Tensor) -> float:
    return Ranking(scores, labels).average_precision()
