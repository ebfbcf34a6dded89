"""The random numbers of one step of a game (given): the same for equal seed and step number.

A step's draws hang on the game's seed and on the number of the step alone, so that a training goes
on where it stopped, and anybody who has the networks can repeat any step of it.

This file is given and stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

STRIDE = 1_000_003  # a prime, larger than any number of steps: no two games share a draw


@dataclass(frozen=True)
class Draw:
    """What a step of k critic steps and one generator step uses, each of B samples."""

    real: Tensor  # float32 [k, B, d], data for each critic step
    y: Tensor | None  # int64 [k + 1, B], labels; those of the generator's step come last
    z: Tensor  # float32 [k + 1, B, z], normal; that of the generator's step comes last
    eps: Tensor  # float32 [k, B], between 0 and 1, for the gradient penalty


def draw(
    x: Tensor, y: Tensor | None, seed: int, number: int, critic_steps: int, batch: int, z: int
) -> Draw:
    """Return the draws of step `number` (0 for the first) of the game with this seed.

    Data are drawn with replacement; a critic step has the labels of its data, the generator's step
    those of data that are drawn for it alone. Shapes: x [N, d], y [N] int64 or None.
    """
    generator = torch.Generator().manual_seed(seed * STRIDE + number)
    rows = torch.randint(len(x), (critic_steps + 1, batch), generator=generator)  # [k + 1, B]
    # Whatever a program has made its default precision, the numbers stay the same.
    real = {"generator": generator, "dtype": torch.float32}
    noise = torch.randn(critic_steps + 1, batch, z, **real)
    eps = torch.rand(critic_steps, batch, **real)
    return Draw(x[rows[:-1]], None if y is None else y[rows], noise, eps)
