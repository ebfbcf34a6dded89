from __future__ import annotations

import math

import numpy as np
import torch

from .experiment import Sweep
from .model import fit

# The function of your term: sincos, log2cos or sin. Your course page says which.
VARIANT = "sincos"

DOMAINS = {"sincos": (0.0, 2 * math.pi), "log2cos": (1.0, 16.0), "sin": (0.0, 2 * math.pi)}
BASE = {"depth": 2, "width": 64, "learning_rate": 1e-2, "activation": "tanh"}
STEPS = 500
TRAIN_POINTS = 512
TEST_POINTS = 1000
COLUMNS = ("factor", "value", "seed", "metric", "cpu_s")
DIVERGED = 3.0


def target(variant: str, x: np.ndarray) -> np.ndarray:
    """Return the function of a term at x (given). Shapes: any -> the same."""
    if variant == "sincos":
        return np.sin(x) + np.cos(x) + np.sin(x) * np.cos(x)
    if variant == "log2cos":
        return np.log2(x) + np.cos(np.pi * x / 2)
    if variant == "sin":
        return np.sin(x)
    raise ValueError(f"no variant {variant!r}; choose one of {', '.join(DOMAINS)}")


class Cell:
    """One setting of the study."""

    def __init__(self, factor, value, seed):
        if factor not in BASE:
            raise ValueError(f"Unknown factor: {factor}")
        self.options = BASE | {factor: value}
        self.seed = seed
        rng = np.random.default_rng(np.random.SeedSequence(seed))
        self.train = self.points(np.linspace(*DOMAINS[VARIANT], TRAIN_POINTS))
        self.test = self.points(np.sort(rng.uniform(*DOMAINS[VARIANT], size=TEST_POINTS)))

    @staticmethod
    def points(x):
        x = x[:, None]
        return (torch.from_numpy(x).float(), torch.from_numpy(target(VARIANT, x)).float())

    @torch.no_grad()
    def mse(self, model):
        x, y = self.test
        return torch.nn.functional.mse_loss(model(x).double(), y.double()).item()

    def result(self):
        model = fit(*self.train, self.seed, steps=STEPS, **self.options)
        mse = self.mse(model)
        if math.isnan(mse) or mse >= 10**DIVERGED:
            return DIVERGED
        return math.log10(mse)


def run_cell(factor: str, value: int | float | str, seed: int) -> float:
    return Cell(factor, value, seed).result()


def main() -> None:
    values = {
        "depth": [1, 2, 6],
        "width": [4, 64, 128],
        "learning_rate": [1e-4, 1e-2, 1.0],
        "activation": ["identity", "tanh", "swish"],
    }
    Sweep(values, seeds=[10, 20, 30]).run(run_cell).save("results.csv", COLUMNS).plot("plot.png")


if __name__ == "__main__":
    main()
