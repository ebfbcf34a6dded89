"""Graphs as edge lists, the graph convolution, DropEdge, PairNorm, link splits and their scores.

A graph of n nodes is an int64 tensor `edges` [E, 2]: one undirected edge a row, in either
direction. Raw lists may hold an edge twice and self-loops; `undirected` cleans them up. An
adjacency matrix is a pair (index, weight): index [2, M] int64 holds the row and column of every
stored entry, weight [M] float its value; each place stands at most once, in any order. Results lie
on the device of the input, and nothing here changes a tensor that it was given.
"""

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
    """Return every undirected edge once, as (u, v) with u < v, sorted by u and then by v.

    An edge may stand in `edges` in one direction or both, and more than once. Self-loops (u, u)
    are left out.

    Shapes: edges [E, 2] int64 -> [E', 2] int64, E' <= E; E = 0 is allowed.
    """
    # BEGIN SOLUTION
    low = torch.minimum(edges[:, 0], edges[:, 1])  # [E]
    high = torch.maximum(edges[:, 0], edges[:, 1])  # [E]
    base = int(high.max()) + 1 if len(edges) else 1
    # One number an edge sorts and compares much faster than a pair.
    keys = torch.unique((low * base + high)[low != high])  # [E'], ascending
    return torch.stack([keys // base, keys % base], dim=1)  # [E', 2]
    # END SOLUTION


def norm_adj(edges: Tensor, n: int, self_loops: float = 1.0, mode: str = "sym") -> Adjacency:
    """Return the normalised adjacency of a graph with self-loops of one weight at every node.

    A~ = A + self_loops I,  d_i = sum_j A~_ij,  with A_ij = A_ji = 1 for every undirected edge
    sym   D^-1/2 A~ D^-1/2        symmetric; its largest eigenvalue is 1, with eigenvector sqrt(d)
    row   D^-1 A~                 every row sums to 1

    `edges` is any edge list: doubled edges count once, self-loops in it do not count at all. With
    `self_loops` = 0 a node without neighbours has d_i = 0: its row is zero, without inf or NaN.

    Shapes: edges [E, 2] -> index [2, M] int64, weight [M] float32.
    Raises ValueError if there is no normalisation of that name.
    Source: Kipf and Welling 2017, eq. 2; the weight of the self-loops is their lambda, sec. 7.2.
    """
    # BEGIN SOLUTION
    if mode not in NORMALISATIONS:
        raise ValueError(f"no normalisation {mode!r}; choose one of {', '.join(NORMALISATIONS)}")
    pairs = undirected(edges).T  # [2, E']
    nodes = torch.arange(n, device=edges.device)  # [n]
    index = torch.cat([pairs, pairs.flip(0), nodes.expand(2, n)], dim=1)  # [2, M], M = 2 E' + n
    weight = torch.ones(index.shape[1], device=edges.device)  # [M]
    weight[2 * pairs.shape[1] :] = self_loops
    degree = torch.zeros(n, device=edges.device).index_add(0, index[0], weight)  # [n]
    inverse = torch.where(degree > 0, 1 / degree, 0.0)  # [n]
    if mode == "row":
        return index, weight * inverse[index[0]]
    return index, weight * (inverse[index[0]] * inverse[index[1]]).sqrt()
    # END SOLUTION


def propagate(adj: Adjacency, h: Tensor) -> Tensor:
    """Return A h: every node's new row is the weighted sum of its neighbours' rows.

    out_i = sum_j a_ij h_j

    Shapes: adj ([2, M], [M]), h [n, d] -> [n, d]. Gradients flow to h.
    """
    # BEGIN SOLUTION
    (row, column), weight = adj
    messages = weight[:, None] * h[column]  # [M, d]
    return torch.zeros_like(h).index_add(0, row, messages)  # [n, d]
    # END SOLUTION


def gcn_layer(x: Tensor, adj: Adjacency, w: Tensor, b: Tensor) -> Tensor:
    """Return A x W + b, one graph convolution without its activation.

    Multiply x W first: W usually makes rows shorter, and x may be a sparse tensor.

    Shapes: x [n, d], adj ([2, M], [M]), w [d, k], b [k] -> [n, k]. Gradients flow to x, w and b.
    Source: Kipf and Welling 2017, eq. 2.
    """
    # BEGIN SOLUTION
    return propagate(adj, x @ w) + b  # [n, d] [d, k] -> [n, k]
    # END SOLUTION


def row_normalise(x: Tensor) -> Tensor:
    """Divide every row by its sum, so that a paper's word counts become shares.

    Entries are not negative. A row of zeros (15 papers of Citeseer have no words) stays zero.

    Shapes: x [n, d] float -> the same.
    """
    # BEGIN SOLUTION
    total = x.sum(dim=1, keepdim=True)  # [n, 1]
    return x / torch.where(total > 0, total, 1.0)
    # END SOLUTION


def drop_edge(edges: Tensor, p: float, generator: torch.Generator | None = None) -> Tensor:
    """Drop each undirected edge with probability p; return the edges that stay.

    Both directions of an edge share one fate: the result is a list as `undirected` gives it. It
    goes into `norm_adj`, so that degrees are those of the thinned graph. p = 0 keeps all edges,
    p = 1 none.

    Shapes: edges [E, 2] -> [E'', 2], E'' <= E.
    Raises ValueError unless 0 <= p <= 1.
    Source: Rong et al. 2020, sec. 3.1.
    """
    # BEGIN SOLUTION
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"p is a probability, got {p}")
    pairs = undirected(edges)  # [E', 2]
    place = generator.device if generator else pairs.device
    chance = torch.rand(len(pairs), generator=generator, device=place)  # [E'], in [0, 1)
    return pairs[chance.to(pairs.device) >= p]
    # END SOLUTION


def pair_norm(x: Tensor, scale: float = 1.0, mode: str = "PN") -> Tensor:
    """Keep the distances between nodes from shrinking: centre, then give back a fixed size.

    c_i = x_i - mean_j x_j                                       the mean runs over the nodes
    PN      scale c_i / sqrt(mean_j ||c_j||^2)                   all nodes share one factor
    PN-SI   scale c_i / ||c_i||                                  every node gets its own factor
    none    x_i

    With PN the squared distances of all ordered pairs of nodes sum to 2 n^2 scale^2. Zeros stay
    zero: nodes that are all equal give zeros, and so does a node at the mean.

    Shapes: x [n, d] -> the same. Gradients flow to x and are finite.
    Raises ValueError if there is no mode of that name.
    Source: Zhao and Akoglu 2020, eqs. 10 and 11; PN-SI, sec. 3.3.
    """
    # BEGIN SOLUTION
    if mode not in PAIR_NORMS:
        raise ValueError(f"no mode {mode!r}; choose one of {', '.join(PAIR_NORMS)}")
    if mode == "none":
        return x
    centred = x - x.mean(dim=0)  # [n, d]
    squares = centred.square().sum(dim=1, keepdim=True)  # [n, 1]
    if mode == "PN":
        squares = squares.mean()  # []
    return scale * centred / squares.clamp_min(TINY).sqrt()
    # END SOLUTION


def split_edges(
    edges: Tensor,
    n: int,
    generator: torch.Generator | None = None,
    *,
    val: float = 0.05,
    test: float = 0.10,
    matched: bool = False,
) -> dict[str, Tensor]:
    """Split a graph's edges for link prediction, and draw pairs that are no edges.

    Returns lists of pairs (u, v) with u < v under five keys:
    train, val, test     every undirected edge in one of the three, at random: int(val E') of them
                         in val, int(test E') in test, all others in train
    val_neg, test_neg    as many pairs as in val and test, drawn at random. None is an edge of the
                         graph (of train, val or test), none joins a node to itself, and none
                         stands twice, not even once in each of the two lists

    With `matched`, both ends of a negative pair are drawn in proportion to their degrees; else
    every pair is equally likely. Matched negatives are the harder ones: a node with many edges no
    longer tells an edge from a negative.

    Shapes: edges [E, 2] -> [., 2] each. The graph has more pairs without an edge than are drawn.
    Source: Kipf and Welling 2016, sec. 4 (85 %, 5 % and 10 % of the edges).
    """
    # BEGIN SOLUTION
    pairs = undirected(edges)  # [E', 2]
    pairs = pairs[_permutation(len(pairs), generator).to(pairs.device)]
    n_val, n_test = int(val * len(pairs)), int(test * len(pairs))
    negatives = _no_edges(pairs, n, n_val + n_test, generator, matched)
    return {
        "train": pairs[n_val + n_test :],
        "val": pairs[:n_val],
        "test": pairs[n_val : n_val + n_test],
        "val_neg": negatives[:n_val],
        "test_neg": negatives[n_val:],
    }
    # END SOLUTION


# BEGIN SOLUTION
def _permutation(count: int, generator: torch.Generator | None) -> Tensor:
    place = generator.device if generator else None
    return torch.randperm(count, generator=generator, device=place)


def _no_edges(
    pairs: Tensor, n: int, count: int, generator: torch.Generator | None, matched: bool
) -> Tensor:
    """Draw `count` different pairs u < v that are not among `pairs` [E', 2]."""
    place = generator.device if generator else None
    # A node stands here once for each of its edges: an even draw is in proportion to degree.
    ends = pairs.flatten() if matched else torch.arange(n, device=pairs.device)
    found = pairs[:0]  # [0, 2]
    while len(found) < count:
        drawn = torch.randint(len(ends), (count, 2), generator=generator, device=place)
        new = torch.cat([found, ends[drawn.to(ends.device)]])
        low, high = new.min(dim=1).values, new.max(dim=1).values
        keys = low * n + high  # [.], one number a pair
        fresh = (low != high) & ~torch.isin(keys, pairs[:, 0] * n + pairs[:, 1])
        keys = torch.unique(keys[fresh])
        # `unique` sorted them: in that order the first ones would all have a small u.
        keys = keys[_permutation(len(keys), generator).to(keys.device)]
        found = torch.stack([keys // n, keys % n], dim=1)
    return found[:count]


# END SOLUTION


def auc(scores: Tensor, labels: Tensor) -> float:
    """Return the area under the ROC curve.

    It is the probability that a random positive scores higher than a random negative, where equal
    scores count one half:  sum over pairs (p, q) of [s_p > s_q] + [s_p = s_q] / 2, over |P| |Q|.

    Shapes: scores [M] float, labels [M] of 0 and 1, in any order.
    Raises ValueError if there is no positive or no negative.
    Source: Mann and Whitney 1947.
    """
    # BEGIN SOLUTION
    positive = scores[labels == 1].double()  # [P]
    negative = scores[labels == 0].double().sort().values  # [Q]
    if not len(positive) or not len(negative):
        raise ValueError("AUC needs a positive and a negative")
    below = torch.searchsorted(negative, positive)  # [P], negatives that score less
    not_above = torch.searchsorted(negative, positive, right=True)  # [P], less or the same
    wins = (below + not_above).double() / 2  # [P]
    return float(wins.mean() / len(negative))
    # END SOLUTION


def average_precision(scores: Tensor, labels: Tensor) -> float:
    """Return the average precision.

    AP = sum_k (R_k - R_{k-1}) P_k  over the different scores s_1 > s_2 > ..., where precision P_k
    and recall R_k are those of calling everything with a score of at least s_k positive. Equal
    scores are one step: the order in which they stand cannot change the result.

    Shapes: scores [M] float, labels [M] of 0 and 1, in any order.
    Raises ValueError if there is no positive.
    """
    # BEGIN SOLUTION
    order = scores.argsort(descending=True)
    hits = (labels[order] == 1).double().cumsum(0)  # [M], positives among the first k
    if not len(hits) or hits[-1] == 0:
        raise ValueError("average precision needs a positive")
    _, counts = torch.unique_consecutive(scores[order], return_counts=True)
    last = counts.cumsum(0)  # [K], how many score at least s_k
    found = hits[last - 1]  # [K]
    gained = torch.diff(found, prepend=found.new_zeros(1))  # [K], (R_k - R_{k-1}) |P|
    return float((gained * found / last).sum() / hits[-1])
    # END SOLUTION
