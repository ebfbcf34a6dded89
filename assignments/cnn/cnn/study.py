"""What dropout, normalisation, learning-rate decay, shortcuts and depth change.

``python -m cnn.study`` trains every cell of SWEEP and writes results.csv and plot.png into the
current folder.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .datasets import Images, load
from .model import build, train

# The images of your term: your course page says which.
VARIANT = "tiny_imagenet_10"

# Each variant's set of images and how it is loaded.
SETS: dict[str, tuple[str, dict]] = {
    "tiny_imagenet_10": ("tiny-imagenet-10", {}),
    "tiny_imagenet_5": (
        "tiny-imagenet-10",
        {"wnids": ("n01443537", "n02099601", "n04146614", "n07753592", "n03085013")},
    ),
    "synthetic": ("synthetic-images", {"classes": 4, "train": 800}),
}
SIZE = 16  # pixels a side
TRAIN_IMAGES, TEST_IMAGES = 1500, 1500
EPOCHS = 5
BASE = {"dropout": 0.0, "norm": "batch", "decay": "cosine", "residual": "residual-8", "depth": 8}
COLUMNS = ("factor", "value", "seed", "metric", "cpu_s")

Data = tuple[Tensor, Tensor, Tensor, Tensor]


def shrink(images: np.ndarray, size: int) -> np.ndarray:
    """Average boxes of pixels so that `size` a side remain (given).

    Shapes: uint8 [N, 3, H, H] -> uint8 [N, 3, size, size]; H is a multiple of size.
    """
    n, channels, side, _ = images.shape
    boxes = images.reshape(n, channels, size, side // size, size, side // size)
    return np.rint(boxes.mean(axis=(3, 5))).astype(np.uint8)


def select(images: Images) -> Data:
    """Return the study's part of a set: always the same images, all classes alike (given).

    Of each class's training images the first are for training, the next, as far as they reach, for
    testing.

    Shapes: train images uint8 [N, 3, SIZE, SIZE], train labels int64 [N], test images, test labels.
    """
    small = shrink(images.train_x, SIZE)
    places = [np.flatnonzero(images.train_y == label) for label in range(len(images.classes))]
    first, last = TRAIN_IMAGES // len(places), (TRAIN_IMAGES + TEST_IMAGES) // len(places)
    parts = []
    for chosen in ([p[:first] for p in places], [p[first:last] for p in places]):
        indices = np.concatenate(chosen)
        parts += [torch.tensor(small[indices]), torch.tensor(images.train_y[indices])]
    return tuple(parts)


def load_data(variant: str = VARIANT) -> Data:
    """Load the study's images of a variant (given). Raises DataError if they are not here."""
    name, options = SETS[variant]
    return select(load(name, **options))


def run_cell(factor: str, value: int | float | str, seed: int, data: Data) -> float:
    """Train one network and return the share of test images it gets right, in per cent.

    The network is build(...) with BASE's settings but for `factor`, which is set to `value`:

    dropout    a probability
    norm       a name of model.NORMS
    decay      a name of model.DECAYS
    residual   "residual-DEPTH" or "plain-DEPTH": with or without shortcuts, at this depth
    depth      6n + 2

    torch's generator is seeded with `seed`, then the network is built, then trained on all training
    images for EPOCHS epochs by `train` with the same seed and its default rate. The same
    call gives the same number. Any sensible `value` must work, not only those of your sweep, and
    any `data`. It has as many classes as the largest label says. A network that diverged to NaN
    gives some finite number too. One cell takes at most 30 CPU seconds.

    Shapes: as in `select`.
    Raises ValueError if there is no factor of that name.
    """
    raise NotImplementedError("run_cell is not written yet")


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    raise NotImplementedError("main is not written yet")


if __name__ == "__main__":
    main()
