from __future__ import annotations

import torch

TINY = 1e-12
PAIR_NORMS = {
    "none": lambda x, s: x,
    "PN": lambda x, s: _safe(s * (c := x - x.mean(0)), c.square().sum(1).mean().expand(len(x))),
    "PN-SI": lambda x, s: _safe(s * (c := x - x.mean(0)), c.square().sum(1)),
}
NORMALISATIONS = ("sym", "row")


def _safe(c, sq):
    ok = (sq > TINY**2)[:, None]
    return torch.where(ok, c, 0) * torch.where(ok[:, 0], sq, 1).rsqrt()[:, None]


def dense(adj, n):
    return torch.zeros(n, n, dtype=adj[1].dtype, device=adj[1].device).index_put(tuple(adj[0]), adj[1], accumulate=True)


def undirected(edges):
    return (e := edges.view(-1, 2).sort(1)[0])[e[:, 0] < e[:, 1]].unique(dim=0)


def norm_adj(edges, n, self_loops=1.0, mode="sym"):
    if mode not in NORMALISATIONS:
        raise ValueError(mode)
    u = undirected(edges).T
    i = torch.cat([u, u.flip(0), torch.arange(n, device=edges.device).expand(2, n)], 1)
    w = torch.ones(i.shape[1], device=i.device)
    w[2 * u.shape[1] :] = self_loops
    d = w.new_zeros(n).scatter_add(0, i[0], w)
    r = torch.where(d > 0, d, torch.inf).pow(-0.5 if mode == "sym" else -1.0)
    return i, w * r[i[0]] * (r[i[1]] if mode == "sym" else 1)


def propagate(adj, h):
    return torch.sparse_coo_tensor(*adj, (len(h), len(h)), dtype=h.dtype, check_invariants=False) @ h


gcn_layer = lambda x, adj, w, b: propagate(adj, x @ w) + b
row_normalise = lambda x: x / (s := x.sum(1, keepdim=True)).masked_fill(s == 0, 1)


def drop_edge(edges, p, generator=None):
    if not 0 <= p <= 1:
        raise ValueError(p)
    return (e := undirected(edges))[torch.rand(len(e), generator=generator, device=e.device) >= p]


def pair_norm(x, scale=1.0, mode="PN"):
    if mode not in PAIR_NORMS:
        raise ValueError(mode)
    return PAIR_NORMS[mode](x, scale)


def split_edges(edges, n, generator=None, *, val=0.05, test=0.10, matched=False):
    e = undirected(edges)
    a, b = int(val * len(e)), int(test * len(e))
    te, va, tr = e[torch.randperm(len(e), generator=generator)].split([b, a, len(e) - a - b])
    # all pairs u < v without an edge, and how likely each one is
    free = torch.ones(n, n).triu(1).index_put(tuple(e.T), torch.tensor(0.0))
    if matched:
        d = torch.bincount(e.flatten(), minlength=n).float() + 1e-9
        free *= d[:, None] * d
    # the largest of log p + Gumbel noise: a draw without replacement
    noise = -torch.empty(n * n).exponential_(generator=generator).log()
    neg = (free.view(-1).log() + noise).topk(a + b)[1]
    neg = torch.stack([neg // n, neg % n], 1)[torch.randperm(a + b, generator=generator)]
    return dict(train=tr, val=va, test=te, val_neg=neg[:a], test_neg=neg[a:])


def auc(scores, labels):
    if not (p := (l := labels.bool()).sum().item()) or p == len(l):
        raise ValueError("one class")
    v, i, c = scores.double().unique(return_inverse=True, return_counts=True)
    rank = (c.cumsum(0) - (c - 1) / 2.0).double()[i]
    return ((rank[l].sum() - p * (p + 1) / 2) / (p * (len(l) - p))).item()


def average_precision(scores, labels):
    if not labels.any():
        raise ValueError("no positive")
    _, i, c = scores.unique(return_inverse=True, return_counts=True)
    h = torch.bincount(i, weights=labels.double()).flip(0)
    return (h @ (h.cumsum(0) / c.flip(0).cumsum(0)) / h.sum()).item()
