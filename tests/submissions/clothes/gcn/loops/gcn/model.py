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
    dropout: float = 0.6  # the probability that a number is dropped


class GraphConvolution(nn.Module):
    """Weight W [d, k] and bias b [k] of one layer, A x W + b (given)."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(fan_in, fan_out))
        self.bias = nn.Parameter(torch.zeros(fan_out))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor, adj: tuple[Tensor, Tensor]) -> Tensor:
        return gcn_layer(x, adj, self.weight, self.bias)


class GCN(nn.Module):
    def __init__(self, in_dim: int, hidden: int, classes: int, **options: float | str) -> None:
        super().__init__()
        o = GCNOptions(**options)
        if o.activation not in ACTIVATIONS:
            raise ValueError("unknown activation " + o.activation)
        if o.pair_norm not in PAIR_NORMS:
            raise ValueError("unknown pair_norm " + o.pair_norm)
        self.o = o
        for l in range(1, o.layers + 1):
            fan_in = in_dim if l == 1 else hidden
            fan_out = classes if l == o.layers else hidden
            self.add_module("conv%d" % l, GraphConvolution(fan_in, fan_out))
        self.last = None  # the edges of the latest pass and their adjacency

    def adjacency(self, n: int, edges: Tensor):
        # the same list comes again in every epoch
        if self.training and self.o.drop_edge > 0:
            return norm_adj(drop_edge(edges, self.o.drop_edge), n, self.o.self_loops, "sym")
        if self.last is None or self.last[0] != n or not torch.equal(self.last[1], edges):
            self.last = (n, edges.clone(), norm_adj(edges, n, self.o.self_loops, "sym"))
        return self.last[2]

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        adj = self.adjacency(len(x), edges)
        h = x
        for l in range(1, self.o.layers + 1):
            if self.training and self.o.dropout > 0:
                h = functional.dropout(h, self.o.dropout)
            h = self.get_submodule("conv%d" % l)(h, adj)
            if l < self.o.layers:
                h = pair_norm(h, 1.0, self.o.pair_norm)
                if self.o.activation == "relu":
                    h = h.clamp(min=0)
                elif self.o.activation == "tanh":
                    h = h.tanh()
                elif self.o.activation == "elu":
                    h = torch.where(h > 0, h, h.clamp(max=0).exp() - 1)
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
    epochs: int = 120,
    **options: float | str,
) -> nn.Module:
    torch.manual_seed(seed)
    if y.dim() == 2:
        classes = y.shape[1]
    else:
        classes = max(y.tolist()) + 1
    if weight_decay is None:
        weight_decay = 1e-3
    network = GCN(x.shape[1], hidden, classes, **options)
    first = list(network.conv1.parameters())
    others = [p for name, p in network.named_parameters() if not name.startswith("conv1.")]
    groups = [{"params": first, "weight_decay": weight_decay}]
    if others:
        groups.append({"params": others, "weight_decay": 0.0})
    optimizer = torch.optim.Adam(groups, lr=learning_rate)
    network.train()
    for epoch in range(epochs):
        logits = network(x, edges)
        if y.dim() == 2:
            losses = functional.binary_cross_entropy_with_logits(
                logits[train], y[train].clamp(min=0), reduction="none"
            )
            known = (y[train] >= 0).float()
            loss = (losses * known).sum() / known.sum()
        else:
            nodes = [node for node in train.tolist() if y[node] >= 0]
            loss = functional.cross_entropy(logits[nodes], y[nodes])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    return network


def train_link(
    x: Tensor,
    edges: Tensor,
    seed: int,
    *,
    hidden: int = 32,
    dim: int = 16,
    dropout: float = 0.0,
    learning_rate: float = 0.01,
    epochs: int = 120,
    matched: bool = False,
    **options: float | str,
) -> nn.Module:
    torch.manual_seed(seed)
    network = GCN(x.shape[1], hidden, dim, dropout=dropout, **options)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    pairs = undirected(edges)
    network.train()
    for epoch in range(epochs):
        if matched:
            flat = pairs.reshape(-1)
            a = flat[torch.randint(len(flat), (len(pairs),))]
            b = flat[torch.randint(len(flat), (len(pairs),))]
        else:
            a = torch.randint(len(x), (len(pairs),))
            b = torch.randint(len(x), (len(pairs),))
        z = network(x, edges)
        positive = (z[pairs[:, 0]] * z[pairs[:, 1]]).sum(dim=1)
        negative = (z[a] * z[b]).sum(dim=1)
        # -log sigmoid(s) for edges and -log(1 - sigmoid(s)) for the others, half each
        loss = (functional.softplus(-positive).mean() + functional.softplus(negative).mean()) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    return network


class Smoothed(nn.Module):
    """Words times learned weights, averaged over two steps of neighbours, as unit vectors."""

    def __init__(self, words, size):
        super().__init__()
        self.w = nn.Parameter(torch.randn(words, size) * 0.02)
        self.kept = None

    def smooth(self, h, edges):
        index, weight = norm_adj(edges, len(h), 1.0, "row")
        for _ in range(2):
            h = torch.zeros_like(h).index_add(0, index[0], h[index[1]] * weight[:, None])
        return h

    def forward(self, x, edges):
        h = self.smooth(x, edges) if self.kept is None else self.kept
        return 2 * functional.normalize(h @ self.w, dim=1)


def train_open(x: Tensor, edges: Tensor, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    network = Smoothed(x.shape[1], 64)
    network.kept = network.smooth(x, edges)  # words of the neighbourhood never change
    pairs = undirected(edges)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for epoch in range(80):
        z = network(x, edges)
        a = torch.randint(len(x), (len(pairs),))
        b = torch.randint(len(x), (len(pairs),))
        positive = (z[pairs[:, 0]] * z[pairs[:, 1]]).sum(dim=1)
        negative = (z[a] * z[b]).sum(dim=1)
        loss = functional.softplus(-positive).mean() + functional.softplus(negative).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.kept = None
    return network.eval()
