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

# BEGIN SOLUTION
SWEEP: dict[str, tuple[int | float | str, ...]] = {
    "dropout": (0.0, 0.5, 0.9),
    "norm": ("none", "batch", "layer", "group"),
    "decay": ("none", "step", "cosine"),
    "residual": ("residual-8", "plain-8", "residual-20", "plain-20"),
    "depth": (8, 14, 20),
}
SEEDS = (0, 1, 2)


# END SOLUTION


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
    # BEGIN SOLUTION
    if factor not in BASE:
        raise ValueError(f"no factor {factor!r}; choose one of {', '.join(BASE)}")
    images, labels, test_images, test_labels = data
    settings = {**BASE, factor: value}
    kind, _, depth = settings["residual"].partition("-")
    torch.manual_seed(seed)
    model = build(
        int(depth) if factor == "residual" else settings["depth"],
        settings["norm"],
        settings["dropout"],
        kind == "residual",
        int(max(labels.max(), test_labels.max())) + 1,
    ).to(images.device)
    train(model, images, labels, seed, epochs=EPOCHS, decay=settings["decay"])
    return accuracy(model, test_images, test_labels)
    # END SOLUTION


# BEGIN SOLUTION
@torch.no_grad()
def accuracy(model: torch.nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose largest logit is the label's, in per cent."""
    device = next(model.parameters()).device
    found = [model(batch.to(device)).argmax(dim=1).cpu() for batch in images.split(250)]
    return 100.0 * (torch.cat(found) == labels).double().mean().item()


Row = tuple[str, int | float | str, int, float, float]


def sweep(data: Data) -> list[Row]:
    """Train every cell: (factor, value, seed, metric, CPU seconds)."""
    torch.set_num_threads(1)  # so that CPU seconds can be compared
    rows = []
    for factor, values in SWEEP.items():
        for value in values:
            for seed in SEEDS:
                start = time.process_time()
                metric = run_cell(factor, value, seed, data)
                rows.append((factor, value, seed, metric, time.process_time() - start))
    return rows


def write_csv(rows: list[Row], path: Path) -> None:
    """Write one line a cell under the header COLUMNS."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for factor, value, seed, metric, cpu in rows:
            writer.writerow((factor, value, seed, f"{metric:.2f}", f"{cpu:.2f}"))


def draw(rows: list[Row], path: Path) -> None:
    """Draw one panel a factor: every seed a dot, and a bar at the mean."""
    import matplotlib.pyplot as plt  # here, because grading runs cells where nothing is drawn

    figure, panels = plt.subplots(1, len(SWEEP), figsize=(12, 3), sharey=True, layout="constrained")
    for panel, (factor, values) in zip(panels, SWEEP.items(), strict=True):
        for place, value in enumerate(values):
            metrics = [row[3] for row in rows if row[:2] == (factor, value)]
            panel.bar(place, np.mean(metrics), color="tab:blue", alpha=0.4)
            panel.plot([place] * len(metrics), metrics, "o", color="tab:blue")
        panel.set_xticks(range(len(values)), [str(value) for value in values], rotation=45)
        panel.set_xlabel(factor)
    panels[0].set_ylabel("test accuracy, %")
    figure.savefig(path, dpi=80)


# END SOLUTION


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    # BEGIN SOLUTION
    rows = sweep(load_data())
    write_csv(rows, Path("results.csv"))
    draw(rows, Path("plot.png"))
    # END SOLUTION


if __name__ == "__main__":
    main()
