"""MNIST and Fashion-MNIST in the form of their publishers: files of type IDX, packed or not.

Such a file begins with two zero bytes, the type of its numbers (8: a byte each) and the number of
its dimensions; then come the length of each, 32 bits, most significant byte first, and the numbers.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from .kinds import DataError, Images
from .pictures import scale
from .reading import either, read_unpacked
from .sources import Package, Source

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
# The last commit of the publisher's repository.
FASHION_URL = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
    "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/"
)


def _sources(name: str, url: str, packed: tuple[tuple[int, str], ...]) -> tuple[Source, ...]:
    return tuple(
        Source(f"{url}{file}.gz", f"{name}/{file}.gz", size, f"md5:{digest}")
        for file, (size, digest) in zip(FILES, packed, strict=True)
    )


# Sizes and MD5 of the packed files: MNIST's are those that torchvision checks, Fashion-MNIST's
# stand on its publisher's page.
SOURCES = {
    "mnist": _sources(
        "mnist",
        MNIST_URL,
        (
            (9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            (28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
            (1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
            (4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
        ),
    ),
    "fashion-mnist": _sources(
        "fashion-mnist",
        FASHION_URL,
        (
            (26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            (29_515, "25c81989df183df01b3e8a0aad5dffbe"),
            (4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
            (5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
    ),
}
# MD5 of the files unpacked, on which several independent projects agree: Debian's package holds
# the same files as Fashion-MNIST's publisher, packed in another way.
CHECKSUMS = {
    "mnist": {
        "train-images-idx3-ubyte": "md5:6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "md5:a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "md5:2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "md5:27ae3e4e09519cfbb04c329615203637",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "md5:f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "md5:9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "md5:8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "md5:15d484375f8d13e6eb1aabb0c3f46965",
    },
}
PACKAGES = {
    "fashion-mnist": Package(
        "apt-get install dataset-fashion-mnist", "/usr/share/datasets/fashion-mnist"
    )
}
CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
}  # fmt: skip
FOLDERS = {
    "mnist": ("mnist", "MNIST/raw"),
    "fashion-mnist": ("fashion-mnist", "FashionMNIST/raw"),
}
UNSIGNED_BYTE = 8
LARGEST = 1 << 27  # bytes of a file, unpacked: nearly three times the largest of these


def find(root: Path, name: str) -> Path | None:
    """Return the folder below `root` that holds files of the set, or None.

    The files of both sets have the same names, so only a folder of the set's own is looked into.
    """
    for folder in FOLDERS[name]:
        if any(path.is_file() for path in files(root / folder, name)):
            return root / folder
    return None


def files(place: Path, name: str) -> list[Path]:
    """Return the files of the set, present or not."""
    return [either(place, file) for file in FILES]


def read(place: Path, name: str, size: int | None = None) -> Images:
    """Read a set from its folder, in grey; `size` scales images to that many pixels a side.

    Raises DataError naming the file that is absent, damaged or does not fit the others.
    """
    train_images, train_labels, test_images, test_labels = files(place, name)
    train_x, train_y = _part(train_images, train_labels, len(CLASSES[name]), size)
    test_x, test_y = _part(test_images, test_labels, len(CLASSES[name]), size)
    return Images(name, train_x, train_y, test_x, test_y, CLASSES[name], synthetic=False)


def _part(
    images: Path, labels: Path, classes: int, size: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 [n, 1, H, W] and labels int64 [n] of one part."""
    x, y = read_idx(images, 3)[:, None], read_idx(labels, 1).astype(np.int64)
    if not x.size:
        raise DataError(f"{images} holds no images: fetch the set again")
    if len(x) != len(y):
        raise DataError(f"{images} and {labels} must fit: {len(x)} images, {len(y)} labels")
    if y.max() >= classes:
        raise DataError(f"{labels} must hold labels from 0 to {classes - 1}: fetch the set again")
    if size is not None and x.shape[2:] != (size, size):
        x = np.stack([scale(picture, size) for picture in x])
    return x, y


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Return the bytes of an IDX file as uint8 of so many dimensions.

    Raises DataError naming the file if it is none, of other numbers, or not as long as it says.
    """
    data = read_unpacked(path, LARGEST)
    start = 4 + 4 * dimensions
    if len(data) < start or data[:4] != bytes([0, 0, UNSIGNED_BYTE, dimensions]):
        raise DataError(
            f"{path} is no IDX file of bytes in {dimensions} dimensions: fetch the set again"
        )
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    if math.prod(shape) != len(data) - start:
        said = " x ".join(map(str, shape))
        raise DataError(f"{path} must hold {said} bytes, it holds {len(data) - start}")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)
