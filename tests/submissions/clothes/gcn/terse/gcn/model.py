from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce, cross_entropy, dropout, elu, normalize, relu

from .layers import PAIR_NORMS, drop_edge, gcn_layer, norm_adj, pair_norm, propagate, undirected

ACTIVATIONS = {"identity": lambda h: h, "relu": relu, "tanh": torch.tanh, "elu": elu}


@dataclass(frozen=True)
class GCNOptions:
    layers: int = 2
    activation: str = "relu"
    self_loops: float = 1.0
    drop_edge: float = 0.0
    pair_norm: str = "none"
    dropout: float = 0.5


class GraphConvolution(nn.Module):
    def __init__(self, fan_in, fan_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(fan_in, fan_out))
        self.bias = nn.Parameter(torch.zeros(fan_out))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, adj):
        return gcn_layer(x, adj, self.weight, self.bias)


def _dropout(x, p, on):
    if not on or not x.is_sparse:
        return dropout(x, p, on)
    return torch.sparse_coo_tensor((x := x.coalesce()).indices(), dropout(x.values(), p), x.shape, is_coalesced=True, check_invariants=False)


class GCN(nn.ModuleList):
    def __init__(self, in_dim, hidden, classes, **options):
        o = GCNOptions(**options)
        if o.activation not in ACTIVATIONS or o.pair_norm not in PAIR_NORMS:
            raise ValueError(options)
        d = [in_dim, *[hidden] * (o.layers - 1), classes]
        super().__init__(map(GraphConvolution, d, d[1:]))
        self.o, self.f = o, ACTIVATIONS[o.activation]

    def forward(self, x, edges):
        adj = norm_adj(drop_edge(edges, self.o.drop_edge) if self.training else edges, len(x), self.o.self_loops)
        for l in self:
            h = l(_dropout(x, self.o.dropout, self.training), adj)
            x = self.f(pair_norm(h, 1.0, self.o.pair_norm))
        return h


def _run(net, groups, loss, epochs, lr):
    opt = torch.optim.Adam(groups, lr)
    for _ in range(epochs):
        net.train(), opt.zero_grad(), loss().backward(), opt.step()
    return net.eval()


def train_node(x, edges, y, train, seed, *, hidden=16, learning_rate=0.01, weight_decay=None, epochs=200, **options):
    torch.manual_seed(seed)
    net = GCN(x.shape[1], hidden, y.shape[1] if y.ndim > 1 else y.max().item() + 1, **options)
    y, s, wd = y[train], x.to_sparse(), 5e-4 if weight_decay is None else weight_decay
    f = (lambda o: cross_entropy(o, y, ignore_index=-1)) if y.ndim == 1 else (lambda o: bce(o[y >= 0], y[y >= 0]))
    groups = [{"params": l.parameters(), "weight_decay": 0 if i else wd} for i, l in enumerate(net)]
    return _run(net, groups, lambda: f(net(s, edges)[train]), epochs, learning_rate)


def _link_loss(encode, edges, n, matched):
    e = undirected(edges)
    ends = e.flatten()
    draw = lambda: (ends[torch.randint(len(ends), (len(e), 2))] if matched else torch.randint(n, (len(e), 2)))

    def loss():
        z, q = encode(), torch.cat([e, draw()])
        return bce(torch.einsum("md,md->m", *z[q.T]), (torch.arange(len(q)) < len(e)).float())

    return loss


def train_link(x, edges, seed, *, hidden=32, dim=16, dropout=0.0, learning_rate=0.01, epochs=200, matched=False, **options):
    torch.manual_seed(seed)
    net, s = GCN(x.shape[1], hidden, dim, dropout=dropout, **options), x.to_sparse()
    return _run(net, net.parameters(), _link_loss(lambda: net(s, edges), edges, len(x), matched), epochs, learning_rate)


class SGCEncoder(nn.Module):
    """z = 2.2 normalize(A A x W)."""

    def __init__(self, d, k=256):
        super().__init__()
        self.w = nn.Parameter(0.02 * torch.randn(d, k))

    def forward(self, x, edges):
        adj, h = norm_adj(edges, len(x)), x @ self.w
        for _ in range(2):
            h = propagate(adj, h)
        return 2.2 * normalize(h)


def train_open(x, edges, seed):
    torch.manual_seed(seed)
    net, s = SGCEncoder(x.shape[1], 96), x.to_sparse()
    return _run(net, net.parameters(), _link_loss(lambda: net(s, edges), edges, len(x), False), 80, 0.01)
