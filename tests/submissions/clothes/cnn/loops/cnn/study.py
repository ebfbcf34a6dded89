from __future__ import annotations

import time

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
    depth, norm, dropout, residual, decay = 8, "batch", 0.0, True, "cosine"
    if factor == "dropout":
        dropout = value
    elif factor == "norm":
        norm = value
    elif factor == "decay":
        decay = value
    elif factor == "residual":
        residual = value.startswith("residual-")
        depth = int(value[value.index("-") + 1 :])
    elif factor == "depth":
        depth = value
    else:
        raise ValueError("unknown factor " + str(factor))
    train_x, train_y, test_x, test_y = data
    classes = 1 + max(train_y.tolist() + test_y.tolist())
    torch.manual_seed(seed)
    network = build(depth, norm, dropout, residual, classes)
    network = network.to(train_x.device)
    train(network, train_x, train_y, seed, epochs=EPOCHS, decay=decay)
    right = 0
    for start in range(0, len(test_x), 100):
        with torch.no_grad():
            guesses = network(test_x[start : start + 100]).argmax(dim=1)
        for guess, truth in zip(guesses.tolist(), test_y[start : start + 100].tolist()):
            if guess == truth:
                right += 1
    return 100.0 * right / len(test_x)


def main() -> None:
    import matplotlib.pyplot as plt

    data = load_data()
    lines = [",".join(COLUMNS)]
    bars = {}
    base = {}
    for factor, value in (
        [("dropout", p) for p in (0.0, 0.5, 0.9)]
        + [("norm", name) for name in ("none", "batch", "group")]
        + [("decay", name) for name in ("none", "step", "cosine")]
        + [("residual", name) for name in ("residual-20", "plain-20", "residual-8")]
        + [("depth", depth) for depth in (8, 14, 20)]
    ):
        for seed in (1, 2, 3):
            if value == BASE[factor] and seed in base:
                metric, seconds = base[seed]
            else:
                start = time.process_time()
                metric = run_cell(factor, value, seed, data)
                seconds = time.process_time() - start
                if value == BASE[factor]:
                    base[seed] = (metric, seconds)
            lines.append("%s,%s,%d,%.3f,%.2f" % (factor, value, seed, metric, seconds))
            print(lines[-1], flush=True)
            bars.setdefault("%s %s" % (factor, value), []).append(metric)
    with open("results.csv", "w") as file:
        for line in lines:
            file.write(line + "\n")
    plt.barh(list(bars), [sum(numbers) / len(numbers) for numbers in bars.values()])
    plt.tight_layout()
    plt.savefig("plot.png", dpi=45)


if __name__ == "__main__":
    main()
