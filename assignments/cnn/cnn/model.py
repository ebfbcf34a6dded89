"""A residual network for small images, its training by a fixed recipe, and your best one.

Everything runs on the device of the model's parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NORMS = ("none", "batch", "layer", "group")
DECAYS = ("none", "step", "cosine")

BATCH_SIZE = 64
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
GROUPS = 4  # of the norm "group"; widths are multiples of it


def build(
    depth: int,
    norm: str = "batch",
    dropout: float = 0.0,
    residual: bool = True,
    classes: int = 10,
    width: int = 16,
) -> nn.Module:
    """Make an untrained network of depth 6n + 2 that maps images to logits.

    The module takes images uint8 [N, 3, H, W] of any size and returns logits float32 [N, classes]:

    x = (images - mean) / std            buffers `mean` and `std` [3], at first 0 and 255
    h = relu(norm(conv(x)))              3 x 3, `width` channels
    3 stages of n blocks                 `width`, 2 `width` and 4 `width` channels; the first block
                                         of stages 2 and 3 has stride 2 in its first convolution
    block: f = norm(conv(relu(norm(conv(h)))));  h <- relu(f + shortcut), or relu(f) unless
           `residual`                    the ReLU comes after the addition
    logits = linear(dropout(mean of h over H and W))

    Convolutions are 3 x 3 with padding 1, with a bias only if norm is "none". The shortcut has no
    parameters: it takes every stride-th pixel, and the channels it lacks are 0 (they come last).
    Norms: "none", "batch" (nn.BatchNorm2d), "layer" (nn.GroupNorm of 1 group) and "group"
    (nn.GroupNorm of 4 groups), with torch's default settings. Initial weights are those that
    torch's layers give themselves, drawn from torch's global generator; whoever calls seeds it.

    Parameters stand in the order in which they are used, and there are no others: convolution,
    norm, and so on, then the linear layer. With "batch" the only further buffers are those of
    nn.BatchNorm2d.

    Raises ValueError if depth is not 6n + 2 with n >= 1, or if there is no norm of that name.
    Source: He et al. 2016, sec. 4.2.
    """
    raise NotImplementedError("build is not written yet")


def buffers(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's buffers by name (given; graders read them by it)."""
    return {name: buffer.detach().cpu() for name, buffer in model.named_buffers()}


def learning_rate(epoch: int, epochs: int, base: float, decay: str) -> float:
    """Return the learning rate of a whole epoch = 0, 1, ..., epochs - 1.

    none     base
    step     base, a tenth of it from half of the epochs on, a hundredth from three quarters on
    cosine   base / 2 (1 + cos(pi epoch / epochs))

    Raises ValueError if there is no decay of that name.
    """
    raise NotImplementedError("learning_rate is not written yet")


def train(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    seed: int,
    *,
    epochs: int,
    base_rate: float = 0.05,
    decay: str = "cosine",
) -> list[float]:
    """Train a network of `build` in place and return the mean loss of each epoch.

    1. Set the model's `mean` and `std` to those of each channel over all training images.
    2. SGD with momentum 0.9 and weight decay 5e-4 on all parameters (torch.optim.SGD).
    3. In each epoch: set the learning rate by `learning_rate` (once an epoch, not once a batch);
       put the images in a new random order; take batches of 64, the last one may be smaller and is
       not left out; step down the mean cross-entropy of each batch. No augmentation.
    4. Leave the model in evaluation mode.

    The loss of an epoch is the mean over its images, each at the time of its batch. `seed` decides
    the order and the dropout: equal arguments and equal initial weights give equal networks.
    A run that diverges ends like any other.

    Shapes: images uint8 [N, 3, H, W], labels int64 [N].
    Raises ValueError if there is no decay of that name.
    """
    raise NotImplementedError("train is not written yet")


def best(images: Tensor, labels: Tensor, classes: int, seed: int) -> nn.Module:
    """Train the best network you can within the CPU time of the open part, and return it.

    The network is one of `build` (any depth, norm, dropout, residual and width you like), in
    evaluation mode; how it is trained is yours: augmentation, smoothing, schedule, averaging. Count
    epochs, not seconds, so that the result does not depend on the machine. Training runs on the
    device of the images.

    Shapes: images uint8 [N, 3, H, W], labels int64 [N].
    """
    raise NotImplementedError("best is not written yet")
