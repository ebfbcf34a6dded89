"""The graph convolution and its neighbours, in torch."""

from __future__ import annotations

import torch
from torch import Tensor

Adjacency = tuple[Tensor, Tensor]

NORMALISATIONS = ("sym", "row")
PAIR_NORMS = ("none", "PN", "PN-SI")
TINY = 1e-12  # a length below it counts as zero, so that nothing is divided by 0


def dense(adj: Adjacency, n: int) -> Tensor:
    """Return an adjacency (index, weight) as a matrix [n, n], for looking at it (given)."""
    index, weight = adj
    matrix = torch.zeros(n, n, dtype=weight.dtype, device=weight.device)
    return matrix.index_put((index[0], index[1]), weight, accumulate=True)


def undirected(edges: Tensor) -> Tensor:
    """Return every undirected edge once, as (u, v) with u < v, sorted."""
    edges = edges.reshape(-1, 2)
    edges = edges[edges[:, 0] != edges[:, 1]]
    edges = edges.sort(dim=1).values
    return torch.unique(edges, dim=0)


def norm_adj(edges: Tensor, n: int, self_loops: float = 1.0, mode: str = "sym") -> Adjacency:
    """Return the normalised adjacency with self-loops of one weight."""
    if mode not in NORMALISATIONS:
        raise ValueError(f"unknown normalisation {mode!r}")
    pairs = undirected(edges)
    nodes = torch.arange(n, device=edges.device)
    row = torch.cat([pairs[:, 0], pairs[:, 1]])
    col = torch.cat([pairs[:, 1], pairs[:, 0]])
    weight = torch.ones(len(row), device=edges.device)
    if self_loops != 0:
        row = torch.cat([row, nodes])
        col = torch.cat([col, nodes])
        weight = torch.cat([weight, torch.full((n,), float(self_loops), device=edges.device)])
    degree = torch.zeros(n, device=edges.device).index_add(0, row, weight)
    if mode == "sym":
        inverse = torch.where(degree > 0, degree.clamp(min=TINY) ** -0.5, 0.0)
        weight = inverse[row] * weight * inverse[col]
    else:
        inverse = torch.where(degree > 0, 1.0 / degree.clamp(min=TINY), 0.0)
        weight = inverse[row] * weight
    return torch.stack([row, col]), weight


def propagate(adj: Adjacency, h: Tensor) -> Tensor:
    """Return A h."""
    index, weight = adj
    messages = weight[:, None].to(h.dtype) * h[index[1]]
    return torch.zeros_like(h).index_add(0, index[0], messages)


def gcn_layer(x: Tensor, adj: Adjacency, w: Tensor, b: Tensor) -> Tensor:
    """Return A x W + b."""
    xw = torch.sparse.mm(x, w) if x.is_sparse else x @ w
    return propagate(adj, xw) + b


def row_normalise(x: Tensor) -> Tensor:
    """Divide every row by its sum."""
    total = x.sum(dim=1, keepdim=True)
    return torch.where(total > 0, x / total.clamp(min=TINY), torch.zeros_like(x))


def drop_edge(edges: Tensor, p: float, generator: torch.Generator | None = None) -> Tensor:
    """Drop each undirected edge with probability p."""
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}, not in [0, 1]")
    pairs = undirected(edges)
    keep = torch.rand(len(pairs), generator=generator) >= p
    return pairs[keep.to(pairs.device)]


def pair_norm(x: Tensor, scale: float = 1.0, mode: str = "PN") -> Tensor:
    """Centre over the nodes, then give back a fixed size."""
    if mode not in PAIR_NORMS:
        raise ValueError(f"unknown mode {mode!r}")
    if mode == "none":
        return x
    c = x - x.mean(dim=0, keepdim=True)
    squares = (c**2).sum(dim=1, keepdim=True)
    if mode == "PN":
        squares = squares.mean(dim=0, keepdim=True)
    zero = squares <= TINY**2
    length = torch.where(zero, torch.ones_like(squares), squares).sqrt()
    return torch.where(zero, torch.zeros_like(c), scale * c / length)


def split_edges(
    edges: Tensor,
    n: int,
    generator: torch.Generator | None = None,
    *,
    val: float = 0.05,
    test: float = 0.10,
    matched: bool = False,
) -> dict[str, Tensor]:
    """Split a graph's edges for link prediction, and draw pairs that are no edges."""
    pairs = undirected(edges)
    order = torch.randperm(len(pairs), generator=generator)
    n_val, n_test = int(val * len(pairs)), int(test * len(pairs))
    parts = {
        "val": pairs[order[:n_val]],
        "test": pairs[order[n_val : n_val + n_test]],
        "train": pairs[order[n_val + n_test :]],
    }
    if matched:
        chance = torch.bincount(pairs.flatten(), minlength=n).float()
    else:
        chance = torch.ones(n)
    taken = set((pairs[:, 0] * n + pairs[:, 1]).tolist())
    wanted = n_val + n_test
    negatives = []
    while len(negatives) < wanted:
        drawn = torch.multinomial(chance, 2 * wanted + 100, replacement=True, generator=generator)
        for u, v in drawn.view(-1, 2).tolist():
            u, v = min(u, v), max(u, v)
            if u == v or u * n + v in taken:
                continue
            taken.add(u * n + v)
            negatives.append((u, v))
    negatives = torch.tensor(negatives[:wanted], dtype=torch.int64).reshape(-1, 2)
    parts["val_neg"] = negatives[:n_val]
    parts["test_neg"] = negatives[n_val:]
    return parts


def auc(scores: Tensor, labels: Tensor) -> float:
    """Return the area under the ROC curve."""
    positive = scores[labels == 1]
    negative = scores[labels == 0].sort().values
    if len(positive) == 0 or len(negative) == 0:
        raise ValueError("AUC needs positives and negatives")
    below = torch.searchsorted(negative, positive, right=False)
    upto = torch.searchsorted(negative, positive, right=True)
    wins = (below + upto).double().sum() / 2
    return float(wins / (len(positive) * len(negative)))


def average_precision(scores: Tensor, labels: Tensor) -> float:
    """Return the average precision."""
    positives = int((labels == 1).sum())
    if positives == 0:
        raise ValueError("average precision needs positives")
    values = torch.unique(scores).flip(0)
    _, step = torch.unique(-scores, return_inverse=True)
    hits = torch.zeros(len(values), dtype=torch.float64).index_add(
        0, step, (labels == 1).double()
    )
    total = torch.bincount(step, minlength=len(values)).double()
    found, called = hits.cumsum(0), total.cumsum(0)
    return float((hits / positives * found / called).sum())
