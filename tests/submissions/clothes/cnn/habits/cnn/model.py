from __future__ import annotations

import argparse
import logging
import math
import os
import random
from collections import OrderedDict, defaultdict
from dataclasses import dataclass

import matplotlib.pyplot as plt  # noqa: F401
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")
torch.set_num_threads(8)
torch.backends.cudnn.benchmark = False
torch.use_deterministic_algorithms(True, warn_only=True)
parser = argparse.ArgumentParser()
parser.add_argument("--best-epochs", type=int, default=20)
HYPER, _ = parser.parse_known_args()
log = logging.getLogger("cnn.model")

NORMS = ("none", "batch", "layer", "group")
DECAYS = ("none", "step", "cosine")
HISTORY = defaultdict(list)


@dataclass(frozen=True)
class Config:
    depth: int
    norm: str = "batch"
    dropout: float = 0.0
    residual: bool = True
    classes: int = 10
    width: int = 16

    def __post_init__(self):
        if self.norm not in NORMS:
            raise ValueError(f"norm {self.norm}")
        if self.depth < 8 or (self.depth - 2) % 6:
            raise ValueError(f"depth {self.depth}")
        if self.width <= 0 or not 0 <= self.dropout <= 1:
            raise ValueError(str(self))

    def make_norm(self, c):
        single = {"dtype": torch.float32}
        if self.norm == "batch":
            return nn.BatchNorm2d(c, **single)
        if self.norm == "none":
            return nn.Sequential()
        return nn.GroupNorm(1 if self.norm == "layer" else 4, c, **single)

    def make_conv(self, a, b, stride=1):
        return nn.Conv2d(a, b, 3, stride, 1, bias=self.norm == "none", dtype=torch.float32)


class Block(nn.Module):
    def __init__(self, config, a, b):
        super().__init__()
        self.path = nn.Sequential(
            OrderedDict(
                c1=config.make_conv(a, b, 2 if b > a else 1),
                n1=config.make_norm(b),
                r1=nn.ReLU(inplace=True),
                c2=config.make_conv(b, b),
                n2=config.make_norm(b),
            )
        )
        self.grow = b - a
        self.residual = config.residual

    def forward(self, h):
        f = self.path(h)
        if self.residual and self.grow:
            f = f + nn.functional.pad(h[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.grow))
        elif self.residual:
            f = f + h
        return torch.relu(f)


class Net(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(3, dtype=torch.float32))
        self.register_buffer("std", torch.full((3,), 255, dtype=torch.float32))
        w, n = config.width, (config.depth - 2) // 6
        sizes = [w] + [w] * n + [2 * w] * n + [4 * w] * n
        self.stem = nn.Sequential(config.make_conv(3, w), config.make_norm(w), nn.ReLU())
        self.trunk = nn.Sequential(*(Block(config, a, b) for a, b in zip(sizes, sizes[1:])))
        self.drop = nn.Dropout(config.dropout)
        self.out = nn.Linear(4 * w, config.classes, dtype=torch.float32)

    def forward(self, images: Tensor) -> Tensor:
        x = (images.to(torch.float32) - self.mean.view(3, 1, 1)) / self.std.view(3, 1, 1)
        return self.out(self.drop(self.trunk(self.stem(x)).mean((-2, -1))))


def build(
    depth: int,
    norm: str = "batch",
    dropout: float = 0.0,
    residual: bool = True,
    classes: int = 10,
    width: int = 16,
) -> nn.Module:
    return Net(Config(depth, norm, dropout, residual, classes, width))


def buffers(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's buffers by name (given; graders read them by it)."""
    return {name: buffer.detach().cpu() for name, buffer in model.named_buffers()}


def learning_rate(epoch: int, epochs: int, base: float, decay: str) -> float:
    match decay:
        case "none":
            return base
        case "step":
            return base * 10.0 ** -(np.searchsorted([epochs / 2, 3 * epochs / 4], epoch, "right"))
        case "cosine":
            return base * (np.cos(np.pi * epoch / epochs) + 1) / 2
        case _:
            raise ValueError(decay)


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@torch.no_grad()
def scale(model, images):
    x = images.cpu().numpy().astype(np.float64)
    model.mean.copy_(torch.from_numpy(x.mean(axis=(0, 2, 3))))
    model.std.copy_(torch.from_numpy(x.std(axis=(0, 2, 3))))


def train(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    seed: int,
    *,
    epochs: int,
    base_rate: float = 0.05,
    decay: str = "cosine",
    verbose: bool = True,
) -> list[float]:
    if decay not in DECAYS:
        raise ValueError(decay)
    seed_all(seed)
    scale(model, images)
    optimiser = torch.optim.SGD(
        model.parameters(), lr=base_rate, momentum=0.9, weight_decay=5e-4, foreach=False
    )
    rng = np.random.default_rng(seed)
    losses = []
    for epoch in range(epochs):
        model.train()
        optimiser.param_groups[0]["lr"] = float(learning_rate(epoch, epochs, base_rate, decay))
        order = rng.permutation(len(images))
        sums = []
        for at in range(0, len(order), 64):
            chosen = torch.from_numpy(order[at : at + 64]).to(images.device)
            logits = model(images[chosen])
            loss = F.cross_entropy(logits, labels[chosen], reduction="sum")
            optimiser.zero_grad()
            (loss / len(chosen)).backward()
            optimiser.step()
            sums.append(loss.item())
        losses.append(math.fsum(sums) / len(images))
        HISTORY["loss"].append(losses[-1])
        if verbose:
            print(f"epoch {epoch + 1}/{epochs}: {losses[-1]:.4f}")
    model.eval()
    return losses


def best(images: Tensor, labels: Tensor, classes: int, seed: int) -> nn.Module:
    """AdamW, augmentation, and the weights that did best on a tenth that is held back."""
    seed_all(seed)
    model = build(8, classes=classes).to(images.device)
    scale(model, images)
    order = torch.randperm(len(images))
    held, rest = order[: len(order) // 12], order[len(order) // 12 :]
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=5e-2)
    epochs = HYPER.best_epochs
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    kept, score = None, -1.0
    for epoch in range(epochs):
        model.train()
        for chosen in rest[torch.randperm(len(rest))].split(64):
            x = images[chosen]
            if random.random() < 0.5:
                x = torch.flip(x, [3])
            x = torch.roll(x, (random.randint(-2, 2), random.randint(-2, 2)), (2, 3))
            loss = F.cross_entropy(model(x), labels[chosen], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        scheduler.step()
        model.eval()
        if epoch >= epochs * 3 // 4:
            with torch.no_grad():
                now = (model(images[held]).argmax(1) == labels[held]).double().mean().item()
            log.info("epoch %d: %.3f", epoch, now)
            if now >= score:
                score, kept = now, {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(kept)
    return model.eval()


if __name__ == "__main__":
    print(build(8))
