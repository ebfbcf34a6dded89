"""What a data set is once it is read, and the one error of this package.

A set checks itself when it is made: whoever holds a `Graph`, `Images` or `Texts` can rely on its
shapes, types and ranges.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

UNLABELLED = -1


class DataError(Exception):
    """A data set is absent, damaged or not what its name says. The message says how to mend it."""


@dataclass(frozen=True)
class Graph:
    """An undirected graph whose nodes have features and labels.

    Sets of several graphs (``ppi``) are one graph here, without edges between its parts.
    """

    name: str
    x: np.ndarray  # float32 [N, D], as stored: normalising is the lab's own step
    y: np.ndarray  # int64 [N], -1 where nobody knows it; or float32 [N, L] of 0 and 1
    edges: np.ndarray  # int64 [E, 2], each once with u < v: no self-loops, in rising order
    train: np.ndarray  # int64 [.], nodes; the three splits share none
    val: np.ndarray
    test: np.ndarray
    synthetic: bool  # True for a stand-in: figures from it say nothing about the real set

    @property
    def num_classes(self) -> int:
        """The number of classes, or of labels of which a node bears any number."""
        return int(self.y.max(initial=-1)) + 1 if self.y.ndim == 1 else self.y.shape[1]

    def __post_init__(self) -> None:
        """Check it. Raises DataError naming the set and what is wrong."""
        nodes = len(self.x)
        _expect(self, "x", self.x.ndim == 2 and self.x.dtype == np.float32, "float32 [N, D]")
        _expect(self, "x", bool(np.isfinite(self.x).all()), "finite")
        _expect(self, "y", len(self.y) == nodes and _are_labels(self.y), "int64 [N] or 0/1 [N, L]")
        _expect(self, "edges", _are_edges(self.edges, nodes), "int64 [E, 2], u < v < N, each once")
        split = _checked_split(self, nodes)
        if self.y.ndim == 1:
            _expect(self, "the split", bool((self.y[split] >= 0).all()), "of labelled nodes")


@dataclass(frozen=True)
class Images:
    """Labelled images of one size, in a part to train on and one to test on."""

    name: str
    train_x: np.ndarray  # uint8 [N, C, H, W], C 3 for red, green, blue or 1 for grey
    train_y: np.ndarray  # int64 [N], an index into `classes`
    test_x: np.ndarray
    test_y: np.ndarray
    classes: tuple[str, ...]
    synthetic: bool  # True for a stand-in: figures from it say nothing about the real set

    def __post_init__(self) -> None:
        """Check it. Raises DataError naming the set and what is wrong."""
        _expect(self, "classes", len(set(self.classes)) == len(self.classes) > 0, "distinct names")
        for part in ("train", "test"):
            x, y = getattr(self, f"{part}_x"), getattr(self, f"{part}_y")
            sound = x.dtype == np.uint8 and x.ndim == 4 and x.shape[1] in (1, 3)
            _expect(self, f"{part}_x", sound, "uint8 [N, 3, H, W] or [N, 1, H, W]")
            sound = y.dtype == np.int64 and y.shape == x.shape[:1] and _inside(y, len(self.classes))
            _expect(self, f"{part}_y", sound, "int64 [N], an index into the classes")
        same = self.train_x.shape[1:] == self.test_x.shape[1:]
        _expect(self, "test_x", same, "of the size of train_x")


@dataclass(frozen=True)
class Texts:
    """Labelled texts and their split."""

    name: str
    texts: tuple[str, ...]  # N of them, as stored: cleaning is the lab's own step
    y: np.ndarray  # int64 [N], an index into `classes`
    train: np.ndarray  # int64 [.], places in `texts`; the three splits share none
    val: np.ndarray
    test: np.ndarray
    classes: tuple[str, ...]
    synthetic: bool  # True for a stand-in: figures from it say nothing about real texts

    def __post_init__(self) -> None:
        """Check it. Raises DataError naming the set and what is wrong."""
        y, number = self.y, len(self.texts)
        _expect(self, "classes", len(set(self.classes)) == len(self.classes) > 0, "distinct names")
        _expect(self, "texts", all(type(text) is str for text in self.texts), "strings")
        sound = y.dtype == np.int64 and y.shape == (number,) and _inside(y, len(self.classes))
        _expect(self, "y", sound, "int64 [N], an index into the classes")
        _checked_split(self, number)


def _expect(data: Graph | Images | Texts, part: str, sound: bool, what: str) -> None:
    if not sound:
        raise DataError(f'the data set "{data.name}" is damaged: {part} must be {what}')


def _checked_split(data: Graph | Texts, end: int) -> np.ndarray:
    """Return all indices of the split, int64 [.]; each is below `end` and there once."""
    for name in ("train", "val", "test"):
        indices = getattr(data, name)
        sound = indices.ndim == 1 and indices.dtype == np.int64 and _inside(indices, end)
        _expect(data, name, sound, "int64, at least 0 and below N")
    split = np.concatenate([data.train, data.val, data.test])
    _expect(data, "the split", len(np.unique(split)) == len(split), "without any index twice")
    return split


def _inside(indices: np.ndarray, end: int) -> bool:
    return len(indices) == 0 or (int(indices.min()) >= 0 and int(indices.max()) < end)


def _are_labels(y: np.ndarray) -> bool:
    if y.ndim == 1:
        return y.dtype == np.int64 and bool((y >= UNLABELLED).all())
    return y.ndim == 2 and y.dtype == np.float32 and bool(((y == 0) | (y == 1)).all())


def _are_edges(edges: np.ndarray, nodes: int) -> bool:
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype != np.int64:
        return False
    u, v = edges[:, 0], edges[:, 1]
    return _inside(u, nodes) and _inside(v, nodes) and bool((u < v).all() and _rise(u, v))


def _rise(u: np.ndarray, v: np.ndarray) -> bool:
    later = (u[1:] > u[:-1]) | ((u[1:] == u[:-1]) & (v[1:] > v[:-1]))
    return bool(later.all())


def undirected(pairs: np.ndarray) -> np.ndarray:
    """Return each edge once with u < v, in rising order; self-loops and repeats go.

    Shapes: pairs int64 [M, 2] in any order and direction, result int64 [E, 2].
    """
    pairs = np.sort(pairs.reshape(-1, 2).astype(np.int64), axis=1)
    return np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes. Raises DataError naming it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): fetch the set again") from error
