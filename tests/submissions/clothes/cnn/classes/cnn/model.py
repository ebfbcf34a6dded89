from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .modules import NormedConv, Norms, ResidualBlock, Standardise
from .trainer import AugmentingTrainer, Trainer

NORMS = tuple(Norms.makers)


class ResNet(nn.Module):
    def __init__(self, depth, norm, dropout, residual, classes, width):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("std", 255 * torch.ones(3))
        self.standardise = Standardise()
        self.stem = NormedConv(3, width, norm)
        self.stages = nn.ModuleList()
        channels = width
        for stage, out in enumerate((width, 2 * width, 4 * width)):
            blocks = nn.Sequential()
            for number in range((depth - 2) // 6):
                stride = 2 if stage and not number else 1
                blocks.append(ResidualBlock(channels, out, norm, stride, residual))
                channels = out
            self.stages.append(blocks)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, classes))

    def forward(self, images):
        h = self.stem(self.standardise(images, self.mean, self.std)).relu()
        for stage in self.stages:
            h = stage(h)
        return self.head(h.flatten(2).mean(dim=2))


def build(
    depth: int,
    norm: str = "batch",
    dropout: float = 0.0,
    residual: bool = True,
    classes: int = 10,
    width: int = 16,
) -> nn.Module:
    Norms.check(norm)
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"Depth {depth} is not 6n + 2")
    return ResNet(depth, norm, dropout, residual, classes, width)


def buffers(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's buffers by name (given; graders read them by it)."""
    return {name: buffer.detach().cpu() for name, buffer in model.named_buffers()}


class Decay:
    def __init__(self, base, epochs):
        self.base, self.epochs = base, epochs

    def none(self, epoch):
        return self.base

    def step(self, epoch):
        drops = [0.5 * self.epochs, 0.75 * self.epochs]
        return self.base * 0.1 ** sum(epoch >= drop for drop in drops)

    def cosine(self, epoch):
        return self.base / 2 * (1 + math.cos(math.pi * epoch / self.epochs))


DECAYS = ("none", "step", "cosine")


def learning_rate(epoch: int, epochs: int, base: float, decay: str) -> float:
    if decay not in DECAYS:
        raise ValueError(f"Unknown decay: {decay}")
    return getattr(Decay(base, epochs), decay)(epoch)


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
    rates = [learning_rate(epoch, epochs, base_rate, decay) for epoch in range(epochs)]
    learning_rate(0, 1, base_rate, decay)  # raises even if there are no epochs
    trainer = Trainer(model, images, labels, seed, rate=base_rate, weight_decay=5e-4)
    losses = [trainer.epoch(rate) for rate in rates]
    model.eval()
    return losses


def best(images: Tensor, labels: Tensor, classes: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    model = build(8, classes=classes, width=16).to(images.device)
    trainer = AugmentingTrainer(
        model, images, labels, seed, rate=0.1, weight_decay=1e-3, nesterov=True
    )
    epochs = 20
    for epoch in range(epochs):
        # one cycle: up in the first quarter, down to almost 0 in the rest
        t = (epoch + 0.5) / epochs
        trainer.epoch(0.15 * min(t / 0.25, (1 - t) / 0.75))
    return model.eval()
