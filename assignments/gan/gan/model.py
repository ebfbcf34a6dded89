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


class Generator(nn.Module):
    """Make samples from noise: two hidden layers of ReLU.

    h_0 = [z, scale * one_hot(y)], or z alone without classes
    h_l = max(0, W_l h_{l-1} + b_l)     l = 1, 2
    out = W_3 h_2 + b_3, and its tanh if `bounded`

    A one-hot label has a length of 1 beside noise of the length sqrt(z): `scale` makes it heard.
    Shapes: z [n, z], y [n] int64 or None -> [n, out]. Parameters in the order of `parameters()`:
    W_1 [hidden, z + classes], b_1, W_2 [hidden, hidden], b_2, W_3 [out, hidden], b_3, no others;
    they start as `torch.nn.Linear` starts.
    Source: Mirza and Osindero 2014 for the labels.
    """

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
        raise NotImplementedError("Generator is not written yet")

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return samples. Raises ValueError if there are classes and no labels are given.

        Shapes: z [n, z], y [n] int64 -> [n, out].
        """
        raise NotImplementedError("Generator.forward is not written yet")


class Critic(nn.Module):
    """Judge samples by one raw number each: two hidden layers of leaky ReLU, of slope SLOPE.

    h_0 = [x, scale * one_hot(y)], or x alone without classes; then as in `Generator`, without any
    activation at the end.
    Shapes: x [n, d], y [n] int64 or None -> [n]. Parameters as in `Generator`, W_3 [1, hidden].
    """

    def __init__(self, d: int, hidden: int, classes: int = 0, scale: float = 1.0) -> None:
        """Make the layers for samples of `d` numbers; `classes` = 0: no labels."""
        super().__init__()
        raise NotImplementedError("Critic is not written yet")

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Return raw outputs. Raises ValueError if there are classes and no labels are given.

        Shapes: x [n, d], y [n] int64 -> [n].
        """
        raise NotImplementedError("Critic.forward is not written yet")


class Game:
    """The game between a generator and a critic, played by two Adams.

    Attributes: `generator` and `critic`, the networks it was given; `d_optimiser` and
    `g_optimiser`, `torch.optim.Adam` with betas (0.5, 0.9), over the parameters of the critic and
    of the generator in their order; `t`, how many steps were made.
    In step number t (0 for the first) both rates are learning_rate * (1 - t / total), at least 0,
    or learning_rate if `total` is 0.
    Sources: Goodfellow et al. 2014, algorithm 1; Gulrajani et al. 2017, algorithm 1.
    """

    def __init__(
        self, kind: str, generator: nn.Module, critic: nn.Module, **options: float
    ) -> None:
        """Begin a game. `kind` is one of LOSSES or of DIVERGENCES; `options` are GameOptions.

        Raises ValueError for an unknown kind.
        """
        raise NotImplementedError("Game is not written yet")

    def d_step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> float:
        """Make one step of the critic and return its loss, penalty included, before the step.

        The fakes are G(z, y): of the same labels as the data. The loss is `d_loss`, or `f_d_loss`
        for a divergence, plus `gradient_penalty` at both with the options' weight. No gradient of
        it reaches the generator, nothing of which changes. Clipping comes after the step.
        Shapes: real [B, d], y [B] or None, z [B, z], eps [B].
        """
        raise NotImplementedError("Game.d_step is not written yet")

    def g_step(self, z: Tensor, y: Tensor | None) -> float:
        """Make one step of the generator and return its loss before the step.

        The loss is `g_loss`, or `f_g_loss` for a divergence, of the critic's outputs for G(z, y).
        Nothing of the critic changes, and no gradient is left in it that its next step would use.
        Shapes: z [B, z], y [B] or None.
        """
        raise NotImplementedError("Game.g_step is not written yet")

    def step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> tuple[float, float]:
        """Make k critic steps and one generator step, number t, and count it.

        Critic step i uses real[i], y[i], z[i], eps[i]; the generator's step y[k] and z[k].
        Returns the loss of the last critic step and that of the generator's.
        Shapes: real [k, B, d], y [k + 1, B] or None, z [k + 1, B, z], eps [k, B].
        """
        raise NotImplementedError("Game.step is not written yet")

    def run(self, x: Tensor, y: Tensor | None, steps: int, z: int) -> None:
        """Make `steps` more steps on data x with labels y, from where the game stands.

        Step number t has the draws of `draw(x, y, seed, t, critic_steps, batch, z)`: 10 steps and
        then 20 more are the same as 30. Shapes: x [N, d], y [N] int64 or None; z, the length of
        the generator's noise.
        """
        raise NotImplementedError("Game.run is not written yet")


def fit_gaussian(samples: Tensor, name: str, seed: int, steps: int) -> Game:
    """Fit a Gaussian to samples by an f-GAN, and return the game after `steps` of 600 steps.

    The generator is `Affine`, whose mu and sigma are the answer; `Critic` has 32 hidden units, 3
    steps before each of the generator's and batches of 256; the rate is 0.005 at first and falls
    to 0 in 600 steps. `name` is one of DIVERGENCES: which Gaussian is nearest to a distribution
    that is none hangs on it. `seed` decides the critic's weights and the draws (z = 1).
    Shapes: samples [N, 1]. Source: Nowozin et al. 2016, sec. 2.5.
    """
    raise NotImplementedError("fit_gaussian is not written yet")


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
    """Play a game on points of the plane and return it after `steps` of 1,000 steps.

    `Generator(2, 64, 2)` against `Critic(2, 64)`, batches of 64, a rate of 0.001 that falls to 0
    in 1,000 steps. `seed` decides both networks' weights (the generator's are drawn first) and the
    draws (z = 2). The other arguments are GameOptions.
    Shapes: points [N, 2]. Source: Metz et al. 2017 for the ring of Gaussians.
    """
    raise NotImplementedError("train_ring is not written yet")


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
    """Play a conditional game on images and return it after `steps` of its `total` steps.

    `Generator` with `bounded` output against `Critic`, both of `hidden` units, ten classes and
    labels of length `scale`. None: all of `total` steps, in which the rate falls to 0. `seed`
    decides both networks' weights (the generator's are drawn first) and the draws.
    Shapes: x [N, d] from -1 to 1, y [N] int64 from 0 to 9.
    Sources: Gulrajani et al. 2017; Mirza and Osindero 2014.
    """
    raise NotImplementedError("train_images is not written yet")


def best_settings() -> dict[str, float | int | str]:
    """Return the settings of your best game on images: the open part.

    Keywords of `train_images`, such as {"hidden": 192, "total": 700}: the grader plays that game
    with your code. z is at most 64, hidden 192, batch 256, total 800, and all steps together may
    take what the handout says.
    """
    raise NotImplementedError("best_settings is not written yet")
