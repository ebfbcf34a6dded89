"""The graph convolutional network, and its training to classify nodes and to predict links."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import PAIR_NORMS, drop_edge, gcn_layer, norm_adj, pair_norm, undirected

# BEGIN SOLUTION
from .normalised_gae import OPEN_EPOCHS, OPEN_RATE, NormalisedGAE

# END SOLUTION

ACTIVATIONS = ("identity", "relu", "tanh", "elu")

# BEGIN SOLUTION
ACTIVATION_FUNCTIONS = {
    "identity": lambda h: h,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "elu": functional.elu,
}

# END SOLUTION


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
        # BEGIN SOLUTION
        self.options = chosen = GCNOptions(**options)
        if chosen.activation not in ACTIVATIONS:
            raise ValueError(f"no activation {chosen.activation!r}; choose one of {ACTIVATIONS}")
        if chosen.pair_norm not in PAIR_NORMS:
            raise ValueError(f"no pair_norm {chosen.pair_norm!r}; choose one of {PAIR_NORMS}")
        self.activate = ACTIVATION_FUNCTIONS[chosen.activation]
        sizes = [in_dim, *[hidden] * (chosen.layers - 1), classes]
        self.layers = nn.ModuleList(
            GraphConvolution(a, b) for a, b in zip(sizes[:-1], sizes[1:], strict=True)
        )
        # END SOLUTION

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Return the output of every node; x may be a sparse tensor if you can use that.

        Shapes: x [n, in_dim] float, edges [E, 2] int64 -> [n, classes] float.
        """
        # BEGIN SOLUTION
        if self.training:
            edges = drop_edge(edges, self.options.drop_edge)
        adj = norm_adj(edges, len(x), self.options.self_loops)
        h = x  # [n, in_dim]
        for layer in self.layers[:-1]:
            h = layer(self._dropout(h), adj)  # [n, hidden]
            h = self.activate(pair_norm(h, mode=self.options.pair_norm))
        return self.layers[-1](self._dropout(h), adj)  # [n, classes]
        # END SOLUTION

    # BEGIN SOLUTION
    def _dropout(self, h: Tensor) -> Tensor:
        """Apply dropout; of a sparse tensor only what is stored can be dropped."""
        if not h.is_sparse:
            return functional.dropout(h, self.options.dropout, self.training)
        values = functional.dropout(h.values(), self.options.dropout, self.training)
        return torch.sparse_coo_tensor(
            h.indices(), values, h.shape, is_coalesced=True, check_invariants=False
        )

    # END SOLUTION


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
    # BEGIN SOLUTION
    torch.manual_seed(seed)
    classes = y.shape[1] if y.ndim == 2 else int(y.max()) + 1
    model = GCN(x.shape[1], hidden, classes, **options).to(x.device)
    if weight_decay is None:
        # With a label a column each step's gradient is so small that any decay outweighs it.
        weight_decay = 5e-4 if y.ndim == 1 else 0.0
    first, *others = model.layers
    optimiser = torch.optim.Adam(
        [
            {"params": first.parameters(), "weight_decay": weight_decay},
            {"params": [p for layer in others for p in layer.parameters()]},
        ],
        lr=learning_rate,
    )
    loss = functional.cross_entropy if y.ndim == 1 else functional.binary_cross_entropy_with_logits
    features = x.to_sparse()  # x W costs a fraction where nearly all of x is zero
    for _ in range(epochs):
        optimiser.zero_grad()
        logits = model(features, edges)  # [n, classes]
        loss(logits[train], y[train]).backward()
        optimiser.step()
    return model.eval()
    # END SOLUTION


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
    # BEGIN SOLUTION
    torch.manual_seed(seed)
    model = GCN(x.shape[1], hidden, dim, dropout=dropout, **options).to(x.device)
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    descend_on_links(model, x, edges, optimiser, epochs, matched)
    return model.eval()
    # END SOLUTION


# BEGIN SOLUTION
def descend_on_links(
    model: nn.Module,
    x: Tensor,
    edges: Tensor,
    optimiser: torch.optim.Optimizer,
    epochs: int,
    matched: bool,
) -> None:
    """Tell edges from random pairs by inner products of the output, for `epochs` steps."""
    features = x.to_sparse()
    positives = undirected(edges)  # [E, 2]
    # A node stands here once for each of its edges: an even draw is in proportion to degree.
    ends = positives.flatten() if matched else torch.arange(len(x), device=x.device)
    targets = torch.ones(2 * len(positives), device=x.device)  # [2 E]
    targets[len(positives) :] = 0
    for _ in range(epochs):
        optimiser.zero_grad()
        z = model(features, edges)  # [n, dim]
        negatives = ends[torch.randint(len(ends), positives.shape, device=x.device)]  # [E, 2]
        u, v = torch.cat([positives, negatives]).T  # [2 E], [2 E]
        scores = (z[u] * z[v]).sum(dim=1)  # [2 E]
        functional.binary_cross_entropy_with_logits(scores, targets).backward()
        optimiser.step()


# END SOLUTION


def train_open(x: Tensor, edges: Tensor, seed: int) -> nn.Module:
    """Train the best encoder of links that you can think of: the open part.

    As `train_link`, but the network is yours: any module that maps (x [n, d], edges [E, 2]) to
    z [n, k], k <= 256, in evaluation mode. Pairs are scored by z_u . z_v. 20 CPU seconds.

    Shapes: x [n, d] float32, edges [E, 2].
    """
    # BEGIN SOLUTION
    torch.manual_seed(seed)
    model = NormalisedGAE(x.shape[1]).to(x.device)
    optimiser = torch.optim.Adam(model.parameters(), lr=OPEN_RATE)
    descend_on_links(model, x, edges, optimiser, OPEN_EPOCHS, matched=False)
    return model.eval()
    # END SOLUTION
