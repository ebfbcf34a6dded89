"""CIFAR-10 in its publisher's "python version": six pickles of 10,000 images and one of names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .kinds import DataError, Images, read_bytes
from .pickles import read_pickle
from .pictures import scale
from .sources import Source

META = "batches.meta"
TEST = "test_batch"
# The MD5 of each file are those that torchvision checks.
PUBLISHED = {
    "data_batch_1": "md5:c99cafc152244af753f735de768cd75f",
    "data_batch_2": "md5:d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "md5:54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "md5:634d18415352ddfa80567beed471001a",
    "data_batch_5": "md5:482c414d41f54cd18b22e5b47cb7c3cb",
    TEST: "md5:40351d587109b95175f43aff81a1287e",
    META: "md5:5ff9c542aee3614f3951f8cda6e48888",
}
CHECKSUMS = {"cifar-10": PUBLISHED}
SOURCES = {
    "cifar-10": (
        # The publisher gives the archive's MD5, c58f30108f718f92721af3b95e74349a; the SHA-256 of
        # the same archive is the one that Keras checks.
        Source(
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "cifar-10/cifar-10-python.tar.gz",
            170_498_071,
            "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            tuple(PUBLISHED),
        ),
    )
}
FOLDERS = ("cifar-10", "cifar-10-batches-py", "cifar-10/cifar-10-batches-py", "")
SIDE = 32  # pixels


def find(root: Path, name: str) -> Path | None:
    """Return the folder below `root` that holds files of the set, or None."""
    for folder in FOLDERS:
        if any(path.is_file() for path in files(root / folder, name)):
            return root / folder
    return None


def files(place: Path, name: str) -> list[Path]:
    """Return the files of the set, present or not."""
    return [place / file for file in PUBLISHED]


def read(place: Path, name: str, size: int | None = None) -> Images:
    """Read the set from its folder; `size` scales images to that many pixels a side.

    Raises DataError naming the file that is absent, damaged or holds something else.
    """
    classes = _classes(place / META)
    batches = [path for path in files(place, name) if path.name not in (TEST, META)]
    train = [_batch(path, len(classes)) for path in batches]
    test_x, test_y = _batch(place / TEST, len(classes))
    return Images(
        name=name,
        train_x=_scaled(np.concatenate([x for x, _ in train]), size),
        train_y=np.concatenate([y for _, y in train]),
        test_x=_scaled(test_x, size),
        test_y=test_y,
        classes=classes,
        synthetic=False,
    )


def _scaled(x: np.ndarray, size: int | None) -> np.ndarray:
    return x if size in (None, SIDE) else np.stack([scale(picture, size) for picture in x])


def _dict(path: Path) -> dict[object, object]:
    content = read_pickle(read_bytes(path), path)
    if not isinstance(content, dict):
        raise _wrong(path, "a dict")
    return content


def _classes(path: Path) -> tuple[str, ...]:
    names = _dict(path).get(b"label_names")
    if not isinstance(names, list) or not all(isinstance(name, bytes) for name in names):
        raise _wrong(path, "the names of the classes")
    return tuple(name.decode("ascii", errors="replace") for name in names)


def _batch(path: Path, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 [n, 3, 32, 32] and labels int64 [n] of one file."""
    content = _dict(path)
    x, y = content.get(b"data"), content.get(b"labels")
    if not isinstance(x, np.ndarray) or x.dtype != np.uint8 or x.ndim != 2:
        raise _wrong(path, "images")
    if x.shape[1] != 3 * SIDE * SIDE or not len(x):
        raise _wrong(path, f"images of {SIDE} x {SIDE} pixels")
    if not isinstance(y, list) or not all(type(v) is int and 0 <= v < classes for v in y):
        raise _wrong(path, f"labels from 0 to {classes - 1}")
    if len(y) != len(x):
        raise _wrong(path, "a label for each image")
    return x.reshape(-1, 3, SIDE, SIDE), np.array(y, dtype=np.int64)


def _wrong(path: Path, what: str) -> DataError:
    return DataError(f"{path} must hold {what}: fetch the set again")
