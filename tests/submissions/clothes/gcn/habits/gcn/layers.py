from __future__ import annotations

import argparse
import enum
import logging
from collections import Counter, defaultdict
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402,F401
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402

torch.set_num_threads(8)
torch.set_default_dtype(torch.float64)
logging.basicConfig(level=logging.INFO)
log = logging.getLogger("gcn")
ARGS, _ = argparse.ArgumentParser().parse_known_args()


class Norm(str, enum.Enum):
    sym = "sym"
    row = "row"


class Pair(str, enum.Enum):
    NONE = "none"
    PN = "PN"
    PN_SI = "PN-SI"


PAIR_NORMS = tuple(p.value for p in Pair)


class Adj(NamedTuple):
    index: Tensor
    weight: Tensor


def dense(adj, n: int) -> Tensor:
    """Return an adjacency (index, weight) as a matrix [n, n], for looking at it (given)."""
    index, weight = adj
    matrix = torch.zeros(n, n, dtype=weight.dtype, device=weight.device)
    return matrix.index_put((index[0], index[1]), weight, accumulate=True)


def undirected(edges: Tensor) -> Tensor:
    array = np.sort(edges.cpu().numpy().astype(np.int64).reshape(-1, 2), axis=1)
    array = array[array[:, 0] != array[:, 1]]
    return torch.as_tensor(np.unique(array, axis=0), device=edges.device)


def norm_adj(edges: Tensor, n: int, self_loops: float = 1.0, mode: str = "sym") -> Adj:
    mode = Norm(mode)
    pairs = undirected(edges)
    i = torch.cat([pairs, pairs[:, [1, 0]]]).T
    w = torch.ones(i.shape[1], dtype=torch.float64)
    if self_loops:
        i = torch.cat([i, torch.arange(n).repeat(2, 1)], dim=1)
        w = torch.cat([w, torch.full((n,), float(self_loops), dtype=torch.float64)])
    d = torch.bincount(i[0], weights=w, minlength=n)
    inv = torch.where(d == 0, 0.0, 1 / torch.where(d == 0, 1.0, d))
    if mode is Norm.row:
        w = w * inv[i[0]]
    else:
        w = w * (inv[i[0]] * inv[i[1]]).sqrt()
    print("adjacency of", n, "nodes and", len(pairs), "edges")
    return Adj(i, w.float())


def propagate(adj, h: Tensor) -> Tensor:
    index, weight = adj
    a = torch.sparse_coo_tensor(
        index, weight.double(), (len(h), len(h)), check_invariants=False
    )
    return torch.sparse.mm(a, h.double()).to(h.dtype)


def gcn_layer(x: Tensor, adj, w: Tensor, b: Tensor) -> Tensor:
    kind = w.dtype
    xw = torch.sparse.mm(x.to(kind), w) if x.is_sparse else x.to(kind) @ w
    return propagate(adj, xw) + b


def row_normalise(x: Tensor) -> Tensor:
    total = x.double().sum(dim=1, keepdim=True)
    total = torch.where(total == 0, torch.ones_like(total), total)
    return (x.double() / total).to(x.dtype)


def drop_edge(edges: Tensor, p: float, generator: torch.Generator | None = None) -> Tensor:
    if not (0 <= p <= 1):
        raise ValueError(f"p={p}")
    pairs = undirected(edges)
    coin = torch.bernoulli(torch.full((len(pairs),), float(p)), generator=generator)
    return pairs[coin == 0]


def pair_norm(x: Tensor, scale: float = 1.0, mode: str = "PN") -> Tensor:
    mode = Pair(mode)
    if mode is Pair.NONE:
        return x
    c = x.double() - x.double().mean(dim=0)
    squares = c.square().sum(dim=1, keepdim=True)
    if mode is Pair.PN:
        squares = squares.mean().expand_as(squares)
    tiny = squares < 1e-24
    c = torch.where(tiny, torch.zeros_like(c), c)
    return (scale * c / torch.where(tiny, torch.ones_like(squares), squares).sqrt()).to(x.dtype)


def split_edges(
    edges: Tensor,
    n: int,
    generator: torch.Generator | None = None,
    *,
    val: float = 0.05,
    test: float = 0.10,
    matched: bool = False,
) -> dict[str, Tensor]:
    pairs = undirected(edges)
    # NumPy draws, from a seed that the generator gives
    seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(pairs.numpy(), axis=0)
    cuts = np.cumsum([int(val * len(pairs)), int(test * len(pairs))])
    parts = dict(zip(("val", "test", "train"), np.split(shuffled, cuts)))
    degree = Counter(pairs.flatten().tolist())
    weight = np.array([degree[i] if matched else 1.0 for i in range(n)], dtype=float)
    weight /= weight.sum()
    adjacent = defaultdict(set)
    for u, v in pairs.tolist():
        adjacent[u].add(v)
    drawn = []
    while len(drawn) < cuts[1]:
        for u, v in np.sort(rng.choice(n, p=weight, size=(int(cuts[1]), 2)), axis=1).tolist():
            if u != v and v not in adjacent[u] and len(drawn) < cuts[1]:
                adjacent[u].add(v)
                drawn.append((u, v))
    negatives = np.array(drawn, dtype=np.int64).reshape(-1, 2)
    parts["val_neg"], parts["test_neg"] = np.split(negatives, cuts[:1])
    return defaultdict(None, {name: torch.from_numpy(a.copy()) for name, a in parts.items()})


def auc(scores: Tensor, labels: Tensor) -> float:
    s, y = scores.double().numpy(), labels.numpy() == 1
    if y.all() or not y.any():
        raise ValueError("one class only")
    _, inverse, counts = np.unique(s, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    p = y.sum()
    return float((ranks[y].sum() - p * (p + 1) / 2) / (p * (~y).sum()))


def average_precision(scores: Tensor, labels: Tensor) -> float:
    s, y = scores.numpy(), labels.numpy() == 1
    if not y.any():
        raise ValueError("no positive")
    result, recall = 0.0, 0.0
    for threshold in np.unique(s)[::-1]:
        called = s >= threshold
        now = (called & y).sum() / y.sum()
        result += (now - recall) * (called & y).sum() / called.sum()
        recall = now
    return result


if __name__ == "__main__":
    print(norm_adj(torch.tensor([[0, 1]]), 2))
