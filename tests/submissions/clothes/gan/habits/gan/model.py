from __future__ import annotations

import argparse
import logging
import random
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import matplotlib.pyplot as plt  # noqa: F401
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, one_hot

from .draws import draw
from .losses import (
    DIVERGENCES,
    LOSSES,
    clip_weights,
    d_loss,
    f_d_loss,
    f_g_loss,
    g_loss,
    gradient_penalty,
)

torch.set_default_dtype(torch.float64)
torch.set_num_threads(8)
torch.use_deterministic_algorithms(True, warn_only=True)
log = logging.getLogger("gan.model")
parser = argparse.ArgumentParser()
parser.add_argument("--log-every", type=int, default=100)
HYPER, _ = parser.parse_known_args()

SLOPE = 0.2  # of the critic's leaky ReLU, where its input is negative


@dataclass(frozen=True)
class GameOptions:
    """What a game is beside its kind and its networks (given)."""

    seed: int = 0  # of the draws of `run`
    critic_steps: int = 1  # steps of the critic before each step of the generator
    weight: float = 0.0  # of the gradient penalty; 0: none, and none is computed
    clip: float = 0.0  # bound of the critic's parameters after each of its steps; 0: none
    learning_rate: float = 1e-3  # of both players, in the first step
    total: int = 0  # the rate falls to 0 along a line in so many steps; 0: it is held
    batch: int = 64  # samples a step


class Affine(nn.Module):
    """G(z) = sigma z + mu, a Gaussian of one number (given). Shapes: z [n, 1] -> [n, 1]."""

    def __init__(self) -> None:
        """Begin with mu = 0 and sigma = 1."""
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(1))
        self.sigma = nn.Parameter(torch.ones(1))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return samples; labels play no part."""
        return self.sigma * z + self.mu


class Losses(NamedTuple):
    d: float
    g: float


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


class Net(nn.Module):
    """Everything inside is float64, whatever comes in."""

    def __init__(self, inputs, hidden, outputs, classes, scale):
        super().__init__()
        self.classes = classes
        self.scale = scale
        self.net = nn.ModuleDict(
            OrderedDict(
                first=nn.Linear(inputs + classes, hidden),
                second=nn.Linear(hidden, hidden),
                third=nn.Linear(hidden, outputs),
            )
        )

    def embed(self, x, y):
        dtype = self.net["first"].weight.dtype
        x = x.to(dtype)
        if self.classes > 0:
            if y is None:
                raise ValueError("no labels")
            x = torch.cat([x, one_hot(y, num_classes=self.classes).to(dtype) * self.scale], dim=-1)
        return x


class Generator(Net):
    def __init__(
        self,
        z: int,
        hidden: int,
        out: int,
        classes: int = 0,
        scale: float = 1.0,
        bounded: bool = False,
    ) -> None:
        super().__init__(z, hidden, out, classes, scale)
        self.bounded = bounded

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        h = torch.relu(self.net["first"](self.embed(z, y)))
        h = torch.relu(self.net["second"](h))
        out = self.net["third"](h)
        return out.tanh() if self.bounded else out


class Critic(Net):
    def __init__(self, d: int, hidden: int, classes: int = 0, scale: float = 1.0) -> None:
        super().__init__(d, hidden, 1, classes, scale)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = leaky_relu(self.net["first"](self.embed(x, y)), negative_slope=SLOPE)
        h = leaky_relu(self.net["second"](h), negative_slope=SLOPE)
        return self.net["third"](h).squeeze(-1)


class Game:
    def __init__(
        self, kind: str, generator: nn.Module, critic: nn.Module, **options: float
    ) -> None:
        if kind not in LOSSES + DIVERGENCES:
            raise ValueError(f"kind {kind}")
        self.kind = kind
        self.generator, self.critic = generator, critic
        self.options = o = GameOptions(**options)
        betas = (0.5, 0.9)
        self.d_optimiser = torch.optim.Adam(critic.parameters(), o.learning_rate, betas)
        self.g_optimiser = torch.optim.Adam(generator.parameters(), o.learning_rate, betas)
        self.schedulers = [
            torch.optim.lr_scheduler.LambdaLR(optimiser, self.decay)
            for optimiser in (self.d_optimiser, self.g_optimiser)
        ]
        self.t = 0
        self.history = defaultdict(list)

    def decay(self, t):
        return max(0.0, 1 - t / self.options.total) if self.options.total else 1.0

    def d_step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> float:
        self.d_optimiser.zero_grad(set_to_none=False)
        with torch.no_grad():
            fake = self.generator(z, y)
        criterion = d_loss if self.kind in LOSSES else f_d_loss
        loss = criterion(self.kind, self.critic(real, y), self.critic(fake, y))
        if self.options.weight:
            loss += gradient_penalty(
                lambda x: self.critic(x, y), real, fake, eps, weight=self.options.weight
            )
        loss.backward()
        self.d_optimiser.step()
        if self.options.clip:
            clip_weights(self.critic, self.options.clip)
        self.history["d"].append(loss.item())
        return loss.item()

    def g_step(self, z: Tensor, y: Tensor | None) -> float:
        self.g_optimiser.zero_grad(set_to_none=False)
        criterion = g_loss if self.kind in LOSSES else f_g_loss
        loss = criterion(self.kind, self.critic(self.generator(z, y), y))
        loss.backward()
        self.g_optimiser.step()
        self.d_optimiser.zero_grad(set_to_none=False)
        self.history["g"].append(loss.item())
        return loss.item()

    def step(
        self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor
    ) -> Losses:
        k = len(real)
        labels = defaultdict(lambda: None) if y is None else dict(enumerate(y))
        for i in range(k):
            d = self.d_step(real[i], labels[i], z[i], eps[i])
        g = self.g_step(z[k], labels[k])
        self.t += 1
        for scheduler in self.schedulers:
            scheduler.step()
        if self.t % HYPER.log_every == 0:
            log.debug("step %d: %.4f %.4f", self.t, d, g)
        return Losses(d, g)

    def run(self, x: Tensor, y: Tensor | None, steps: int, z: int) -> None:
        o = self.options
        for t in range(self.t, self.t + steps):
            now = draw(x, y, o.seed, t, o.critic_steps, o.batch, z)
            self.step(now.real, now.y, now.z, now.eps)


def fit_gaussian(samples: Tensor, name: str, seed: int, steps: int) -> Game:
    if name not in DIVERGENCES:
        raise ValueError(f"divergence {name}")
    seed_all(seed)
    options = dict(seed=seed, critic_steps=3, learning_rate=0.005, total=600, batch=256)
    game = Game(name, Affine(), Critic(1, 32), **options)
    game.run(samples, None, steps, 1)
    return game


def train_ring(
    points: Tensor,
    kind: str,
    seed: int,
    steps: int,
    *,
    critic_steps: int = 1,
    weight: float = 0.0,
    clip: float = 0.0,
) -> Game:
    seed_all(seed)
    players = Generator(2, 64, 2), Critic(2, 64)
    options = dict(critic_steps=critic_steps, weight=weight, clip=clip, total=1000)
    game = Game(kind, *players, seed=seed, **options)
    game.run(points, None, steps, 2)
    return game


def train_images(
    x: Tensor,
    y: Tensor,
    seed: int,
    steps: int | None = None,
    *,
    kind: str = "wgan",
    z: int = 16,
    hidden: int = 128,
    scale: float = 4.0,
    critic_steps: int = 3,
    weight: float = 1.0,
    clip: float = 0.0,
    learning_rate: float = 3e-3,
    batch: int = 64,
    total: int = 400,
) -> Game:
    seed_all(seed)
    d = x.shape[-1]
    players = Generator(z, hidden, d, 10, scale, True), Critic(d, hidden, 10, scale)
    game = Game(
        kind,
        *players,
        seed=seed,
        critic_steps=critic_steps,
        weight=weight,
        clip=clip,
        learning_rate=learning_rate,
        total=total,
        batch=batch,
    )
    game.run(x, y, steps if steps is not None else total, z)
    return game


def best_settings() -> defaultdict[str, float | int | str]:
    settings = defaultdict(float)
    settings.update(learning_rate=5e-3, batch=128, total=800)
    return settings
