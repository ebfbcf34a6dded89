"""Stand-in for sets of images: shapes filled with textures, on backgrounds that say nothing.

The class decides outline and texture; place, size, phase, colours and noise are drawn anew for each
image. Figures measured on these images say nothing about real ones.
"""

from __future__ import annotations

import numpy as np

from .kinds import Images

VERSION = 1  # to be raised with any change to what comes out: digests of stand-ins hold it
OUTLINES = ("disc", "square", "diamond", "ring", "cross")
TEXTURES = ("stripes", "checks", "rings", "waves")
NOISE = 24.0  # standard deviation, of 255
NAMES = tuple(
    f"{TEXTURES[i % len(TEXTURES)]} {OUTLINES[i % len(OUTLINES)]}"
    for i in range(len(OUTLINES) * len(TEXTURES))
)


def generate(
    name: str, classes: int = 10, train: int = 500, test: int = 50, size: int = 64, seed: int = 0
) -> Images:
    """Return `train` and `test` images of each class, `size` pixels a side; labels in random order.

    The defaults are the shape of tiny-imagenet-10. The same arguments give the same images.
    Raises ValueError if there are not so many classes, or nothing to see.
    """
    if not 2 <= classes <= len(NAMES) or min(train, test) < 1 or not 8 <= size <= 256:
        raise ValueError(
            f"{name} has 2 to {len(NAMES)} classes, at least one image of each, 8 to 256 pixels"
        )
    rng = np.random.default_rng(seed)
    train_y = rng.permutation(np.repeat(np.arange(classes), train))
    test_y = rng.permutation(np.repeat(np.arange(classes), test))
    return Images(
        name=name,
        train_x=_pictures(train_y, size, rng),
        train_y=train_y,
        test_x=_pictures(test_y, size, rng),
        test_y=test_y,
        classes=NAMES[:classes],
        synthetic=True,
    )


def _pictures(labels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    return np.stack([_picture(int(label), size, rng) for label in labels])


def _picture(label: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return one image, uint8 [3, size, size]."""
    steps = np.linspace(-1.0, 1.0, size)
    right, down = steps[None, :], steps[:, None]
    x, y = right - rng.uniform(-0.35, 0.35), down - rng.uniform(-0.35, 0.35)
    inside = _outline(OUTLINES[label % len(OUTLINES)], x, y, rng.uniform(0.45, 0.75))
    # Waves a side: few enough that they survive scaling to a quarter of 64 pixels.
    strength = _texture(TEXTURES[label % len(TEXTURES)], x, y, rng.uniform(8.0, 12.0), rng)
    dark, light, background = rng.uniform(0, 255, (3, 3, 1, 1))
    shade = 1.0 + 0.3 * (rng.uniform(-1, 1) * right + rng.uniform(-1, 1) * down)
    picture = np.where(inside, dark + (light - dark) * strength, background * shade)
    picture = picture + rng.normal(0.0, NOISE, picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _outline(kind: str, x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """Return which pixels are inside, bool [size, size]."""
    far = np.hypot(x, y)
    if kind == "disc":
        return far < radius
    if kind == "square":
        return np.maximum(abs(x), abs(y)) < 0.9 * radius
    if kind == "diamond":
        return abs(x) + abs(y) < 1.2 * radius
    if kind == "ring":
        return (far < radius) & (far > 0.5 * radius)
    return (np.minimum(abs(x), abs(y)) < 0.3 * radius) & (np.maximum(abs(x), abs(y)) < radius)


def _texture(
    kind: str, x: np.ndarray, y: np.ndarray, waves: float, rng: np.random.Generator
) -> np.ndarray:
    """Return how light the pattern is, 0 to 1, float64 [size, size]."""
    phase, other = rng.uniform(0, 2 * np.pi, 2)
    if kind == "stripes":
        wave = np.sin(waves * (x + y) + phase)
    elif kind == "checks":
        wave = np.sign(np.sin(waves * x + phase) * np.sin(waves * y + other))
    elif kind == "rings":
        wave = np.sin(1.5 * waves * np.hypot(x, y) + phase)
    else:
        wave = np.sin(waves * x + phase + 1.5 * np.sin(0.5 * waves * y + other))
    return 0.5 + 0.5 * wave
