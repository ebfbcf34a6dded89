"""The two players, the game between them, and its training on three kinds of data."""

from __future__ import annotations

from dataclasses import dataclass

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


def with_labels(x, y, classes, scale):
    """Return [x, scale * one_hot(y)]."""
    if classes == 0:
        return x
    if y is None:
        raise ValueError(f"a network of {classes} classes needs labels")
    return torch.cat([x, scale * one_hot(y, classes).to(x.dtype)], dim=1)


class Generator(nn.Module):
    """Make samples from noise: two hidden layers of ReLU."""

    def __init__(
        self,
        z: int,
        hidden: int,
        out: int,
        classes: int = 0,
        scale: float = 1.0,
        bounded: bool = False,
    ) -> None:
        """Make the layers; `classes` = 0: no labels."""
        super().__init__()
        self.classes, self.scale, self.bounded = classes, scale, bounded
        self.layer1 = nn.Linear(z + classes, hidden)
        self.layer2 = nn.Linear(hidden, hidden)
        self.layer3 = nn.Linear(hidden, out)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return samples. Raises ValueError if there are classes and no labels are given."""
        h = with_labels(z, y, self.classes, self.scale)
        h = torch.relu(self.layer1(h))
        h = torch.relu(self.layer2(h))
        h = self.layer3(h)
        return torch.tanh(h) if self.bounded else h


class Critic(nn.Module):
    """Judge samples by one raw number each: two hidden layers of leaky ReLU."""

    def __init__(self, d: int, hidden: int, classes: int = 0, scale: float = 1.0) -> None:
        """Make the layers for samples of `d` numbers; `classes` = 0: no labels."""
        super().__init__()
        self.classes, self.scale = classes, scale
        self.layer1 = nn.Linear(d + classes, hidden)
        self.layer2 = nn.Linear(hidden, hidden)
        self.layer3 = nn.Linear(hidden, 1)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Return raw outputs. Raises ValueError if there are classes and no labels are given."""
        h = with_labels(x, y, self.classes, self.scale)
        h = leaky_relu(self.layer1(h), SLOPE)
        h = leaky_relu(self.layer2(h), SLOPE)
        return self.layer3(h).squeeze(1)


class Game:
    """The game between a generator and a critic, played by two Adams."""

    def __init__(
        self, kind: str, generator: nn.Module, critic: nn.Module, **options: float
    ) -> None:
        """Begin a game. `kind` is one of LOSSES or of DIVERGENCES; `options` are GameOptions."""
        if kind not in LOSSES and kind not in DIVERGENCES:
            raise ValueError(f"unknown kind {kind!r}, expected one of {LOSSES + DIVERGENCES}")
        self.kind = kind
        self.generator = generator
        self.critic = critic
        self.options = GameOptions(**options)
        rate = self.options.learning_rate
        self.d_optimiser = torch.optim.Adam(critic.parameters(), lr=rate, betas=(0.5, 0.9))
        self.g_optimiser = torch.optim.Adam(generator.parameters(), lr=rate, betas=(0.5, 0.9))
        self.t = 0

    def set_rate(self, optimiser):
        rate = self.options.learning_rate
        if self.options.total > 0:
            rate = rate * max(0.0, 1 - self.t / self.options.total)
        for group in optimiser.param_groups:
            group["lr"] = rate

    def d_step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> float:
        """Make one step of the critic and return its loss, penalty included, before the step."""
        with torch.no_grad():
            fake = self.generator(z, y)
        loss_of = d_loss if self.kind in LOSSES else f_d_loss
        loss = loss_of(self.kind, self.critic(real, y), self.critic(fake, y))
        if self.options.weight > 0:
            loss = loss + gradient_penalty(
                lambda x: self.critic(x, y), real, fake, eps, self.options.weight
            )
        self.d_optimiser.zero_grad()
        loss.backward()
        self.set_rate(self.d_optimiser)
        self.d_optimiser.step()
        if self.options.clip > 0:
            clip_weights(self.critic, self.options.clip)
        return loss.item()

    def g_step(self, z: Tensor, y: Tensor | None) -> float:
        """Make one step of the generator and return its loss before the step."""
        loss_of = g_loss if self.kind in LOSSES else f_g_loss
        loss = loss_of(self.kind, self.critic(self.generator(z, y), y))
        self.g_optimiser.zero_grad()
        loss.backward()
        self.set_rate(self.g_optimiser)
        self.g_optimiser.step()
        self.d_optimiser.zero_grad()
        return loss.item()

    def step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> tuple[float, float]:
        """Make k critic steps and one generator step, number t, and count it."""
        for i in range(len(real)):
            critics = self.d_step(real[i], None if y is None else y[i], z[i], eps[i])
        generators = self.g_step(z[-1], None if y is None else y[-1])
        self.t += 1
        return critics, generators

    def run(self, x: Tensor, y: Tensor | None, steps: int, z: int) -> None:
        """Make `steps` more steps on data x with labels y, from where the game stands."""
        o = self.options
        for _ in range(steps):
            d = draw(x, y, o.seed, self.t, o.critic_steps, o.batch, z)
            self.step(d.real, d.y, d.z, d.eps)


def fit_gaussian(samples: Tensor, name: str, seed: int, steps: int) -> Game:
    """Fit a Gaussian to samples by an f-GAN, and return the game after `steps` of 600 steps."""
    if name not in DIVERGENCES:
        raise ValueError(f"unknown divergence {name!r}, expected one of {DIVERGENCES}")
    torch.manual_seed(seed)
    game = Game(
        name,
        Affine(),
        Critic(1, 32),
        seed=seed,
        critic_steps=3,
        learning_rate=0.005,
        total=600,
        batch=256,
    )
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
    """Play a game on points of the plane and return it after `steps` of 1,000 steps."""
    torch.manual_seed(seed)
    generator = Generator(2, 64, 2)
    critic = Critic(2, 64)
    game = Game(
        kind,
        generator,
        critic,
        seed=seed,
        critic_steps=critic_steps,
        weight=weight,
        clip=clip,
        learning_rate=0.001,
        total=1000,
        batch=64,
    )
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
    """Play a conditional game on images and return it after `steps` of its `total` steps."""
    torch.manual_seed(seed)
    d = x.shape[1]
    generator = Generator(z, hidden, d, classes=10, scale=scale, bounded=True)
    critic = Critic(d, hidden, classes=10, scale=scale)
    game = Game(
        kind,
        generator,
        critic,
        seed=seed,
        critic_steps=critic_steps,
        weight=weight,
        clip=clip,
        learning_rate=learning_rate,
        total=total,
        batch=batch,
    )
    game.run(x, y, total if steps is None else steps, z)
    return game


def best_settings() -> dict[str, float | int | str]:
    """Return the settings of my best game on images."""
    return {"hidden": 192, "critic_steps": 2, "total": 800, "batch": 128, "learning_rate": 5e-3}
