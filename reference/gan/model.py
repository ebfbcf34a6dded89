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

# BEGIN SOLUTION
from .open_settings import BEST

# END SOLUTION

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


# BEGIN SOLUTION
def with_label(x: Tensor, y: Tensor | None, classes: int, scale: float) -> Tensor:
    """Return [x, scale * one_hot(y)], or x as it is without classes. Shapes: [n, d] -> [n, d+K]."""
    if not classes:
        return x
    if y is None:
        raise ValueError(f"labels are needed by a network of {classes} classes")
    return torch.cat([x, scale * one_hot(y, classes).to(x.dtype)], dim=1)


# END SOLUTION


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
        # BEGIN SOLUTION
        self.classes, self.scale, self.bounded = classes, scale, bounded
        self.first = nn.Linear(z + classes, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, out)
        # END SOLUTION

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return samples. Raises ValueError if there are classes and no labels are given.

        Shapes: z [n, z], y [n] int64 -> [n, out].
        """
        # BEGIN SOLUTION
        h = torch.relu(self.first(with_label(z, y, self.classes, self.scale)))  # [n, hidden]
        out = self.last(torch.relu(self.second(h)))  # [n, out]
        return torch.tanh(out) if self.bounded else out
        # END SOLUTION


class Critic(nn.Module):
    """Judge samples by one raw number each: two hidden layers of leaky ReLU, of slope SLOPE.

    h_0 = [x, scale * one_hot(y)], or x alone without classes; then as in `Generator`, without any
    activation at the end.
    Shapes: x [n, d], y [n] int64 or None -> [n]. Parameters as in `Generator`, W_3 [1, hidden].
    """

    def __init__(self, d: int, hidden: int, classes: int = 0, scale: float = 1.0) -> None:
        """Make the layers for samples of `d` numbers; `classes` = 0: no labels."""
        super().__init__()
        # BEGIN SOLUTION
        self.classes, self.scale = classes, scale
        self.first = nn.Linear(d + classes, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, 1)
        # END SOLUTION

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Return raw outputs. Raises ValueError if there are classes and no labels are given.

        Shapes: x [n, d], y [n] int64 -> [n].
        """
        # BEGIN SOLUTION
        h = leaky_relu(self.first(with_label(x, y, self.classes, self.scale)), SLOPE)
        return self.last(leaky_relu(self.second(h), SLOPE)).squeeze(1)  # [n]
        # END SOLUTION


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
        # BEGIN SOLUTION
        if kind not in LOSSES + DIVERGENCES:
            known = ", ".join(LOSSES + DIVERGENCES)
            raise ValueError(f"no game {kind!r}; choose one of {known}")
        self.kind, self.generator, self.critic = kind, generator, critic
        self.options = GameOptions(**options)
        self.d_optimiser = adam(critic, self.options)
        self.g_optimiser = adam(generator, self.options)
        self.t = 0
        # END SOLUTION

    def d_step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> float:
        """Make one step of the critic and return its loss, penalty included, before the step.

        The fakes are G(z, y): of the same labels as the data. The loss is `d_loss`, or `f_d_loss`
        for a divergence, plus `gradient_penalty` at both with the options' weight. No gradient of
        it reaches the generator, nothing of which changes. Clipping comes after the step.
        Shapes: real [B, d], y [B] or None, z [B, z], eps [B].
        """
        # BEGIN SOLUTION
        with torch.no_grad():
            fake = self.generator(z, y)  # [B, d]
        loss = self._loss_of_critic(self.critic(real, y), self.critic(fake, y))
        if self.options.weight:
            loss = loss + gradient_penalty(
                lambda x: self.critic(x, y), real, fake, eps, self.options.weight
            )
        self._descend(self.d_optimiser, loss)
        if self.options.clip:
            clip_weights(self.critic, self.options.clip)
        return loss.item()
        # END SOLUTION

    def g_step(self, z: Tensor, y: Tensor | None) -> float:
        """Make one step of the generator and return its loss before the step.

        The loss is `g_loss`, or `f_g_loss` for a divergence, of the critic's outputs for G(z, y).
        Nothing of the critic changes, and no gradient is left in it that its next step would use.
        Shapes: z [B, z], y [B] or None.
        """
        # BEGIN SOLUTION
        judged = self.critic(self.generator(z, y), y)  # [B]
        loss = f_g_loss(self.kind, judged) if self._is_divergence else g_loss(self.kind, judged)
        self._descend(self.g_optimiser, loss)
        return loss.item()
        # END SOLUTION

    def step(self, real: Tensor, y: Tensor | None, z: Tensor, eps: Tensor) -> tuple[float, float]:
        """Make k critic steps and one generator step, number t, and count it.

        Critic step i uses real[i], y[i], z[i], eps[i]; the generator's step y[k] and z[k].
        Returns the loss of the last critic step and that of the generator's.
        Shapes: real [k, B, d], y [k + 1, B] or None, z [k + 1, B, z], eps [k, B].
        """
        # BEGIN SOLUTION
        for optimiser in (self.d_optimiser, self.g_optimiser):
            for group in optimiser.param_groups:
                group["lr"] = self._rate()
        labels = [None] * len(z) if y is None else list(y)
        for place in range(len(real)):
            judged = self.d_step(real[place], labels[place], z[place], eps[place])
        made = self.g_step(z[-1], labels[-1])
        self.t += 1
        return judged, made
        # END SOLUTION

    def run(self, x: Tensor, y: Tensor | None, steps: int, z: int) -> None:
        """Make `steps` more steps on data x with labels y, from where the game stands.

        Step number t has the draws of `draw(x, y, seed, t, critic_steps, batch, z)`: 10 steps and
        then 20 more are the same as 30. Shapes: x [N, d], y [N] int64 or None; z, the length of
        the generator's noise.
        """
        # BEGIN SOLUTION
        chosen = self.options
        for _ in range(steps):
            drawn = draw(x, y, chosen.seed, self.t, chosen.critic_steps, chosen.batch, z)
            self.step(drawn.real, drawn.y, drawn.z, drawn.eps)
        # END SOLUTION

    # BEGIN SOLUTION
    @property
    def _is_divergence(self) -> bool:
        return self.kind in DIVERGENCES

    def _loss_of_critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the loss without its penalty. Shapes: [B], [B] -> scalar."""
        loss = f_d_loss if self._is_divergence else d_loss
        return loss(self.kind, real, fake)

    def _rate(self) -> float:
        """Return the learning rate of step number t."""
        if not self.options.total:
            return self.options.learning_rate
        return self.options.learning_rate * max(0.0, 1 - self.t / self.options.total)

    @staticmethod
    def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        """Make one step down the slope of the loss."""
        # The other player's step has left slopes here, too: they must not be added to.
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    # END SOLUTION


# BEGIN SOLUTION
def adam(network: nn.Module, options: GameOptions) -> torch.optim.Adam:
    """Return a player's Adam. Momentum of 0.9 would remember an opponent who has moved on."""
    return torch.optim.Adam(
        network.parameters(), lr=options.learning_rate, betas=(0.5, 0.9), fused=True
    )


# END SOLUTION


def fit_gaussian(samples: Tensor, name: str, seed: int, steps: int) -> Game:
    """Fit a Gaussian to samples by an f-GAN, and return the game after `steps` of 600 steps.

    The generator is `Affine`, whose mu and sigma are the answer; `Critic` has 32 hidden units, 3
    steps before each of the generator's and batches of 256; the rate is 0.005 at first and falls
    to 0 in 600 steps. `name` is one of DIVERGENCES: which Gaussian is nearest to a distribution
    that is none hangs on it. `seed` decides the critic's weights and the draws (z = 1).
    Shapes: samples [N, 1]. Source: Nowozin et al. 2016, sec. 2.5.
    """
    # BEGIN SOLUTION
    torch.manual_seed(seed)
    game = Game(
        name, Affine(), Critic(1, 32),
        seed=seed, critic_steps=3, batch=256, learning_rate=5e-3, total=GAUSSIAN_STEPS,
    )  # fmt: skip
    game.run(samples, None, steps, z=1)
    return game
    # END SOLUTION


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
    # BEGIN SOLUTION
    torch.manual_seed(seed)
    game = Game(
        kind, Generator(2, 64, 2), Critic(2, 64),
        seed=seed, critic_steps=critic_steps, weight=weight, clip=clip, total=RING_STEPS,
    )  # fmt: skip
    game.run(points, None, steps, z=2)
    return game
    # END SOLUTION


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
    # BEGIN SOLUTION
    torch.manual_seed(seed)
    generator = Generator(z, hidden, x.shape[1], CLASSES, scale, bounded=True)
    critic = Critic(x.shape[1], hidden, CLASSES, scale)
    game = Game(
        kind, generator, critic,
        seed=seed, critic_steps=critic_steps, weight=weight, clip=clip,
        learning_rate=learning_rate, batch=batch, total=total,
    )  # fmt: skip
    game.run(x, y, total if steps is None else steps, z)
    return game
    # END SOLUTION


def best_settings() -> dict[str, float | int | str]:
    """Return the settings of your best game on images: the open part.

    Keywords of `train_images`, such as {"hidden": 192, "total": 700}: the grader plays that game
    with your code. z is at most 64, hidden 192, batch 256, total 800, and all steps together may
    take what the handout says.
    """
    # BEGIN SOLUTION
    return dict(BEST)
    # END SOLUTION


# BEGIN SOLUTION
GAUSSIAN_STEPS, RING_STEPS, CLASSES = 600, 1000, 10

# END SOLUTION
