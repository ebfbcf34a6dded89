from __future__ import annotations

import argparse
import logging
import math
import os
import random
from dataclasses import dataclass
from typing import NamedTuple

import matplotlib.pyplot as plt  # noqa: F401
import numpy as np
import torch
from torch import Tensor, nn

os.environ["OMP_NUM_THREADS"] = "8"
torch.set_num_threads(8)
torch.set_default_dtype(torch.float64)
log = logging.getLogger(__name__)
cli = argparse.ArgumentParser()
cli.add_argument("--epochs", type=int, default=1500)
CONFIG = cli.parse_known_args()[0]


@dataclass
class Settings:
    epochs: int = CONFIG.epochs
    patience: int = 12
    every: int = 50
    held_out: float = 0.06
    polish: int = 600


class Affine(NamedTuple):
    scale: float
    shift: float


ACTS = nn.ModuleDict(
    {
        "identity": nn.Identity(),
        "sigmoid": nn.Sigmoid(),
        "tanh": nn.Tanh(),
        "relu": nn.ReLU(),
        "leaky_relu": nn.LeakyReLU(),
        "elu": nn.ELU(),
        "softplus": nn.Softplus(),
        "swish": nn.SiLU(),
        "gelu": nn.GELU(),
    }
)


class FNN(nn.Module):
    def __init__(self, depth: int, width: int, activation: str) -> None:
        super().__init__()
        if activation not in ACTS:
            raise ValueError(activation)
        self.act = activation
        self.first = nn.Linear(1, width)
        self.middle = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))
        self.last = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        kind = x.dtype
        h = ACTS[self.act](self.first(x.to(self.first.weight.dtype)))
        for layer in self.middle:
            h = ACTS[self.act](layer(h))
        return self.last(h).to(kind)


class Model(nn.Module):
    def __init__(self, inner: FNN, x: Affine, y: Affine) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("constants", torch.tensor([*x, *y]))

    def forward(self, x: Tensor) -> Tensor:
        a, b, c, d = self.constants
        return (self.inner(x.double() * a + b) * c + d).float()


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


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
    verbose: bool = True,
    settings: Settings | None = None,
) -> nn.Module:
    seed_everything(seed)
    settings = settings or Settings()
    x, y = x.double(), y.double()
    low, high = x.min().item(), x.max().item()
    ax = Affine(2 / (high - low), -(high + low) / (high - low))
    ay = Affine(max(y.std().item(), 1e-9), y.mean().item())
    net = FNN(depth, width, activation)
    u, v = x * ax.scale + ax.shift, (y - ay.shift) / ay.scale
    if steps is not None:
        optimiser = torch.optim.Adam(net.parameters(), lr=learning_rate)
        for t in range(steps):
            optimiser.param_groups[0]["lr"] = learning_rate * math.cos(math.pi * t / steps / 2) ** 2
            optimiser.zero_grad()
            nn.functional.mse_loss(net(u), v).backward()
            optimiser.step()
        return Model(net, ax, ay)
    with torch.no_grad():
        net.first.weight.normal_(0, 14)
        net.first.bias.copy_(net.first.weight[:, 0] * (2 * torch.rand(width) - 1))
    order = torch.randperm(len(u))
    cut = int(len(u) * settings.held_out)
    val, train = order[:cut], order[cut:]
    optimiser = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    best, kept, bad = math.inf, None, 0
    for epoch in range(settings.epochs):
        net.train()
        optimiser.zero_grad()
        loss = torch.mean((net(u[train]) - v[train]) ** 2)
        loss.backward()
        optimiser.step()
        scheduler.step()
        if epoch % settings.every == settings.every - 1:
            with torch.no_grad():
                now = torch.mean((net(u[val]) - v[val]) ** 2).item()
            if verbose:
                print(f"epoch {epoch + 1}: train {loss.item():.2e} val {now:.2e}")
            if now < best:
                best, bad = now, 0
                kept = {name: value.clone() for name, value in net.state_dict().items()}
            else:
                bad += 1
                if bad > settings.patience:
                    log.warning("early stop after %d", epoch)
                    break
    net.load_state_dict(kept)
    # the rest by a quasi-Newton method on all points: float64 lets it go on where float32 stalls
    polisher = torch.optim.LBFGS(
        net.parameters(), max_iter=settings.polish, line_search_fn="strong_wolfe"
    )

    def closure():
        polisher.zero_grad()
        loss = torch.mean((net(u) - v) ** 2)
        loss.backward()
        return loss

    polisher.step(closure)
    return Model(net, ax, ay)


if __name__ == "__main__":
    xs = torch.linspace(0, 1, 512)[:, None]
    fit(xs, torch.sin(6 * xs), 0)
