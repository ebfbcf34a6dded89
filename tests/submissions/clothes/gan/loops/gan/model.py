"""Networks from lists of weights, and the game between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

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


def make_layers(sizes):
    """W_1, b_1, W_2, b_2, ... with the numbers that torch.nn.Linear would begin with."""
    parameters = nn.ParameterList()
    for i in range(len(sizes) - 1):
        bound = 1 / math.sqrt(sizes[i])
        weight = torch.empty(sizes[i + 1], sizes[i]).uniform_(-bound, bound)
        bias = torch.empty(sizes[i + 1]).uniform_(-bound, bound)
        parameters.append(nn.Parameter(weight))
        parameters.append(nn.Parameter(bias))
    return parameters


def join_labels(x, y, classes, scale):
    if classes == 0:
        return x
    if y is None:
        raise ValueError("there are classes, so there must be labels")
    rows = []
    for label in y.tolist():
        row = [0.0] * classes
        row[label] = float(scale)
        rows.append(row)
    return torch.cat((x, torch.tensor(rows, dtype=x.dtype)), dim=1)


class Generator(nn.Module):
    def __init__(
        self,
        z: int,
        hidden: int,
        out: int,
        classes: int = 0,
        scale: float = 1.0,
        bounded: bool = False,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.scale = scale
        self.bounded = bounded
        self.layers = make_layers([z + classes, hidden, hidden, out])

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        h = join_labels(z, y, self.classes, self.scale)
        for i in range(0, len(self.layers), 2):
            if i > 0:
                h = torch.clamp(h, min=0)
            h = h @ self.layers[i].t() + self.layers[i + 1]
        if self.bounded:
            h = torch.tanh(h)
        return h


class Critic(nn.Module):
    def __init__(self, d: int, hidden: int, classes: int = 0, scale: float = 1.0) -> None:
        super().__init__()
        self.classes = classes
        self.scale = scale
        self.layers = make_layers([d + classes, hidden, hidden, 1])

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = join_labels(x, y, self.classes, self.scale)
        for i in range(0, len(self.layers), 2):
            if i > 0:
                h = torch.where(h > 0, h, SLOPE * h)
            h = h @ self.layers[i].t() + self.layers[i + 1]
        return h[:, 0]


class Game:
    def __init__(
        self, kind: str, generator: nn.Module, critic: nn.Module, **options: float
    ) -> None:
        if kind not in LOSSES and kind not in DIVERGENCES:
            raise ValueError("what is the game " + repr(kind) + "?")
        self.kind = kind
        self.generator = generator
        self.critic = critic
        self.options = GameOptions(**options)
        lr = self.options.learning_rate
        self.d_optimiser = torch.optim.Adam(list(critic.parameters()), lr, (0.5, 0.9))
        self.g_optimiser = torch.optim.Adam(list(generator.parameters()), lr, (0.5, 0.9))
        self.t = 0

    def rate(self):
        rate = self.options.learning_rate
        total = self.options.total
        if total:
            rate = rate * (1 - self.t / total)
        return max(rate, 0.0)

    def move(self, network, optimiser, loss):
        """One step of one player. The other one sees nothing of it."""
        parameters = list(network.parameters())
        gradients = torch.autograd.grad(loss, parameters)
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient
        for group in optimiser.param_groups:
            group["lr"] = self.rate()
        optimiser.step()

    def d_step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> float:
        fake = self.generator(z, y).detach()
        on_real = self.critic(real, y)
        on_fake = self.critic(fake, y)
        if self.kind in LOSSES:
            loss = d_loss(self.kind, on_real, on_fake)
        else:
            loss = f_d_loss(self.kind, on_real, on_fake)
        if self.options.weight != 0:

            def critic(x):
                return self.critic(x, y)

            loss = loss + gradient_penalty(critic, real, fake, eps, self.options.weight)
        self.move(self.critic, self.d_optimiser, loss)
        if self.options.clip != 0:
            clip_weights(self.critic, self.options.clip)
        return loss.item()

    def g_step(self, z: Tensor, y: Tensor | None) -> float:
        on_fake = self.critic(self.generator(z, y), y)
        if self.kind in LOSSES:
            loss = g_loss(self.kind, on_fake)
        else:
            loss = f_g_loss(self.kind, on_fake)
        self.move(self.generator, self.g_optimiser, loss)
        return loss.item()

    def step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> tuple[float, float]:
        labels = [None] * len(z) if y is None else y
        k = len(z) - 1
        for i in range(k):
            loss_of_d = self.d_step(real[i], labels[i], z[i], eps[i])
        loss_of_g = self.g_step(z[k], labels[k])
        self.t = self.t + 1
        return loss_of_d, loss_of_g

    def run(self, x: Tensor, y: Tensor | None, steps: int, z: int) -> None:
        options = self.options
        last = self.t + steps
        while self.t < last:
            numbers = draw(x, y, options.seed, self.t, options.critic_steps, options.batch, z)
            self.step(numbers.real, numbers.y, numbers.z, numbers.eps)


def fit_gaussian(samples: Tensor, name: str, seed: int, steps: int) -> Game:
    if name not in DIVERGENCES:
        raise ValueError("what is the divergence " + repr(name) + "?")
    torch.manual_seed(seed)
    generator = Affine()
    critic = Critic(1, 32)
    game = Game(
        name, generator, critic, seed=seed, critic_steps=3, batch=256, learning_rate=0.005, total=600
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
    torch.manual_seed(seed)
    generator = Generator(2, 64, 2)
    critic = Critic(2, 64)
    options = {"critic_steps": critic_steps, "weight": weight, "clip": clip}
    game = Game(
        kind, generator, critic, seed=seed, batch=64, learning_rate=0.001, total=1000, **options
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
    if steps is None:
        steps = total
    torch.manual_seed(seed)
    pixels = x.shape[1]
    generator = Generator(z, hidden, pixels, 10, scale, True)
    critic = Critic(pixels, hidden, 10, scale)
    options = {"critic_steps": critic_steps, "weight": weight, "clip": clip}
    options["learning_rate"] = learning_rate
    game = Game(kind, generator, critic, seed=seed, batch=batch, total=total, **options)
    game.run(x, y, steps, z)
    return game


def best_settings() -> dict[str, float | int | str]:
    settings = {}
    settings["hidden"] = 192
    settings["critic_steps"] = 2
    settings["total"] = 800
    settings["batch"] = 128
    settings["learning_rate"] = 0.005
    return settings
