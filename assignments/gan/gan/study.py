"""What the loss, the critic's steps, the penalty, the label and the divergence change.

``python -m gan.study`` trains every cell of your sweep and writes results.csv and plot.png into the
current folder.
"""

from __future__ import annotations

import csv
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .datasets import load
from .features import features
from .metrics import fid, statistics
from .model import Game, fit_gaussian, train_images, train_ring

# The images of your term: mnist-5k or synthetic-digits. Your course page says which.
IMAGES = "mnist-5k"

# Of each factor the value that the others are changed from. A kind is one of LOSSES, or "clip" or
# "penalty": the game "wgan" with weights clipped to CLIP, or with a gradient penalty.
BASE = {
    "ring_kind": "penalty",
    "ring_critic_steps": 3,
    "ring_weight": 0.1,
    "image_kind": "penalty",
    "image_scale": 4.0,
    "divergence": "kl",
}
CLIP, IMAGE_WEIGHT, IMAGE_CRITIC_STEPS = 0.1, 1.0, 3
RING_STEPS, IMAGE_STEPS, GAUSSIAN_STEPS = 300, 200, 300  # of a cell
SAMPLES = 2000  # that a ring is judged by
RADIUS = 0.3  # of a mode of the ring: three standard deviations
COLUMNS = ("factor", "value", "seed", "metric", "cpu_s")


def load_data(name: str) -> dict[str, Tensor]:
    """Return what cells are trained on (given): images, a ring of Gaussians, a mixture of two.

    x [N, 196] from -1 to 1 and y [N], to train on; test_x [M, 196] and test_y [M]
    points [P, 2] around the centres [8, 2], with a standard deviation of 0.1
    samples [P, 1] of 0.65 N(-1.5, 0.36) + 0.35 N(1.5, 0.36)
    """
    images = load(name)
    data = {"x": shrink(images.train_x), "y": torch.tensor(images.train_y)}
    data |= {"test_x": shrink(images.test_x), "test_y": torch.tensor(images.test_y)}
    generator, count = torch.Generator().manual_seed(0), 20_000
    angles = torch.arange(8) * math.pi / 4
    centres = torch.stack([angles.cos(), angles.sin()], dim=1)
    rows = torch.randint(8, (count,), generator=generator)
    points = centres[rows] + 0.1 * torch.randn(count, 2, generator=generator)
    side = torch.where(torch.rand(count, 1, generator=generator) < 0.65, -1.5, 1.5)
    samples = side + 0.6 * torch.randn(count, 1, generator=generator)
    return data | {"points": points, "centres": centres, "samples": samples}


def shrink(images: np.ndarray) -> Tensor:
    """Return images of 28 pixels a side as 14 x 14 numbers from -1 to 1 (given).

    Shapes: uint8 [N, 1, 28, 28] -> float32 [N, 196].
    """
    small = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    return torch.tensor(small.reshape(-1, 196) / 127.5 - 1, dtype=torch.float32)


def coverage(points: Tensor, centres: Tensor, radius: float = RADIUS) -> float:
    """Return how much of a ring samples cover, from 0 to 1 (given).

    Of each of the m modes the share of samples in it counts, up to the 1/m that it should have:
    neither a mode that is left out nor one that is crowded is made up for by another.
    Shapes: points [n, d], centres [m, d].
    """
    distance, nearest = torch.cdist(points, centres).min(dim=1)  # [n], [n]
    counts = torch.bincount(nearest[distance <= radius], minlength=len(centres))  # [m]
    return float((counts / len(points)).clamp(max=1 / len(centres)).sum())


def run_cell(factor: str, value: float | int | str, seed: int, data: dict[str, Tensor]) -> float:
    """Train one game on `data` (see `load_data`) and return its metric.

    All settings are BASE's but for `factor`, which is set to `value`. Only the kind "penalty" has
    a gradient penalty; all others have the weight 0.
    ring_...    `train_ring` on the points, RING_STEPS steps; the metric is the `coverage` of the
                centres by SAMPLES samples
    image_...   `train_images` on x and y, total = IMAGE_STEPS and IMAGE_CRITIC_STEPS, "penalty"
                with IMAGE_WEIGHT; the metric is the FID of samples with the labels test_y, as many
                as there are, beside test_x, in `features`
    divergence  `fit_gaussian` on the samples, GAUSSIAN_STEPS steps; the metric is |sigma|
    `seed` is the training's, and decides all else that is drawn: the same call gives the same
    number. No game is trained, chosen or stopped by what is measured. Any sensible `value` must
    work, not only those of your sweep, and any data. Raises ValueError for an unknown factor.
    """
    raise NotImplementedError("run_cell is not written yet")


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    raise NotImplementedError("main is not written yet")


if __name__ == "__main__":
    main()
