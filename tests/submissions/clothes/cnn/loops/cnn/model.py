from __future__ import annotations

import math
import random

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NORMS = ("none", "batch", "layer", "group")
DECAYS = ("none", "step", "cosine")


class Network(nn.Module):
    def __init__(self, depth, norm, dropout, residual, classes, width):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.0, 0.0, 0.0]))
        self.register_buffer("std", torch.tensor([255.0, 255.0, 255.0]))
        self.norm, self.residual, self.p = norm, residual, dropout
        self.steps = []  # (name of the convolution, stride)
        count = 0
        channels = 3
        for stage, blocks in enumerate([0] + 3 * [(depth - 2) // 6]):
            wanted = width if stage == 0 else width * 2 ** (stage - 1)
            for i in range(1 if stage == 0 else 2 * blocks):
                count += 1
                stride = 2 if stage >= 2 and i == 0 else 1
                conv = nn.Conv2d(channels, wanted, 3, stride, 1, bias=(norm == "none"))
                setattr(self, "conv%d" % count, conv)
                if norm == "batch":
                    setattr(self, "norm%d" % count, nn.BatchNorm2d(wanted))
                elif norm == "layer":
                    setattr(self, "norm%d" % count, nn.GroupNorm(1, wanted))
                elif norm == "group":
                    setattr(self, "norm%d" % count, nn.GroupNorm(4, wanted))
                channels = wanted
        self.count = count
        self.linear = nn.Linear(channels, classes)

    def convolve(self, number, h):
        h = getattr(self, "conv%d" % number)(h)
        if self.norm != "none":
            h = getattr(self, "norm%d" % number)(h)
        return h

    def forward(self, images):
        x = torch.stack(
            [(images[:, c] - self.mean[c]) / self.std[c] for c in range(3)], dim=1
        )
        h = torch.relu(self.convolve(1, x))
        for number in range(2, self.count, 2):
            f = torch.relu(self.convolve(number, h))
            f = self.convolve(number + 1, f)
            if self.residual:
                stride = getattr(self, "conv%d" % number).stride[0]
                short = h[:, :, ::stride, ::stride]
                lacking = f.shape[1] - short.shape[1]
                if lacking > 0:
                    zeros = torch.zeros_like(f[:, :lacking])
                    short = torch.cat([short, zeros], dim=1)
                f = f + short
            h = torch.relu(f)
        h = h.mean(dim=3).mean(dim=2)
        return self.linear(F.dropout(h, self.p, self.training))


def build(
    depth: int,
    norm: str = "batch",
    dropout: float = 0.0,
    residual: bool = True,
    classes: int = 10,
    width: int = 16,
) -> nn.Module:
    if norm not in NORMS:
        raise ValueError("unknown norm " + str(norm))
    if depth not in range(8, 2000, 6):
        raise ValueError("depth must be 8, 14, 20, ...")
    return Network(depth, norm, dropout, residual, classes, width)


def buffers(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's buffers by name (given; graders read them by it)."""
    return {name: buffer.detach().cpu() for name, buffer in model.named_buffers()}


def learning_rate(epoch: int, epochs: int, base: float, decay: str) -> float:
    if decay == "none":
        return base
    if decay == "step":
        rate = base
        if 2 * epoch >= epochs:
            rate = rate * 0.1
        if 4 * epoch >= 3 * epochs:
            rate = rate * 0.1
        return rate
    if decay == "cosine":
        return base * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
    raise ValueError("unknown decay " + str(decay))


def one_epoch(model, optimizer, images, labels, order, changed=None):
    total = 0.0
    for start in range(0, len(order), 64):
        chosen = torch.tensor(order[start : start + 64], device=images.device)
        x = images[chosen]
        if changed is not None:
            x = changed(x)
        loss = F.cross_entropy(model(x), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(chosen)
    return total / len(order)


def set_scale(model, images):
    with torch.no_grad():
        for c in range(3):
            pixels = images[:, c].double()
            model.mean[c] = pixels.mean()
            model.std[c] = ((pixels - pixels.mean()) ** 2).mean().sqrt()


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
    if decay not in DECAYS:
        raise ValueError("unknown decay " + str(decay))
    dice = random.Random(seed)
    torch.manual_seed(seed)
    set_scale(model, images)
    optimizer = torch.optim.SGD(model.parameters(), lr=base_rate, momentum=0.9, weight_decay=5e-4)
    losses = []
    model.train()
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = learning_rate(epoch, epochs, base_rate, decay)
        order = list(range(len(images)))
        dice.shuffle(order)
        losses.append(one_epoch(model, optimizer, images, labels, order))
    model.eval()
    return losses


def best(images: Tensor, labels: Tensor, classes: int, seed: int) -> nn.Module:
    dice = random.Random(seed)
    torch.manual_seed(seed)
    model = build(8, width=20, classes=classes).to(images.device)
    set_scale(model, images)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.05, momentum=0.9, weight_decay=2e-3, nesterov=True
    )

    def changed(x):
        pictures = []
        for picture in x:
            if dice.random() < 0.5:
                picture = picture.flip(2)
            down, right = dice.randint(-2, 2), dice.randint(-2, 2)
            pictures.append(torch.roll(picture, (down, right), dims=(1, 2)))
        return torch.stack(pictures)

    model.train()
    for epoch in range(20):
        optimizer.param_groups[0]["lr"] = learning_rate(epoch, 20, 0.08, "cosine")
        order = list(range(len(images)))
        dice.shuffle(order)
        one_epoch(model, optimizer, images, labels, order, changed)
    model.eval()
    return model
