"""The network in PyTorch, and its training on the points of one function."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FNN(nn.Module):
    """A feed-forward network from one number to one number.

    h_0 = x,  h_l = activation(W_l h_{l-1} + b_l) for l = 1..depth,  output = W h_depth + b.

    Shapes: x [N, 1] -> [N, 1]. Parameters in the order of `parameters()`: W_1 [width, 1],
    b_1 [width], then W_l [width, width], b_l [width] of each further hidden layer, then
    W [1, width], b [1]. There are no others.
    """

    def __init__(self, depth: int, width: int, activation: str) -> None:
        """Make `depth` >= 1 hidden layers of `width` units, each an nn.Linear and an activation.

        The names of activations are those of `layers.activation`.
        Raises ValueError if there is no activation of that name.
        """
        super().__init__()
        raise NotImplementedError("FNN is not written yet")

    def forward(self, x: Tensor) -> Tensor:
        """Return the output for a batch. Shapes: x [N, 1] -> [N, 1]."""
        raise NotImplementedError("FNN.forward is not written yet")


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
    """Train a network on the points (x, y) and return it, ready to predict.

    The module that is returned maps raw x [M, 1] to predictions in the unit of y [M, 1]. Scaling
    belongs inside it, with constants in buffers; its parameters are those of one
    FNN(depth, width, activation) in the same order, and no others. Every layer is trained on the
    points by gradients, from random weights: none is solved for or brought along.
    `seed` decides everything random: two calls with equal arguments give equal networks.
    With `steps`, train by Adam for that many steps, all points in each, with the learning rate
    falling from `learning_rate` to 0 along a half cosine. Without it, train as you think best.
    You choose the defaults and may add options of your own, each with a default.

    Shapes: x [N, 1], y [N, 1], float32.
    """
    raise NotImplementedError("fit is not written yet")
