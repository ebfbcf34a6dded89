"""Tiny-ImageNet-200 in its publisher's layout, whole or any part of its classes.

``wnids.txt`` lists the classes in their order, ``words.txt`` says what they mean,
``train/WNID/images/*.JPEG`` are the training images, ``val/images`` with
``val/val_annotations.txt`` the test images (the publisher's own test part has no labels).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .kinds import DataError, Images
from .pictures import decode, stack
from .sources import Source
from .trees import Tree, open_tree

# The course that made the set publishes no checksum: size and SHA-256 are those on which several
# independent projects that download it agree.
ARCHIVE = Source(
    "https://cs231n.stanford.edu/tiny-imagenet-200.zip",
    "tiny-imagenet-200/tiny-imagenet-200.zip",
    248_100_043,
    "sha256:6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
)
SOURCES = {"tiny-imagenet-10": (ARCHIVE,), "tiny-imagenet-200": (ARCHIVE,)}
CHECKSUMS = {name: {"tiny-imagenet-200.zip": ARCHIVE.checksum} for name in SOURCES}

WHOLE = "tiny-imagenet-200"
# The classes of tiny-imagenet-10 where the whole set is at hand and not a part of its own.
TEN = (
    "n01443537", "n02099601", "n02123394", "n04285008", "n04146614",
    "n07873807", "n07753592", "n04366367", "n03085013", "n04507155",
)  # fmt: skip
MARKER = "wnids.txt"
ANNOTATIONS = "val/val_annotations.txt"
WNID = re.compile(r"n\d{8}")


def find(root: Path, name: str) -> Path | None:
    """Return the folder or zip of the set below `root`, or None. The whole set serves for ten."""
    for stem in (name, WHOLE):
        for place in (root / stem / f"{stem}.zip", root / f"{stem}.zip"):
            if place.is_file():
                return place
        for place in (root / stem, root / stem / stem, root):
            if (place / MARKER).is_file():
                return place
    return None


def files(place: Path, name: str) -> list[Path]:
    """Return the files of the set: the zip, or all below the folder in order."""
    if place.is_file():
        return [place]
    return [place / part for part in open_tree(place, MARKER).names()]


def read(
    place: Path, name: str, size: int | None = None, wnids: Sequence[str] | None = None
) -> Images:
    """Read a set from its folder or zip; the publisher's validation images are the test part.

    `size` scales images to that many pixels a side. `wnids` takes these classes alone and labels
    them from 0 in this order; without it the order is that of ``wnids.txt``.

    Raises DataError naming the file that is absent or damaged.
    """
    tree = open_tree(place, MARKER)
    chosen = _classes(tree, name, wnids)
    train = _training(tree, chosen)
    labels = {wnid: label for label, wnid in enumerate(chosen)}
    test = [(path, labels[wnid]) for path, wnid in _validation(tree) if wnid in labels]
    return Images(
        name=name,
        train_x=_pictures(tree, train, size),
        train_y=np.array([labels[path.split("/")[1]] for path in train], dtype=np.int64),
        test_x=_pictures(tree, [path for path, _ in test], size),
        test_y=np.array([label for _, label in test], dtype=np.int64),
        classes=_titles(tree, chosen),
        synthetic=False,
    )


def _lines(tree: Tree, name: str) -> list[str]:
    return tree.read(name).decode("utf-8", errors="replace").splitlines()


def _classes(tree: Tree, name: str, wanted: Sequence[str] | None) -> list[str]:
    listed = [line.strip() for line in _lines(tree, MARKER) if line.strip()]
    strange = [wnid for wnid in listed if not WNID.fullmatch(wnid)]
    if strange or not listed or len(set(listed)) != len(listed):
        raise DataError(f"{tree.place}: {MARKER} must list different classes, one a line")
    if wanted is None and name == "tiny-imagenet-10" and len(listed) != len(TEN):
        wanted = TEN
    if wanted is None:
        return listed
    absent = sorted(set(wanted) - set(listed))
    if absent:
        raise DataError(f"{tree.place} holds no class {', '.join(absent)}: see {MARKER}")
    return list(dict.fromkeys(wanted))


def _training(tree: Tree, wnids: list[str]) -> list[str]:
    """Return the paths of the training images, class by class, by name within a class."""
    found: dict[str, list[str]] = {f"train/{wnid}/images": [] for wnid in wnids}
    for name in tree.names():
        folder, _, file = name.rpartition("/")
        if folder in found and file.endswith(".JPEG"):
            found[folder].append(name)
    for folder, names in found.items():
        if not names:
            raise DataError(f"{tree.place} has no images in {folder}: fetch the set again")
    return [name for names in found.values() for name in names]


def _validation(tree: Tree) -> list[tuple[str, str]]:
    """Return the path and the class of each validation image, in the file's order."""
    rows = [line.split("\t") for line in _lines(tree, ANNOTATIONS) if line.strip()]
    if not rows or any(len(row) < 2 or not WNID.fullmatch(row[1]) for row in rows):
        raise DataError(f"{tree.place}: {ANNOTATIONS} must say file and class on each line")
    return [(f"val/images/{row[0]}", row[1]) for row in rows]


def _titles(tree: Tree, wnids: list[str]) -> tuple[str, ...]:
    """Return the first word for each class, its number where ``words.txt`` has none of its own."""
    words = {}
    if "words.txt" in tree.names():
        for line in _lines(tree, "words.txt"):
            wnid, _, meaning = line.partition("\t")
            words[wnid.strip()] = meaning.split(",")[0].strip()
    titles = [words.get(wnid) or wnid for wnid in wnids]
    return tuple(
        title if titles.count(title) == 1 else wnid
        for title, wnid in zip(titles, wnids, strict=True)
    )


def _pictures(tree: Tree, names: list[str], size: int | None) -> np.ndarray:
    pictures = [decode(tree.read(name), f"{tree.place}: {name}", size) for name in names]
    return stack(pictures, str(tree.place))
