from __future__ import annotations

import csv
import itertools
import time

import numpy as np
import torch

from .datasets import Images, load
from .model import build, train

# The images of your term: your course page says which.
VARIANT = "tiny_imagenet_10"

# Each variant's set of images and how it is loaded.
SETS = {
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




def shrink(images: np.ndarray, size: int) -> np.ndarray:
    """Average boxes of pixels so that `size` a side remain (given).

    Shapes: uint8 [N, 3, H, H] -> uint8 [N, 3, size, size]; H is a multiple of size.
    """
    n, channels, side, _ = images.shape
    boxes = images.reshape(n, channels, size, side // size, size, side // size)
    return np.rint(boxes.mean(axis=(3, 5))).astype(np.uint8)


def select(images: Images):
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


def load_data(variant: str = VARIANT):
    """Load the study's images of a variant (given). Raises DataError if they are not here."""
    name, options = SETS[variant]
    return select(load(name, **options))


SWEEP = dict(
    dropout=[0.0, 0.5, 0.9],
    norm=["none", "batch", "layer"],
    decay=["none", "step", "cosine"],
    residual=["residual-20", "plain-20", "plain-8"],
    depth=[8, 14, 20],
)
_READ = {
    "dropout": lambda v: (dict(dropout=v), "cosine"),
    "norm": lambda v: (dict(norm=v), "cosine"),
    "decay": lambda v: ({}, v),
    "residual": lambda v: (dict(residual={"residual": True, "plain": False}[(p := v.split("-"))[0]], depth=int(p[1])), "cosine"),
    "depth": lambda v: (dict(depth=v), "cosine"),
}


def run_cell(factor, value, seed, data):
    if factor not in _READ:
        raise ValueError(factor)
    (x, y, tx, ty), (kw, decay) = data, _READ[factor](value)
    torch.manual_seed(seed)
    net = build(**{"depth": 8, "classes": 1 + max(y.max(), ty.max()).item(), **kw}).to(x.device)
    train(net, x, y, seed, epochs=EPOCHS, decay=decay)
    with torch.inference_mode():
        return 100 * (torch.cat([*map(net, tx.split(300))]).argmax(1) == ty).double().mean().item()


def main():
    import matplotlib.pyplot as plt

    data, seen, rows = load_data(), {}, []
    for f, vs in SWEEP.items():
        for v, s in itertools.product(vs, range(3)):
            k = (str({**dict(depth=8, residual=True, dropout=0.0, norm="batch"), **_READ[f](v)[0]}), _READ[f](v)[1], s)
            if k not in seen:
                t = time.process_time()
                seen[k] = (round(run_cell(f, v, s, data), 2), round(time.process_time() - t, 1))
            rows.append((f, v, s, *seen[k]))
            print(*rows[-1], flush=True)
    with open("results.csv", "w", newline="") as o:
        csv.writer(o).writerows([COLUMNS, *rows])
    fig, ax = plt.subplots(figsize=(8, 4))
    ax.scatter([f"{r[0][:5]}={r[1]}" for r in rows], [r[3] for r in rows])
    ax.tick_params(axis="x", rotation=90)
    fig.savefig("plot.png", dpi=45, bbox_inches="tight")


if __name__ == "__main__":
    main()
