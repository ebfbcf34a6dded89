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

# BEGIN SOLUTION
BEST_DEPTH, BEST_WIDTH = 8, 16
BEST_EPOCHS, BEST_RATE, BEST_SMOOTHING = 12, 0.1, 0.1
MAX_SHIFT = 2  # pixels


def _norm(kind: str, channels: int) -> nn.Module:
    """Return a normalisation of `channels` channels. GroupNorm: Wu and He 2018."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "layer":
        return nn.GroupNorm(1, channels)
    if kind == "group":
        return nn.GroupNorm(GROUPS, channels)
    return nn.Identity()


class Block(nn.Module):
    """Two convolutions with a shortcut around them: y = relu(f(x) + shortcut(x)).

    f(x) = norm(conv(relu(norm(conv(x)))))

    Shapes: x [N, C, H, W] -> [N, C_out, ceil(H / stride), ceil(W / stride)].
    Source: He et al. 2016, fig. 2 and option A of sec. 3.3.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, norm: str, residual: bool) -> None:
        super().__init__()
        bias = norm == "none"  # a normalisation would take a bias away again
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=bias)
        self.norm1 = _norm(norm, c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=bias)
        self.norm2 = _norm(norm, c_out)
        self.stride, self.residual = stride, residual

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output. Shapes: as above."""
        h = torch.relu(self.norm1(self.conv1(x)))  # [N, C_out, H', W']
        h = self.norm2(self.conv2(h))  # [N, C_out, H', W']
        if self.residual:
            h = h + self._shortcut(x, h.shape[1])
        return torch.relu(h)

    def _shortcut(self, x: Tensor, channels: int) -> Tensor:
        """Take every stride-th pixel; new channels are 0. It has no parameters."""
        kept = x[:, :, :: self.stride, :: self.stride]  # [N, C, H', W']
        return F.pad(kept, (0, 0, 0, 0, 0, channels - x.shape[1]))  # [N, C_out, H', W']


class ConvNet(nn.Module):
    """The network of `build`."""

    def __init__(
        self, depth: int, norm: str, dropout: float, residual: bool, classes: int, width: int
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("std", torch.full((3,), 255.0))
        self.stem = nn.Conv2d(3, width, 3, padding=1, bias=norm == "none")
        self.norm = _norm(norm, width)
        blocks, channels = [], width
        for stage in range(3):
            for number in range((depth - 2) // 6):
                stride = 2 if stage > 0 and number == 0 else 1
                blocks.append(Block(channels, width * 2**stage, stride, norm, residual))
                channels = width * 2**stage
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits. Shapes: images [N, 3, H, W] -> [N, classes]."""
        x = (images.float() - self.mean[:, None, None]) / self.std[:, None, None]  # [N, 3, H, W]
        h = torch.relu(self.norm(self.stem(x)))  # [N, width, H, W]
        h = self.blocks(h)  # [N, 4 width, H/4, W/4]
        features = h.mean(dim=(2, 3))  # [N, 4 width]
        return self.head(self.dropout(features))  # [N, classes]


# END SOLUTION


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
    # BEGIN SOLUTION
    if depth < 8 or depth % 6 != 2:
        raise ValueError(f"depth must be 6n + 2 (8, 14, 20, ...), got {depth}")
    if norm not in NORMS:
        raise ValueError(f"no norm {norm!r}; choose one of {', '.join(NORMS)}")
    return ConvNet(depth, norm, dropout, residual, classes, width)
    # END SOLUTION


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
    # BEGIN SOLUTION
    if decay == "none":
        return base
    if decay == "step":
        return base * 0.1 ** ((2 * epoch >= epochs) + (4 * epoch >= 3 * epochs))
    if decay == "cosine":
        return base / 2 * (1 + math.cos(math.pi * epoch / epochs))
    raise ValueError(f"no decay {decay!r}; choose one of {', '.join(DECAYS)}")
    # END SOLUTION


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
    # BEGIN SOLUTION
    torch.manual_seed(seed)
    device = next(model.parameters()).device
    _set_scale(model, images)
    optimiser = torch.optim.SGD(
        model.parameters(), lr=base_rate, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY
    )
    losses = []
    model.train()
    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(epoch, epochs, base_rate, decay)
        total = 0.0
        for batch in torch.randperm(len(images)).split(BATCH_SIZE):  # batch: int64 [<= 64]
            loss = F.cross_entropy(model(images[batch].to(device)), labels[batch].to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(batch)
        losses.append(total / len(images))
    model.eval()
    return losses
    # END SOLUTION


# BEGIN SOLUTION
def _set_scale(model: nn.Module, images: Tensor) -> None:
    """Let the model see each channel with mean 0 and variance 1 over the training images."""
    pixels = images.float()  # [N, 3, H, W]
    model.mean.copy_(pixels.mean(dim=(0, 2, 3)))
    model.std.copy_(pixels.std(dim=(0, 2, 3)))


# END SOLUTION


def best(images: Tensor, labels: Tensor, classes: int, seed: int) -> nn.Module:
    """Train the best network you can within the CPU time of the open part, and return it.

    The network is one of `build` (any depth, norm, dropout, residual and width you like), in
    evaluation mode; how it is trained is yours: augmentation, smoothing, schedule, averaging. Count
    epochs, not seconds, so that the result does not depend on the machine. Training runs on the
    device of the images.

    Shapes: images uint8 [N, 3, H, W], labels int64 [N].
    """
    # BEGIN SOLUTION
    torch.manual_seed(seed)
    model = build(BEST_DEPTH, classes=classes, width=BEST_WIDTH).to(images.device)
    _set_scale(model, images)
    steps = BEST_EPOCHS * math.ceil(len(images) / BATCH_SIZE)
    optimiser = torch.optim.SGD(
        model.parameters(),
        lr=BEST_RATE,
        momentum=MOMENTUM,
        weight_decay=WEIGHT_DECAY,
        nesterov=True,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, BEST_RATE, steps, pct_start=0.2)
    model.train()
    for batch in _batches(len(images), BEST_EPOCHS):
        logits = model(_augment(images[batch]))
        loss = F.cross_entropy(logits, labels[batch], label_smoothing=BEST_SMOOTHING)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()
    # END SOLUTION


# BEGIN SOLUTION
def _batches(n: int, epochs: int) -> Iterator[Tensor]:
    """Yield the indices of every batch of every epoch."""
    for _ in range(epochs):
        yield from torch.randperm(n).split(BATCH_SIZE)


def _augment(images: Tensor) -> Tensor:
    """Mirror half of the images, and shift the whole batch by up to MAX_SHIFT pixels.

    One shift for all costs a tenth of one for each, and over many batches it teaches the same.
    Shapes: [N, 3, H, W] -> the same.
    """
    mirrored = torch.rand(len(images), device=images.device) < 0.5
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    down, right = torch.randint(-MAX_SHIFT, MAX_SHIFT + 1, (2,)).tolist()
    return images.roll((down, right), dims=(2, 3))


# END SOLUTION
