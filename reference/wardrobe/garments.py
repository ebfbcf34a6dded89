"""Garments drawn by a program, in ten classes: for trials and tests where the real ones are not.

Outlines of a few corners whose places are drawn anew for each picture, filled in grey. Figures
measured on them say nothing about real garments.
"""

from __future__ import annotations

import numpy as np

_SIZE = 28
_EACH = {"train": 60, "test": 30}  # pictures a class
_SEEDS = {"train": 1, "test": 2}
_TREMBLE = 0.06  # standard deviation of a corner's place; a picture is 2 wide

_Outline = list[tuple[float, float]]


def _both(*right: tuple[float, float]) -> _Outline:
    """Return an outline from its right half, from the top down; x to the right, y down."""
    return [*right, *((-x, y) for x, y in reversed(right))]


_BODY = ((0.45, 0.9),)
_OUTLINES: tuple[tuple[_Outline, ...], ...] = (
    (_both((0.2, -0.8), (0.85, -0.5), (0.75, -0.15), (0.45, -0.3), *_BODY),),  # T-shirt
    (_both((0.35, -0.9), (0.45, 0.9), (0.12, 0.9), (0.03, -0.3)),),  # trousers
    (_both((0.25, -0.75), (0.6, -0.65), (0.9, 0.8), (0.65, 0.85), (0.45, -0.1), *_BODY),),
    (_both((0.2, -0.9), (0.3, -0.2), (0.5, 0.9)),),  # dress
    (  # coat: open in front
        [(0.05, -0.8), (0.6, -0.7), (0.9, 0.6), (0.7, 0.65), (0.55, -0.1), (0.6, 0.95),
         (0.1, 0.95)],
        [(-0.05, -0.8), (-0.6, -0.7), (-0.9, 0.6), (-0.7, 0.65), (-0.55, -0.1), (-0.6, 0.95),
         (-0.1, 0.95)],
    ),
    (  # sandal: straps
        [(-0.9, 0.5), (0.9, 0.5), (0.9, 0.65), (-0.9, 0.65)],
        [(-0.7, 0.5), (-0.2, -0.1), (-0.05, -0.1), (-0.5, 0.5)],
        [(0.1, 0.5), (0.6, 0.0), (0.75, 0.0), (0.35, 0.5)],
    ),
    (_both((0.12, -0.85), (0.5, -0.75), (0.8, 0.1), (0.6, 0.2), (0.4, -0.35), (0.4, 0.9)),),
    ([(-0.9, 0.6), (-0.9, 0.0), (-0.5, 0.1), (-0.1, -0.2), (0.6, 0.25), (0.9, 0.3), (0.9, 0.6)],),
    (  # bag: with a handle
        _both((0.85, -0.2), (0.8, 0.8)),
        [(-0.5, -0.2), (-0.4, -0.8), (0.4, -0.8), (0.5, -0.2), (0.35, -0.2), (0.3, -0.65),
         (-0.3, -0.65), (-0.35, -0.2)],
    ),
    ([(-0.7, -0.8), (-0.1, -0.8), (0.0, 0.1), (0.85, 0.35), (0.85, 0.75), (-0.7, 0.75)],),
)  # fmt: skip


def pictures(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures uint8 [n, 28, 28] and classes int64 [n]; always the same ones of a part."""
    rng = np.random.default_rng(_SEEDS[part])
    kinds = np.repeat(np.arange(len(_OUTLINES)), _EACH[part])
    return np.stack([_picture(rng, _OUTLINES[kind]) for kind in kinds]), kinds


def _picture(rng: np.random.Generator, outlines: tuple[_Outline, ...]) -> np.ndarray:
    steps = (np.arange(_SIZE) + 0.5) * 2 / _SIZE - 1
    down, right = np.meshgrid(steps, steps, indexing="ij")
    grey = rng.uniform(90.0, 230.0) * (1 + rng.uniform(-0.3, 0.3) * down)
    inside = np.zeros((_SIZE, _SIZE), dtype=bool)
    for outline in outlines:
        corners = np.array(outline) + rng.normal(0.0, _TREMBLE, (len(outline), 2))
        inside |= _inside(corners, right, down)
    return np.rint(np.clip(grey, 0, 255) * inside).astype(np.uint8)


def _inside(corners: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Tell which points lie inside an outline: those from which a ray crosses it an odd number."""
    crossed = np.zeros(x.shape, dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        spans = (y1 > y) != (y2 > y)
        crossed ^= spans & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1 + 1e-12))
    return crossed
