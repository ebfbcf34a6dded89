from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .adversaries import Adversaries
from .draws import draw
from .lipschitz import Clipping, GradientPenalty
from .losses import DIVERGENCES
from .networks import LabelledMLP
from .players import FallingRate, Player

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


class Generator(LabelledMLP):
    def __init__(
        self,
        z: int,
        hidden: int,
        out: int,
        classes: int = 0,
        scale: float = 1.0,
        bounded: bool = False,
    ) -> None:
        end = nn.Tanh() if bounded else None
        super().__init__(z, hidden, out, classes, scale, nn.ReLU, end)


class Critic(LabelledMLP):
    def __init__(self, d: int, hidden: int, classes: int = 0, scale: float = 1.0) -> None:
        super().__init__(d, hidden, 1, classes, scale, lambda: nn.LeakyReLU(SLOPE))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return super().forward(x, y).flatten()


class Game:
    def __init__(
        self, kind: str, generator: nn.Module, critic: nn.Module, **options: float
    ) -> None:
        self.adversaries = Adversaries.named(kind)
        self.options = GameOptions(**options)
        rate = FallingRate(self.options.learning_rate, self.options.total)
        self.artist, self.judge = Player(generator, rate), Player(critic, rate)
        self.penalty = GradientPenalty(self.options.weight) if self.options.weight else None
        self.clipping = Clipping(self.options.clip) if self.options.clip else None
        self.t = 0

    @property
    def generator(self) -> nn.Module:
        return self.artist.network

    @property
    def critic(self) -> nn.Module:
        return self.judge.network

    @property
    def g_optimiser(self) -> torch.optim.Adam:
        return self.artist.optimiser

    @property
    def d_optimiser(self) -> torch.optim.Adam:
        return self.judge.optimiser

    def d_step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> float:
        with torch.no_grad():
            fake = self.generator(z, y)
        # both in one go: a critic has no batch norm, so each is judged by itself
        labels = None if y is None else torch.cat((y, y))
        raw = self.critic(torch.cat((real, fake)), labels)
        loss = self.adversaries.critic_loss(raw[: len(real)], raw[len(real) :])
        if self.penalty:
            loss = loss + self.penalty(lambda x: self.critic(x, y), real, fake, eps)
        value = self.judge.move(loss, self.t)
        if self.clipping:
            self.clipping(self.critic)
        return value

    def g_step(self, z: Tensor, y: Tensor | None) -> float:
        with self.judge.watching():
            loss = self.adversaries.generator_loss(self.critic(self.generator(z, y), y))
            return self.artist.move(loss, self.t)

    def step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> tuple[float, float]:
        *of_critic, of_generator = zip([None] * len(z) if y is None else y, z)
        for x, (labels, noise), shares in zip(real, of_critic, eps):
            d = self.d_step(x, labels, noise, shares)
        labels, noise = of_generator
        g = self.g_step(noise, labels)
        self.t += 1
        return d, g

    def run(self, x: Tensor, y: Tensor | None, steps: int, z: int) -> None:
        o = self.options
        for number in range(self.t, self.t + steps):
            drawn = draw(x, y, o.seed, number, o.critic_steps, o.batch, z)
            self.step(drawn.real, drawn.y, drawn.z, drawn.eps)


class Training:
    """Networks from a seed, and a game between them."""

    def __init__(self, kind, seed, make_generator, make_critic, **options):
        torch.manual_seed(seed)
        generator = make_generator()
        self.game = Game(kind, generator, make_critic(), seed=seed, **options)

    def after(self, steps, x, y, z):
        self.game.run(x, y, steps, z)
        return self.game


def fit_gaussian(samples: Tensor, name: str, seed: int, steps: int) -> Game:
    if name not in DIVERGENCES:
        raise ValueError(f"No f-divergence {name!r}")
    options = {"critic_steps": 3, "batch": 256, "learning_rate": 5e-3, "total": 600}
    training = Training(name, seed, Affine, lambda: Critic(1, 32), **options)
    return training.after(steps, samples, None, 1)


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
    options = {"critic_steps": critic_steps, "weight": weight, "clip": clip, "total": 1000}
    training = Training(
        kind, seed, lambda: Generator(2, 64, 2), lambda: Critic(2, 64), **options
    )
    return training.after(steps, points, None, 2)


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
    d = x.size(1)
    training = Training(
        kind,
        seed,
        lambda: Generator(z, hidden, d, classes=10, scale=scale, bounded=True),
        lambda: Critic(d, hidden, classes=10, scale=scale),
        critic_steps=critic_steps,
        weight=weight,
        clip=clip,
        learning_rate=learning_rate,
        batch=batch,
        total=total,
    )
    return training.after(total if steps is None else steps, x, y, z)


def best_settings() -> dict[str, float | int | str]:
    return dict(hidden=192, critic_steps=2, total=800, batch=160, learning_rate=5e-3)
