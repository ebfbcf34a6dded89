from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .graph import Graph
from .layers import PAIR_NORMS, drop_edge, gcn_layer, norm_adj, pair_norm, propagate
from .training import LinkTask, NodeTask, Trainer

ACTIVATIONS = {"identity": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh, "elu": nn.ELU}


@dataclass(frozen=True)
class GCNOptions:
    """What a GCN is beside the sizes of its layers (given; defaults are yours to choose)."""

    layers: int = 2  # at least 1
    activation: str = "relu"  # one of ACTIVATIONS
    self_loops: float = 1.0  # the weight of every node's self-loop
    drop_edge: float = 0.0  # the probability that an edge is dropped
    pair_norm: str = "none"  # none, PN or PN-SI, of scale 1
    dropout: float = 0.5  # the probability that a number is dropped

    def __post_init__(self):
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"Unknown activation: {self.activation}")
        if self.pair_norm not in PAIR_NORMS:
            raise ValueError(f"Unknown PairNorm: {self.pair_norm}")


class GraphConvolution(nn.Module):
    """Weight W [d, k] and bias b [k] of one layer, A x W + b (given)."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(fan_in, fan_out))
        self.bias = nn.Parameter(torch.zeros(fan_out))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor, adj: tuple[Tensor, Tensor]) -> Tensor:
        return gcn_layer(x, adj, self.weight, self.bias)


class SparseDropout(nn.Dropout):
    """Dropout that leaves the zeros of a sparse matrix out of its dice."""

    def forward(self, x):
        if not x.is_sparse:
            return super().forward(x)
        x = x.coalesce()
        return torch.sparse_coo_tensor(
            x.indices(), super().forward(x.values()), x.shape, check_invariants=False
        )


class Block(nn.Module):
    def __init__(self, fan_in, fan_out, options, last):
        super().__init__()
        self.dropout = SparseDropout(options.dropout)
        self.convolution = GraphConvolution(fan_in, fan_out)
        self.norm = "none" if last else options.pair_norm
        self.activation = nn.Identity() if last else ACTIVATIONS[options.activation]()

    def forward(self, x, adj):
        return self.activation(
            pair_norm(self.convolution(self.dropout(x), adj), mode=self.norm)
        )


class GCN(nn.Module):
    def __init__(self, in_dim: int, hidden: int, classes: int, **options: float | str) -> None:
        super().__init__()
        self.options = GCNOptions(**options)
        ends = [in_dim] + (self.options.layers - 1) * [hidden] + [classes]
        count = self.options.layers
        self.blocks = nn.ModuleList()
        for number in range(count):
            self.blocks.append(
                Block(ends[number], ends[number + 1], self.options, number == count - 1)
            )

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        if self.training:
            edges = drop_edge(edges, self.options.drop_edge)
        adj = norm_adj(edges, x.size(0), self.options.self_loops)
        for block in self.blocks:
            x = block(x, adj)
        return x


def train_node(
    x: Tensor,
    edges: Tensor,
    y: Tensor,
    train: Tensor,
    seed: int,
    *,
    hidden: int = 16,
    learning_rate: float = 0.02,
    weight_decay: float | None = None,
    epochs: int = 150,
    dropout: float = 0.6,
    **options: float | str,
) -> nn.Module:
    torch.manual_seed(seed)
    network = GCN(x.size(1), hidden, NodeTask.columns(y), dropout=dropout, **options)
    first = list(network.blocks[0].parameters())
    rest = [p for block in network.blocks[1:] for p in block.parameters()]
    optimiser = torch.optim.Adam(first, lr=learning_rate, weight_decay=0.0)
    optimiser.param_groups[0]["weight_decay"] = 5e-4 if weight_decay is None else weight_decay
    if rest:
        optimiser.add_param_group({"params": rest, "weight_decay": 0.0})
    return Trainer(network, optimiser).run(NodeTask(x.to_sparse_coo(), edges, y, train), epochs)


def train_link(
    x: Tensor,
    edges: Tensor,
    seed: int,
    *,
    hidden: int = 32,
    dim: int = 16,
    dropout: float = 0.1,
    learning_rate: float = 0.02,
    epochs: int = 150,
    matched: bool = False,
    **options: float | str,
) -> nn.Module:
    torch.manual_seed(seed)
    network = GCN(x.size(1), hidden, dim, dropout=dropout, **options)
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    task = LinkTask(x.to_sparse_coo(), edges, Graph(edges).pairs, matched)
    return Trainer(network, optimiser).run(task, epochs)


class TwoViews(nn.Module):
    """What a node's papers say, and what those around it say, side by side."""

    def __init__(self, words, size):
        super().__init__()
        self.own = nn.Parameter(torch.zeros(words, size))
        self.around = nn.Parameter(torch.zeros(words, size))
        for p in self.parameters():
            nn.init.xavier_normal_(p)

    def forward(self, x, edges):
        adj = norm_adj(edges, x.size(0))
        near = propagate(adj, x @ self.own)
        far = propagate(adj, propagate(adj, propagate(adj, x @ self.around)))
        z = torch.cat((nn.functional.normalize(near), nn.functional.normalize(far)), dim=1)
        return 1.6 * z


def train_open(x: Tensor, edges: Tensor, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    network = TwoViews(x.size(1), 64)
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=1e-2)
    task = LinkTask(x.to_sparse_coo(), edges, Graph(edges).pairs)
    return Trainer(network, optimiser).run(task, 60)
