"""The network in PyTorch, and its training on the points of one function."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ACTIVATIONS = {
    "identity": lambda x: x,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "softplus": F.softplus,
    "swish": F.silu,
    "gelu": F.gelu,
}


class FNN(nn.Module):
    """A feed-forward network from one number to one number."""

    def __init__(self, depth: int, width: int, activation: str) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}")
        self.activation = activation
        self.hidden = nn.ModuleList()
        fan_in = 1
        for _ in range(depth):
            self.hidden.append(nn.Linear(fan_in, width))
            fan_in = width
        self.last = nn.Linear(fan_in, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output for a batch."""
        for layer in self.hidden:
            x = ACTIVATIONS[self.activation](layer(x))
        return self.last(x)


class Scaled(nn.Module):
    """An FNN with x and y scaled around it."""

    def __init__(self, net, x_low, x_high, y_mean, y_std):
        super().__init__()
        self.net = net
        self.register_buffer("x_low", torch.tensor(x_low))
        self.register_buffer("x_high", torch.tensor(x_high))
        self.register_buffer("y_mean", torch.tensor(y_mean))
        self.register_buffer("y_std", torch.tensor(y_std))

    def forward(self, x):
        z = 2 * (x - self.x_low) / (self.x_high - self.x_low) - 1
        return self.net(z) * self.y_std + self.y_mean


def fit(
    x: Tensor,
    y: Tensor,
    seed: int,
    *,
    depth: int = 2,
    width: int = 64,
    activation: str = "tanh",
    learning_rate: float = 1e-2,
    steps: int | None = None,
) -> nn.Module:
    """Train a network on the points (x, y) and return it, ready to predict."""
    torch.manual_seed(seed)
    net = FNN(depth, width, activation)
    polish = steps is None
    if steps is None:
        steps = 1000
        # wide first weights, spread over the domain: fine detail is learned much faster
        with torch.no_grad():
            first = net.hidden[0]
            first.weight.uniform_(-20.0, 20.0)
            first.bias.copy_(-first.weight[:, 0] * torch.empty(width).uniform_(-1.0, 1.0))
    std = float(y.std())
    if std == 0:
        std = 1.0
    model = Scaled(net, float(x.min()), float(x.max()), float(y.mean()), std)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate / 2 * (1 + math.cos(math.pi * step / steps))
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean() / std**2
        loss.backward()
        optimizer.step()
    if polish:
        # Adam crawls near the end: the last digits come from L-BFGS
        lbfgs = torch.optim.LBFGS(
            model.parameters(), max_iter=1200, line_search_fn="strong_wolfe",
            tolerance_grad=1e-9, tolerance_change=1e-12,
        )

        def closure():
            lbfgs.zero_grad()
            loss = ((model(x) - y) ** 2).mean() / std**2
            loss.backward()
            return loss

        lbfgs.step(closure)
    model.eval()
    return model
