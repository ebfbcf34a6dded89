"""Anybody's images: one folder a class, named by it.

Either ``train/CLASS/*`` and ``test/CLASS/*`` (or ``val``), or ``CLASS/*`` alone; then every fifth
image of each class, by name, is for the test.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .kinds import DataError, Images, read_bytes
from .pictures import decode, stack

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp")
TEST_PARTS = ("test", "val")
EVERY = 5


def find(root: Path, name: str) -> Path | None:
    """Return the folder that ``image-folder:PATH`` names, from here or below `root`, or None."""
    path = Path(name.partition(":")[2])
    return next((place for place in (path, root / path) if place.is_dir()), None)


def files(place: Path, name: str) -> list[Path]:
    """Return the images of the set in order."""
    return sorted(path for path in place.rglob("*") if _is_image(path))


def read(place: Path, name: str, size: int | None = None) -> Images:
    """Read images from their folders; `size` scales them to that many pixels a side.

    Images of different sizes need `size`. Raises DataError if there are none in one of the parts,
    if the parts differ in their classes, or if an image is damaged.
    """
    train, test = _parts(place)
    classes = sorted(train)
    if classes != sorted(test):
        odd = ", ".join(sorted(set(train) ^ set(test)))
        raise DataError(f"{place}: the classes {odd} must have images to train and to test on")
    train_x, train_y = _read_part(train, classes, size)
    test_x, test_y = _read_part(test, classes, size)
    return Images(name, train_x, train_y, test_x, test_y, tuple(classes), synthetic=False)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and path.is_file()


def _parts(place: Path) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """Return the images to train and to test on, by class."""
    test = next((place / part for part in TEST_PARTS if (place / part).is_dir()), None)
    if (place / "train").is_dir() and test:
        return _by_class(place / "train"), _by_class(test)
    every = _by_class(place)
    train = {
        name: [path for index, path in enumerate(paths) if index % EVERY != EVERY - 1]
        for name, paths in every.items()
    }
    test_part = {name: paths[EVERY - 1 :: EVERY] for name, paths in every.items()}
    return train, {name: paths for name, paths in test_part.items() if paths}


def _by_class(place: Path) -> dict[str, list[Path]]:
    folders = [folder for folder in sorted(place.iterdir()) if folder.is_dir()]
    found = {folder.name: sorted(filter(_is_image, folder.iterdir())) for folder in folders}
    return {name: paths for name, paths in found.items() if paths}


def _read_part(
    part: dict[str, list[Path]], classes: list[str], size: int | None
) -> tuple[np.ndarray, np.ndarray]:
    pictures, labels = [], []
    for label, name in enumerate(classes):
        for path in part[name]:
            pictures.append(decode(read_bytes(path), str(path), size))
            labels.append(label)
    return stack(pictures, "the folder"), np.array(labels, dtype=np.int64)
