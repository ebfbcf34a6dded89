from __future__ import annotations

import argparse
import csv
import enum
import logging
import time
from collections import defaultdict
from typing import NamedTuple

import matplotlib
import numpy as np
import torch
from torch import Tensor

from .datasets import Images, load
from .model import build, train

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

logging.basicConfig(level=logging.INFO)
ARGS, _ = argparse.ArgumentParser().parse_known_args()

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


class Factor(enum.Enum):
    DROPOUT = "dropout"
    NORM = "norm"
    DECAY = "decay"
    RESIDUAL = "residual"
    DEPTH = "depth"


class Row(NamedTuple):
    factor: str
    value: object
    seed: int
    metric: float
    cpu_s: float


def run_cell(factor: str, value, seed: int, data: Data) -> float:
    which = Factor(factor)
    network, recipe = {"depth": BASE["depth"]}, {"decay": BASE["decay"]}
    if which is Factor.DECAY:
        recipe["decay"] = str(value)
    elif which is Factor.RESIDUAL:
        kind, depth = str(value).split("-")
        network |= {"depth": int(depth), "residual": {"residual": True, "plain": False}[kind]}
    else:
        network[which.value] = value
    x, y, test_x, test_y = data
    torch.manual_seed(seed)
    model = build(classes=int(max(y.max(), test_y.max())) + 1, **network).to(x.device)
    train(model, x, y, seed, epochs=EPOCHS, **recipe)
    with torch.no_grad():
        guess = np.concatenate([model(t).argmax(1).cpu().numpy() for t in test_x.split(64)])
    return float(np.mean(guess == test_y.cpu().numpy()) * 100)


SWEEP = defaultdict(list)
SWEEP[Factor.DROPOUT] = [0.0, 0.5, 0.9]
SWEEP[Factor.NORM] = ["none", "batch", "group"]
SWEEP[Factor.DECAY] = ["none", "step", "cosine"]
SWEEP[Factor.RESIDUAL] = ["residual-8", "residual-20", "plain-20"]
SWEEP[Factor.DEPTH] = [8, 14, 20]


def main() -> None:
    data, rows, base = load_data(), [], {}
    for seed in (3, 4, 5):
        for factor, values in SWEEP.items():
            for value in values:
                is_base = value == BASE[factor.value]
                if not is_base or seed not in base:
                    start = time.process_time()
                    metric = run_cell(factor.value, value, seed, data)
                    done = metric, time.process_time() - start
                    if is_base:
                        base[seed] = done
                if is_base:
                    done = base[seed]
                rows.append(Row(factor.value, value, seed, *done))
                print(rows[-1], flush=True)
    with open("results.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    figure, axis = plt.subplots(figsize=(8, 4))
    axis.plot([f"{r.factor}={r.value}" for r in rows], [r.metric for r in rows], "x")
    axis.tick_params(axis="x", rotation=80)
    figure.tight_layout()
    figure.savefig("plot.png", dpi=40)


if __name__ == "__main__":
    main()
