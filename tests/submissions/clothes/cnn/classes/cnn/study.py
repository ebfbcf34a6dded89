from __future__ import annotations

import csv
import itertools
import time
from dataclasses import dataclass, field

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


@dataclass
class Experiment:
    """What one cell sets."""

    decay: str = "cosine"
    network: dict = field(default_factory=lambda: {"depth": 8})

    @classmethod
    def of(cls, factor, value):
        experiment = cls()
        setter = getattr(experiment, f"set_{factor}", None)
        if setter is None:
            raise ValueError(f"Unknown factor: {factor}")
        setter(value)
        return experiment

    def set_dropout(self, p):
        self.network["dropout"] = p

    def set_norm(self, name):
        self.network["norm"] = name

    def set_decay(self, name):
        self.decay = name

    def set_residual(self, value):
        kind, depth = value.split("-")
        self.network |= {"residual": kind == "residual", "depth": int(depth)}

    def set_depth(self, depth):
        self.network["depth"] = depth

    def run(self, seed, data):
        x, y, test_x, test_y = data
        classes = int(torch.cat((y, test_y)).max()) + 1
        torch.manual_seed(seed)
        model = build(**self.network, classes=classes).to(x.device)
        train(model, x, y, seed, epochs=EPOCHS, decay=self.decay)
        return self.accuracy(model, test_x, test_y)

    @staticmethod
    @torch.no_grad()
    def accuracy(model, x, y):
        right = sum((model(a).argmax(1) == b).sum() for a, b in zip(x.split(250), y.split(250)))
        return 100 * right.item() / len(y)


def run_cell(factor: str, value: int | float | str, seed: int, data: Data) -> float:
    return Experiment.of(factor, value).run(seed, data)


SWEEP = {
    "dropout": [0.0, 0.5, 0.9],
    "norm": ["none", "batch", "layer"],
    "decay": ["none", "step", "cosine"],
    "residual": ["residual-8", "residual-20", "plain-20"],
    "depth": [8, 14, 20],
}


def main() -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    data, rows, memory = load_data(), [], {}
    for factor, values in SWEEP.items():
        for value, seed in itertools.product(values, (10, 11, 12)):
            key = (factor, value, seed) if value != BASE[factor] else seed
            if key not in memory:
                start = time.process_time()
                metric = run_cell(factor, value, seed, data)
                memory[key] = {"metric": round(metric, 2), "cpu_s": round(time.process_time() - start, 2)}
            rows.append({"factor": factor, "value": value, "seed": seed, **memory[key]})
            print(rows[-1], flush=True)
    with open("results.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    figure, axis = pyplot.subplots(figsize=(8, 4))
    axis.plot([f"{r['factor']} {r['value']}" for r in rows], [r["metric"] for r in rows], "+")
    axis.tick_params(axis="x", rotation=80)
    figure.tight_layout()
    figure.savefig("plot.png", dpi=45)


if __name__ == "__main__":
    main()
