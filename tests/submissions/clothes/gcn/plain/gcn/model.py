"""The graph convolutional network, and its training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import PAIR_NORMS, drop_edge, gcn_layer, norm_adj, pair_norm, undirected

ACTIVATIONS = ("identity", "relu", "tanh", "elu")


@dataclass(frozen=True)
class GCNOptions:
    """What a GCN is beside the sizes of its layers (given; defaults are yours to choose)."""

    layers: int = 2  # at least 1
    activation: str = "relu"  # one of ACTIVATIONS
    self_loops: float = 1.0  # the weight of every node's self-loop
    drop_edge: float = 0.0  # the probability that an edge is dropped
    pair_norm: str = "none"  # none, PN or PN-SI, of scale 1
    dropout: float = 0.5  # the probability that a number is dropped


class GraphConvolution(nn.Module):
    """Weight W [d, k] and bias b [k] of one layer, A x W + b (given)."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        """Make a layer from `fan_in` to `fan_out` numbers a node."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(fan_in, fan_out))
        self.bias = nn.Parameter(torch.zeros(fan_out))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor, adj: tuple[Tensor, Tensor]) -> Tensor:
        """Return A x W + b. Shapes: x [n, d], adj ([2, M], [M]) -> [n, k]."""
        return gcn_layer(x, adj, self.weight, self.bias)


class GCN(nn.Module):
    """A graph convolutional network of `layers` layers."""

    def __init__(self, in_dim: int, hidden: int, classes: int, **options: float | str) -> None:
        super().__init__()
        self.options = GCNOptions(**options)
        if self.options.activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {self.options.activation!r}")
        if self.options.pair_norm not in PAIR_NORMS:
            raise ValueError(f"unknown pair_norm {self.options.pair_norm!r}")
        sizes = [in_dim] + [hidden] * (self.options.layers - 1) + [classes]
        self.convolutions = nn.ModuleList(
            GraphConvolution(sizes[i], sizes[i + 1]) for i in range(self.options.layers)
        )

    def activate(self, h):
        name = self.options.activation
        if name == "relu":
            return functional.relu(h)
        if name == "tanh":
            return torch.tanh(h)
        if name == "elu":
            return functional.elu(h)
        return h

    def drop(self, h):
        p = self.options.dropout
        if h.is_sparse:
            h = h.coalesce()
            values = functional.dropout(h.values(), p, self.training)
            return torch.sparse_coo_tensor(h.indices(), values, h.shape, is_coalesced=True)
        return functional.dropout(h, p, self.training)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Return the output of every node."""
        o = self.options
        if self.training and o.drop_edge > 0:
            edges = drop_edge(edges, o.drop_edge)
        adj = norm_adj(edges, x.shape[0], o.self_loops, "sym")
        h = x
        for i, convolution in enumerate(self.convolutions):
            h = convolution(self.drop(h), adj)
            if i < len(self.convolutions) - 1:
                h = self.activate(pair_norm(h, 1.0, o.pair_norm))
        return h


def train_node(
    x: Tensor,
    edges: Tensor,
    y: Tensor,
    train: Tensor,
    seed: int,
    *,
    hidden: int = 16,
    learning_rate: float = 0.01,
    weight_decay: float | None = None,
    epochs: int = 200,
    **options: float | str,
) -> nn.Module:
    """Train a GCN to classify nodes and return it in evaluation mode."""
    torch.manual_seed(seed)
    many = y.ndim == 2
    classes = y.shape[1] if many else int(y.max()) + 1
    net = GCN(x.shape[1], hidden, classes, **options)
    if weight_decay is None:
        weight_decay = 5e-4
    first, rest = net.convolutions[0], net.convolutions[1:]
    optimizer = torch.optim.Adam(
        [
            {"params": first.parameters(), "weight_decay": weight_decay},
            {"params": rest.parameters()},
        ],
        lr=learning_rate,
    )
    x = x.to_sparse()
    edges = undirected(edges)
    known = y[train] >= 0
    net.train()
    for _ in range(epochs):
        optimizer.zero_grad()
        out = net(x, edges)[train]
        if many:
            loss = functional.binary_cross_entropy_with_logits(out[known], y[train][known])
        else:
            loss = functional.cross_entropy(out[known], y[train][known])
        loss.backward()
        optimizer.step()
    return net.eval()


def train_link(
    x: Tensor,
    edges: Tensor,
    seed: int,
    *,
    hidden: int = 32,
    dim: int = 16,
    dropout: float = 0.0,
    learning_rate: float = 0.01,
    epochs: int = 200,
    matched: bool = False,
    **options: float | str,
) -> nn.Module:
    """Train a GCN as the encoder of a graph autoencoder."""
    torch.manual_seed(seed)
    n = x.shape[0]
    net = GCN(x.shape[1], hidden, dim, dropout=dropout, **options)
    optimizer = torch.optim.Adam(net.parameters(), lr=learning_rate)
    x = x.to_sparse()
    pairs = undirected(edges)
    chance = torch.bincount(pairs.flatten(), minlength=n).float() if matched else torch.ones(n)
    labels = torch.cat([torch.ones(len(pairs)), torch.zeros(len(pairs))])
    net.train()
    for _ in range(epochs):
        random = torch.multinomial(chance, 2 * len(pairs), replacement=True).view(-1, 2)
        both = torch.cat([pairs, random])
        optimizer.zero_grad()
        z = net(x, pairs)
        scores = (z[both[:, 0]] * z[both[:, 1]]).sum(dim=1)
        functional.binary_cross_entropy_with_logits(scores, labels).backward()
        optimizer.step()
    return net.eval()


class OpenEncoder(nn.Module):
    """Two convolutions on dense input, a linear shortcut, and rows of one length."""

    def __init__(self, words, dim, length):
        super().__init__()
        self.layer = nn.Linear(words, dim, bias=False)
        self.length = length

    def forward(self, x, edges):
        adj = norm_adj(edges, x.shape[0])
        xw = torch.sparse.mm(x, self.layer.weight.T) if x.is_sparse else self.layer(x)
        h = propagate_twice(adj, xw)
        return self.length * functional.normalize(h, dim=1)


def propagate_twice(adj, h):
    index, weight = adj
    for _ in range(2):
        h = torch.zeros_like(h).index_add(0, index[0], weight[:, None] * h[index[1]])
    return h


def train_open(x: Tensor, edges: Tensor, seed: int) -> nn.Module:
    """Train a linear encoder with normalised rows."""
    torch.manual_seed(seed)
    n = x.shape[0]
    net = OpenEncoder(x.shape[1], 128, 2.0)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    x = x.to_sparse()
    pairs = undirected(edges)
    labels = torch.cat([torch.ones(len(pairs)), torch.zeros(len(pairs))])
    for _ in range(100):
        both = torch.cat([pairs, torch.randint(n, (len(pairs), 2))])
        optimizer.zero_grad()
        z = net(x, pairs)
        scores = (z[both[:, 0]] * z[both[:, 1]]).sum(dim=1)
        functional.binary_cross_entropy_with_logits(scores, labels).backward()
        optimizer.step()
    return net.eval()
