"""Everything with dictionaries, sets and loops, as far as the graph is not too large for that."""

from __future__ import annotations

import math

import torch
from torch import Tensor

NORMALISATIONS = ("sym", "row")
PAIR_NORMS = ("none", "PN", "PN-SI")


def dense(adj, n: int) -> Tensor:
    """Return an adjacency (index, weight) as a matrix [n, n], for looking at it (given)."""
    index, weight = adj
    matrix = torch.zeros(n, n, dtype=weight.dtype, device=weight.device)
    return matrix.index_put((index[0], index[1]), weight, accumulate=True)


def undirected(edges: Tensor) -> Tensor:
    seen = set()
    for u, v in edges.tolist():
        if u < v:
            seen.add((u, v))
        elif v < u:
            seen.add((v, u))
    return torch.tensor(sorted(seen), dtype=torch.int64).reshape(len(seen), 2)


def norm_adj(edges: Tensor, n: int, self_loops: float = 1.0, mode: str = "sym"):
    if mode not in NORMALISATIONS:
        raise ValueError("mode must be sym or row")
    neighbours = [[] for _ in range(n)]
    for u, v in undirected(edges).tolist():
        neighbours[u].append(v)
        neighbours[v].append(u)
    degree = [len(neighbours[i]) + self_loops for i in range(n)]
    rows, columns, weights = [], [], []
    for i in range(n):
        for j, a in [(j, 1.0) for j in neighbours[i]] + [(i, float(self_loops))]:
            if a == 0:
                continue
            rows.append(i)
            columns.append(j)
            if mode == "sym":
                weights.append(a / math.sqrt(degree[i] * degree[j]))
            else:
                weights.append(a / degree[i])
    index = torch.tensor([rows, columns], dtype=torch.int64)
    return index, torch.tensor(weights, dtype=torch.float32)


def propagate(adj, h: Tensor) -> Tensor:
    index, weight = adj
    out = torch.zeros(h.shape, dtype=h.dtype)
    where = index[0].unsqueeze(1).expand(-1, h.shape[1])
    return out.scatter_add(0, where, h[index[1]] * weight.unsqueeze(1))


def gcn_layer(x: Tensor, adj, w: Tensor, b: Tensor) -> Tensor:
    xw = torch.matmul(x, w)
    return propagate(adj, xw) + b


def row_normalise(x: Tensor) -> Tensor:
    result = x.clone()
    for i in range(len(x)):
        total = x[i].sum()
        if total > 0:
            result[i] = x[i] / total
    return result


def drop_edge(edges: Tensor, p: float, generator: torch.Generator | None = None) -> Tensor:
    if p < 0 or p > 1:
        raise ValueError("p must be between 0 and 1")
    pairs = undirected(edges)
    chances = torch.rand(len(pairs), generator=generator).tolist()
    kept = [i for i in range(len(pairs)) if chances[i] >= p]
    return pairs[torch.tensor(kept, dtype=torch.int64)]


def pair_norm(x: Tensor, scale: float = 1.0, mode: str = "PN") -> Tensor:
    if mode == "none":
        return x
    if mode not in PAIR_NORMS:
        raise ValueError("mode must be none, PN or PN-SI")
    centred = x - x.sum(dim=0) / len(x)
    if mode == "PN":
        total = (centred * centred).sum()
        if total.item() == 0:
            return centred * 0
        return scale * centred / torch.sqrt(total / len(x))
    rows = []
    for row in centred:
        square = (row * row).sum()
        if square.item() < 1e-24:
            rows.append(row * 0)
        else:
            rows.append(scale * row / torch.sqrt(square))
    return torch.stack(rows)


def split_edges(
    edges: Tensor,
    n: int,
    generator: torch.Generator | None = None,
    *,
    val: float = 0.05,
    test: float = 0.10,
    matched: bool = False,
) -> dict[str, Tensor]:
    pairs = undirected(edges).tolist()
    number_val = int(val * len(pairs))
    number_test = int(test * len(pairs))
    shuffled = [pairs[i] for i in torch.randperm(len(pairs), generator=generator).tolist()]
    forbidden = {tuple(pair) for pair in pairs}
    if matched:
        # an end of a random edge is a node in proportion to its degree
        urn = [node for pair in pairs for node in pair]
    else:
        urn = list(range(n))
    chosen = []
    while len(chosen) < number_val + number_test:
        a, b = torch.randint(len(urn), (2,), generator=generator).tolist()
        u, v = urn[a], urn[b]
        if u > v:
            u, v = v, u
        if u != v and (u, v) not in forbidden:
            forbidden.add((u, v))
            chosen.append((u, v))

    def tensor(some):
        return torch.tensor(some, dtype=torch.int64).reshape(len(some), 2)

    return {
        "train": tensor(shuffled[number_val + number_test :]),
        "val": tensor(shuffled[:number_val]),
        "test": tensor(shuffled[number_val : number_val + number_test]),
        "val_neg": tensor(chosen[:number_val]),
        "test_neg": tensor(chosen[number_val:]),
    }


def auc(scores: Tensor, labels: Tensor) -> float:
    ones = labels.tolist().count(1)
    zeros = labels.tolist().count(0)
    if ones == 0 or zeros == 0:
        raise ValueError("one of the classes is missing")
    groups = {}
    for score, label in zip(scores.tolist(), labels.tolist()):
        group = groups.setdefault(score, [0, 0])
        group[1 if label == 1 else 0] += 1
    wins = 0.0
    below = 0
    for score in sorted(groups):
        negatives, positives = groups[score]
        wins += positives * (below + negatives / 2)
        below += negatives
    return wins / (ones * zeros)


def average_precision(scores: Tensor, labels: Tensor) -> float:
    positives = sum(1 for label in labels.tolist() if label == 1)
    if positives == 0:
        raise ValueError("there is no positive")
    items = sorted(zip(scores.tolist(), labels.tolist()), reverse=True)
    ap = 0.0
    found = 0
    before = 0
    for place, (score, label) in enumerate(items, start=1):
        found += 1 if label == 1 else 0
        if place == len(items) or items[place][0] != score:
            ap += (found - before) / positives * (found / place)
            before = found
    return ap
