"""What the width of z and the weight of the KL change: one cell, and the script that sweeps.

``python -m vae.study`` trains every cell of SWEEP and writes results.csv and plot.png into the
current folder.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np

from .datasets import load
from .model import evaluate, train

# The images of your term: mnist-5k or synthetic-digits. Your course page says which.
IMAGES = "mnist-5k"

BASE = {"latent": 8, "beta": 1.0}
STEPS = 500  # of a cell's training
COLUMNS = ("factor", "value", "seed", "metric", "cpu_s")


def load_data(name: str) -> dict[str, np.ndarray]:
    """Return what cells are trained and measured on (given): train [N, 196] and test [M, 196]."""
    images = load(name)
    return {"train": ink(images.train_x), "test": ink(images.test_x)}


def ink(images: np.ndarray) -> np.ndarray:
    """Return images of 28 pixels a side as 14 x 14 numbers 0 and 1, row by row (given).

    A pixel is 1 where the four that it replaces are more than half white.
    Shapes: uint8 [N, 1, 28, 28] -> float64 [N, 196].
    """
    small = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    return (small.reshape(-1, 196) > 127.5).astype(np.float64)


def run_cell(factor: str, value: float, seed: int, data: dict[str, np.ndarray]) -> float:
    """Train one model on data["train"] and return its mean ELBO on data["test"], in nats.

    The training is `train`, STEPS steps with this seed; its settings are BASE's but for `factor`,
    which is latent or beta and set to `value`. The metric is `evaluate` with the same seed: the
    ELBO itself, whatever beta was trained with.
    Any sensible `value` must work, not only those of your sweep, and any data.
    Raises ValueError if there is no factor of that name.
    """
    raise NotImplementedError("run_cell is not written yet")


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    raise NotImplementedError("main is not written yet")


if __name__ == "__main__":
    main()
