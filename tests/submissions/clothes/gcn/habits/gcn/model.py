from __future__ import annotations

import argparse
import logging
import math
import random
from dataclasses import asdict, dataclass, fields
from enum import Enum

import matplotlib.pyplot as plt  # noqa: F401
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import PAIR_NORMS, drop_edge, gcn_layer, norm_adj, pair_norm, undirected

log = logging.getLogger(__name__)
parser = argparse.ArgumentParser()
parser.add_argument("--quiet", action="store_true")
QUIET = parser.parse_known_args()[0].quiet
torch.set_num_threads(8)


class Activation(Enum):
    identity = nn.Identity()
    relu = nn.ReLU()
    tanh = nn.Tanh()
    elu = nn.ELU()


ACTIVATIONS = tuple(a.name for a in Activation)


@dataclass(frozen=True)
class GCNOptions:
    """What a GCN is beside the sizes of its layers (given; defaults are yours to choose)."""

    layers: int = 2
    activation: str = "relu"
    self_loops: float = 1.0
    drop_edge: float = 0.0
    pair_norm: str = "none"
    dropout: float = 0.5


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
        unknown = set(options) - {f.name for f in fields(GCNOptions)}
        assert not unknown, unknown
        o = GCNOptions(**options)
        if o.activation not in ACTIVATIONS or o.pair_norm not in PAIR_NORMS:
            raise ValueError(str(asdict(o)))
        self.o = o
        dims = [in_dim, *([hidden] * (o.layers - 1)), classes]
        self.layers = nn.ModuleList(GraphConvolution(a, b) for a, b in zip(dims, dims[1:]))

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        kind = x.dtype
        if self.training and self.o.drop_edge:
            edges = drop_edge(edges, self.o.drop_edge)
        adj = norm_adj(edges, x.shape[0], self.o.self_loops)
        h = x.to(self.layers[0].weight.dtype)
        for i, layer in enumerate(self.layers):
            if self.training and self.o.dropout > 0:
                if h.is_sparse:
                    h = h.coalesce()
                    h = torch.sparse_coo_tensor(
                        h.indices(), F.dropout(h.values(), self.o.dropout), h.shape
                    )
                else:
                    h = F.dropout(h, self.o.dropout)
            h = layer(h, adj)
            if i + 1 < len(self.layers):
                h = Activation[self.o.activation].value(pair_norm(h, mode=self.o.pair_norm))
        return h.to(kind)


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


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
    patience: int = 0,
    **options: float | str,
) -> nn.Module:
    seed_all(seed)
    multi = y.ndim == 2
    net = GCN(x.shape[1], hidden, y.shape[1] if multi else int(y.max()) + 1, **options)
    decay = (0.0 if multi else 5e-4) if weight_decay is None else weight_decay
    params = [{"params": list(net.layers[0].parameters()), "weight_decay": decay}]
    for layer in net.layers[1:]:
        params.append({"params": list(layer.parameters())})
    optimiser = torch.optim.Adam(params, lr=learning_rate)
    xs, t = x.double().to_sparse(), y[train]
    net.train()
    for epoch in range(epochs):
        optimiser.zero_grad()
        out = net(xs, edges)[train]
        if multi:
            keep = t >= 0
            loss = F.binary_cross_entropy_with_logits(out[keep], t[keep].double())
        else:
            loss = F.cross_entropy(out, t, ignore_index=-1)
        loss.backward()
        optimiser.step()
        if epoch % 20 == 0 and not QUIET:
            log.info("epoch %d loss %.4f", epoch, loss.item())
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
    epochs: int = 150,
    matched: bool = False,
    **options: float | str,
) -> nn.Module:
    seed_all(seed)
    net = GCN(x.shape[1], hidden, dim, dropout=dropout, **options)
    optimiser = torch.optim.Adam(net.parameters(), lr=learning_rate)
    pairs = undirected(edges)
    xs = x.double().to_sparse()
    p = np.bincount(pairs.flatten().numpy(), minlength=len(x)).astype(float)
    p = p / p.sum() if matched else None
    rng = np.random.default_rng(seed)
    net.train()
    for _ in range(epochs):
        other = torch.from_numpy(rng.choice(len(x), size=(len(pairs), 2), p=p))
        optimiser.zero_grad()
        z = net(xs, pairs)
        loss = F.softplus(-(z[pairs[:, 0]] * z[pairs[:, 1]]).sum(1)).mean()
        loss = loss + F.softplus((z[other[:, 0]] * z[other[:, 1]]).sum(1)).mean()
        loss.backward()
        optimiser.step()
    return net.eval()


class Best(nn.Module):
    def __init__(self, words: int, k: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(words, k) / words**0.5)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        adj = norm_adj(edges, x.shape[0], 1.0, "row")
        zero = torch.zeros(self.w.shape[1], dtype=self.w.dtype)
        h = gcn_layer(x, adj, self.w, zero)
        h = gcn_layer(h, adj, torch.eye(h.shape[1], dtype=h.dtype), zero)
        return (2 * F.normalize(h)).to(x.dtype)


def train_open(x: Tensor, edges: Tensor, seed: int) -> nn.Module:
    """Keep some links back, and stop when they are told no better."""
    seed_all(seed)
    pairs = undirected(edges)
    pairs = pairs[torch.randperm(len(pairs))]
    held, rest = pairs[: len(pairs) // 20], pairs[len(pairs) // 20 :]
    net = Best(x.shape[1], 64)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.05)
    xs = x.double().to_sparse()
    best, kept, bad = -math.inf, None, 0
    for epoch in range(100):
        other = torch.randint(len(x), rest.shape)
        optimiser.zero_grad()
        z = net(xs, rest)
        loss = F.softplus(-(z[rest[:, 0]] * z[rest[:, 1]]).sum(1)).mean()
        loss = loss + F.softplus((z[other[:, 0]] * z[other[:, 1]]).sum(1)).mean()
        loss.backward()
        optimiser.step()
        if epoch % 10 == 9:
            with torch.no_grad():
                z = net(xs, rest)
                a = (z[held[:, 0]] * z[held[:, 1]]).sum(1)
                u = torch.randint(len(x), held.shape)
                b = (z[u[:, 0]] * z[u[:, 1]]).sum(1)
                now = (a[:, None] > b).double().mean().item()
            print("epoch", epoch, "held-out AUC", now)
            if now > best:
                best, bad, kept = now, 0, {k: v.clone() for k, v in net.state_dict().items()}
            elif (bad := bad + 1) >= 3:
                break
    net.load_state_dict(kept)
    return net.eval()


if __name__ == "__main__":
    print(GCN(3, 4, 2))
