"""What every training shares (given): its settings, its random numbers, and Adam.

Random numbers hang on the seed and on the number of the step alone, so that anybody who has both
can repeat a training. This file is given and stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Options:
    """The settings of a network and its training."""

    latent: int = 8  # numbers in z
    hidden: int = 64  # tanh units, of encoder and decoder alike
    beta: float = 1.0  # weight of the KL while training: 1 climbs the ELBO
    learning_rate: float = 1e-2
    batch: int = 100  # images a step


def start(pixels: int, options: Options, seed: int) -> dict[str, np.ndarray]:
    """Return the parameters that a training begins with.

    Weights are [fan_out, fan_in] and normal with the variance 1 / fan_in, biases 0.
    """
    rng = np.random.default_rng([seed, 0])
    layers = {
        "encoder": (options.hidden, pixels),
        "mu": (options.latent, options.hidden),
        "logvar": (options.latent, options.hidden),
        "decoder": (options.hidden, options.latent),
        "logits": (pixels, options.hidden),
    }
    parameters = {}
    for name, (fan_out, fan_in) in layers.items():
        parameters[f"{name}_w"] = rng.standard_normal((fan_out, fan_in)) / np.sqrt(fan_in)
        parameters[f"{name}_b"] = np.zeros(fan_out)
    return parameters


def draw(count: int, options: Options, seed: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what step `step` (0 for the first) uses: rows of `count` images, and eps for each.

    Shapes: [batch] from 0 to count - 1, [batch, latent] from N(0, 1).
    """
    rng = np.random.default_rng([seed, 1, step])
    rows = rng.integers(count, size=options.batch)
    return rows, rng.standard_normal((options.batch, options.latent))


def noise(seed: int, *shape: int) -> np.ndarray:
    """Return numbers from N(0, 1), of this shape, for all that is no training."""
    return np.random.default_rng([seed, 2]).standard_normal(shape)


class Adam:
    """Adam that climbs: parameters go where their gradients point (Kingma and Ba 2015)."""

    def __init__(self, learning_rate: float) -> None:
        """Begin with no memory."""
        self.learning_rate, self.t = learning_rate, 0
        self.mean: dict[str, np.ndarray] = {}
        self.square: dict[str, np.ndarray] = {}

    def step(
        self, parameters: Mapping[str, np.ndarray], gradients: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return the parameters after one step; those that are given stay as they were."""
        self.t += 1
        moved = {}
        for name, value in parameters.items():
            slope = gradients[name]
            self.mean[name] = 0.9 * self.mean.get(name, 0.0) + 0.1 * slope
            self.square[name] = 0.999 * self.square.get(name, 0.0) + 0.001 * slope**2
            mean = self.mean[name] / (1 - 0.9**self.t)
            square = self.square[name] / (1 - 0.999**self.t)
            moved[name] = value + self.learning_rate * mean / (np.sqrt(square) + 1e-8)
        return moved
