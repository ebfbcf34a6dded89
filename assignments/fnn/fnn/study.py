"""What depth, width, learning rate and activation change: one cell, and the script that sweeps.

``python -m fnn.study`` trains every cell of SWEEP and writes results.csv and plot.png into the
current folder.
"""

from __future__ import annotations

import csv
import math
import time
from pathlib import Path

import numpy as np
import torch

from .model import fit

# The function of your term: sincos, log2cos or sin. Your course page says which.
VARIANT = "sincos"

DOMAINS = {"sincos": (0.0, 2 * math.pi), "log2cos": (1.0, 16.0), "sin": (0.0, 2 * math.pi)}
BASE = {"depth": 2, "width": 64, "learning_rate": 1e-2, "activation": "tanh"}
STEPS = 500
TRAIN_POINTS = 512
TEST_POINTS = 1000
COLUMNS = ("factor", "value", "seed", "metric", "cpu_s")
# A cell that diverged, to NaN or above a test MSE of 1000, counts as 3.0 = log10 1000.
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


def run_cell(factor: str, value: int | float | str, seed: int) -> float:
    """Train one network and return log10 of its MSE on fresh test points.

    The network has BASE's settings but for `factor`, which is set to `value`. It is what `fit`
    makes of x = np.linspace(low, high, TRAIN_POINTS) and the function there in STEPS steps, with
    this very `seed`. Test points are drawn uniformly from the domain and are not trained on.
    `seed` decides the weights and the test points: the same call gives the same number.

    `factor` is depth, width, learning_rate or activation; any sensible `value` must work, not
    only those of your sweep. The result is finite and at most DIVERGED, which also stands for
    NaN. One cell takes at most 3 CPU seconds.
    Raises ValueError if there is no factor of that name.
    """
    raise NotImplementedError("run_cell is not written yet")


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    raise NotImplementedError("main is not written yet")


if __name__ == "__main__":
    main()
