"""The graph convolutional network, and its training to classify nodes and to predict links."""

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
    """Weight W [d, k] and bias b [k] of one layer, A x W + b (given).

    Weights start from xavier_uniform (Glorot and Bengio 2010), biases from 0.
    """

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
    """A graph convolutional network of `layers` layers.

    h_0 = x
    h_l = activation(pair_norm(A dropout(h_{l-1}) W_l + b_l))     l = 1 .. layers - 1
    out = A dropout(h_{layers-1}) W_layers + b_layers

    with A = norm_adj(edges, n, self_loops, "sym"). In training mode A is made of
    drop_edge(edges, p), drawn anew at every forward pass and shared by its layers; in evaluation
    mode neither edges nor units are dropped.

    Shapes: x [n, in_dim], edges [E, 2] -> [n, classes]. Parameters in the order of
    `parameters()`: W_1 [in_dim, hidden], b_1 [hidden], ..., W_layers [hidden, classes],
    b_layers [classes], and no others.
    Sources: Kipf and Welling 2017, eq. 9; Rong et al. 2020; Zhao and Akoglu 2020, sec. 3.2.
    """

    def __init__(self, in_dim: int, hidden: int, classes: int, **options: float | str) -> None:
        """Make `layers` >= 1 layers with `hidden` numbers a node between them.

        `options` are the fields of GCNOptions, by name.
        Raises ValueError for an unknown activation or pair_norm.
        """
        super().__init__()
        raise NotImplementedError("GCN is not written yet")

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Return the output of every node; x may be a sparse tensor if you can use that.

        Shapes: x [n, in_dim] float, edges [E, 2] int64 -> [n, classes] float.
        """
        raise NotImplementedError("GCN.forward is not written yet")


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
    """Train a GCN to classify nodes and return it in evaluation mode.

    All of x and edges take part (the task is transductive), but only the labels of the nodes
    `train` count: cross-entropy for one class a node, binary cross-entropy with logits where y
    has a column a label. y is -1 where a label is not known; there is a class (or column) for
    every number up to the largest label. Take x as it is: whoever calls has normalised it.

    Adam, all of `train` in each of `epochs` steps. L2 regularisation (Adam's weight_decay) of the
    first layer only; None leaves its strength to you. `epochs` = 0 returns the network as it
    starts. `seed` decides everything random: two calls with equal arguments give equal networks,
    and of two calls that differ only in `epochs` one continues the other. `options` go to GCN as
    they are. You choose the defaults and may add options of your own, each with a default.

    Shapes: x [n, d] float32, edges [E, 2], y [n] int64 or [n, L] float32, train [T] int64.
    The network: (x [n, d], edges [E, 2]) -> logits [n, classes].
    Source: Kipf and Welling 2017, sec. 3.1 and 5.2.
    """
    raise NotImplementedError("train_node is not written yet")


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
    """Train a GCN as the encoder of a graph autoencoder and return it in evaluation mode.

    The score of a pair of nodes is the inner product z_u . z_v of their rows in the output; its
    sigmoid is the probability of an edge. The loss is binary cross-entropy over all undirected
    edges of the list and as many random pairs, drawn anew in each of `epochs` steps of Adam
    (with `matched`, both ends in proportion to their degrees, else evenly).

    `edges` are the training edges: the only ones that A may hold, now and when the network is
    used. `seed`, `epochs` and `options` as in `train_node`.

    Shapes: x [n, d] float32, edges [E, 2]. The network: (x [n, d], edges [E, 2]) -> z [n, dim].
    Source: Kipf and Welling 2016 (the GAE; its variational twin is not asked for).
    """
    raise NotImplementedError("train_link is not written yet")


def train_open(x: Tensor, edges: Tensor, seed: int) -> nn.Module:
    """Train the best encoder of links that you can think of: the open part.

    As `train_link`, but the network is yours: any module that maps (x [n, d], edges [E, 2]) to
    z [n, k], k <= 256, in evaluation mode. Pairs are scored by z_u . z_v. 20 CPU seconds.

    Shapes: x [n, d] float32, edges [E, 2].
    """
    raise NotImplementedError("train_open is not written yet")
