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


SWEEP = {
    "dropout": (0.0, 0.5, 0.9),
    "norm": ("none", "batch", "group"),
    "decay": ("none", "step", "cosine"),
    "residual": ("residual-8", "residual-20", "plain-20"),
    "depth": (8, 14, 20),
}
SEEDS = (0, 1, 2)


def settings_of(factor, value):
    """Return the options of build and the decay."""
    if factor not in BASE:
        raise ValueError(f"unknown factor {factor!r}")
    options = {"depth": 8, "norm": "batch", "dropout": 0.0, "residual": True}
    decay = "cosine"
    if factor == "decay":
        decay = value
    elif factor == "residual":
        kind, _, depth = value.partition("-")
        if kind not in ("residual", "plain"):
            raise ValueError(f"unknown value {value!r}")
        options["residual"] = kind == "residual"
        options["depth"] = int(depth)
    else:
        options[factor] = value
    return options, decay


def run_cell(factor: str, value: int | float | str, seed: int, data: Data) -> float:
    """Train one network and return the share of test images it gets right, in per cent."""
    options, decay = settings_of(factor, value)
    images, labels, test_images, test_labels = data
    classes = int(max(labels.max(), test_labels.max())) + 1
    torch.manual_seed(seed)
    model = build(classes=classes, **options).to(images.device)
    train(model, images, labels, seed, epochs=EPOCHS, decay=decay)
    with torch.no_grad():
        guess = torch.cat([model(part).argmax(dim=1) for part in test_images.split(500)])
    return float((guess == test_labels).double().mean() * 100)


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    data = load_data()
    rows = []
    known = {}
    for factor, values in SWEEP.items():
        for value in values:
            for seed in SEEDS:
                cell = (str(settings_of(factor, value)), seed)
                if cell not in known:
                    start = time.process_time()
                    metric = run_cell(factor, value, seed, data)
                    known[cell] = (metric, time.process_time() - start)
                metric, seconds = known[cell]
                rows.append((factor, value, seed, f"{metric:.2f}", f"{seconds:.2f}"))
                print(*rows[-1], flush=True)
    with Path("results.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    figure, axes = plt.subplots(1, 5, figsize=(12, 3), sharey=True)
    for axis, (factor, values) in zip(axes, SWEEP.items()):
        for place, value in enumerate(values):
            metrics = [float(row[3]) for row in rows if row[:2] == (factor, value)]
            axis.plot([place] * len(metrics), metrics, "o")
        axis.set_xticks(range(len(values)), [str(value) for value in values], rotation=30)
        axis.set_title(factor)
    axes[0].set_ylabel("accuracy in per cent")
    figure.tight_layout()
    figure.savefig("plot.png", dpi=50)


if __name__ == "__main__":
    main()
