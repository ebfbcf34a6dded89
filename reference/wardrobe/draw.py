"""Draw the images of a term: two garments, warped, overlapping and noisy, in one picture.

Nobody can download the labels: which garments are taken, how they are bent and where they lie all
come from the generator, and that from the term's secret.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import garments
from .datasets import load

SIZE = 32  # pixels a side
_BASE = 28  # of a garment's own picture
_CHUNK = 1000  # images drawn at a time
_WAVES = 2  # of the cloth, along each side
_NOISE = 20.0  # standard deviation, in grey levels


def draw(
    rng: np.random.Generator, part: str, rows: int, garments: str
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return inputs and labels of `part`, "train" or "test", which share no garment.

    `garments` names where the garments come from: "fashion-mnist", or "drawn". The inputs are
    `images`, uint8 [rows, 32, 32]; the labels are two different classes, int64 [rows, 2], in rising
    order.
    """
    pictures, kinds = _SOURCES[garments](part)
    by_kind = [pictures[kinds == kind] for kind in range(int(kinds.max()) + 1)]
    labels = _pairs(rng, rows, len(by_kind))
    images = np.empty((rows, SIZE, SIZE), dtype=np.uint8)
    for start in range(0, rows, _CHUNK):
        pairs = labels[start : start + _CHUNK]
        one, other = (_worn(rng, by_kind, kinds) for kinds in _shuffled(rng, pairs).T)
        picture = np.maximum(one, other) + rng.normal(0.0, _NOISE, one.shape)
        images[start : start + _CHUNK] = np.rint(np.clip(picture, 0.0, 255.0))
    return {"images": images}, labels


def _of_fashion_mnist(part: str) -> tuple[np.ndarray, np.ndarray]:
    found = load("fashion-mnist")
    if part == "train":
        return found.train_x[:, 0], found.train_y
    return found.test_x[:, 0], found.test_y


_SOURCES: dict[str, Callable[[str], tuple[np.ndarray, np.ndarray]]] = {
    "fashion-mnist": _of_fashion_mnist,
    "drawn": garments.pictures,
}


def _pairs(rng: np.random.Generator, rows: int, kinds: int) -> np.ndarray:
    """Return pairs of different classes in rising order, each pair as likely as any: [rows, 2]."""
    every = np.stack(np.triu_indices(kinds, 1), axis=1)
    return every[rng.integers(len(every), size=rows)].astype(np.int64)


def _shuffled(rng: np.random.Generator, pairs: np.ndarray) -> np.ndarray:
    """Return the pairs in any order: what is drawn must not tell which class comes first."""
    swapped = rng.random(len(pairs)) < 0.5
    return np.where(swapped[:, None], pairs[:, ::-1], pairs)


def _worn(rng: np.random.Generator, by_kind: list[np.ndarray], kinds: np.ndarray) -> np.ndarray:
    """Return a garment of each class, bent and moved: float64 [n, 32, 32], 0 to 255."""
    chosen = (rng.random(len(kinds)) * [len(by_kind[kind]) for kind in kinds]).astype(np.int64)
    pictures = np.stack([by_kind[kind][place] for kind, place in zip(kinds, chosen, strict=True)])
    x, y = _places(rng, len(kinds))
    light = rng.uniform(0.5, 1.0, (len(kinds), 1, 1))
    return light * _sampled(np.pad(pictures, ((0, 0), (1, 1), (1, 1))), x + 1, y + 1)


def _places(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where in its own picture a garment is seen by each pixel: x and y, [n, 32, 32]."""
    steps = (np.arange(SIZE) - (SIZE - 1) / 2) / (SIZE / 2)  # -1 to 1
    down, right = np.meshgrid(steps, steps, indexing="ij")
    turn = rng.normal(0.0, 0.2, (count, 1, 1))
    scale, stretch = rng.uniform(1.1, 1.5, (2, count, 1, 1))
    shear = rng.normal(0.0, 0.15, (count, 1, 1))
    right_by, down_by = rng.uniform(-0.35, 0.35, (2, count, 1, 1))
    u, v = right - right_by, down - down_by
    x = scale * (np.cos(turn) * u + np.sin(turn) * v + shear * v)
    y = stretch * (np.cos(turn) * v - np.sin(turn) * u)
    for wave in range(1, _WAVES + 1):
        phase = rng.uniform(0.0, 2 * np.pi, (2, count, 1, 1))
        depth = rng.normal(0.0, 0.08 / wave, (2, count, 1, 1))
        x += depth[0] * np.sin(np.pi * wave * down + phase[0])
        y += depth[1] * np.sin(np.pi * wave * right + phase[1])
    middle = (_BASE - 1) / 2
    return middle + x * _BASE / 2, middle + y * _BASE / 2


def _sampled(pictures: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return grey values between pixels, bilinear; beyond the border what the border has."""
    height, width = pictures.shape[1:]
    x, y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    left, top = x.astype(np.int64), y.astype(np.int64)
    across, along = x - left, y - top
    flat = pictures.reshape(len(pictures), -1)
    corner = (top * width + left).reshape(len(pictures), -1)

    def at(step: int) -> np.ndarray:
        return np.take_along_axis(flat, corner + step, axis=1).reshape(x.shape)

    upper = at(0) * (1 - across) + at(1) * across
    lower = at(width) * (1 - across) + at(width + 1) * across
    return upper * (1 - along) + lower * along
