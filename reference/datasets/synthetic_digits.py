"""Stand-in for sets of digits: strokes of a pen, light on black, in grey.

Size, slant, place, pen and the course of the strokes are drawn anew for each image. Figures
measured on these images say nothing about real ones.
"""

from __future__ import annotations

import numpy as np

from .kinds import Images

VERSION = 1  # to be raised with any change to what comes out: digests of stand-ins hold it
CLASSES = tuple("0123456789")
TREMBLE = 0.05  # standard deviation of the points of a stroke; a digit is 2 high


def generate(name: str, train: int = 400, test: int = 100, size: int = 28, seed: int = 0) -> Images:
    """Return `train` and `test` images of each digit, `size` pixels a side, in random order.

    The defaults are the shape of mnist-5k. The same arguments give the same images.
    Raises ValueError if there would be nothing to see, or too much.
    """
    if min(train, test) < 1 or max(train, test) > 10_000 or not 8 <= size <= 64:
        raise ValueError(f"{name} has 1 to 10,000 images of each digit, of 8 to 64 pixels a side")
    rng = np.random.default_rng(seed)
    train_y = rng.permutation(np.repeat(np.arange(len(CLASSES)), train))
    test_y = rng.permutation(np.repeat(np.arange(len(CLASSES)), test))
    return Images(
        name=name,
        train_x=_pictures(train_y, size, rng),
        train_y=train_y,
        test_x=_pictures(test_y, size, rng),
        test_y=test_y,
        classes=CLASSES,
        synthetic=True,
    )


def _arc(x: float, y: float, wide: float, high: float, start: float, end: float) -> list:
    """Return points on an ellipse; angles in turns, clockwise from the right, as y points down."""
    angle = 2 * np.pi * np.linspace(start, end, 9)
    return np.column_stack([x + wide * np.cos(angle), y + high * np.sin(angle)]).tolist()


# The strokes of each digit: points (x, y) from -1 to 1, y pointing down.
STROKES = (
    (_arc(0, 0, 0.6, 1, 0, 1),),
    ([(-0.35, -0.55), (0.1, -1), (0.1, 1)],),
    (_arc(0, -0.45, 0.55, 0.55, -0.5, 0.05) + [(-0.6, 1), (0.65, 1)],),
    (_arc(0, -0.5, 0.5, 0.5, -0.4, 0.25) + _arc(0, 0.45, 0.6, 0.55, -0.25, 0.4),),
    ([(0.2, -1), (-0.6, 0.35), (0.7, 0.35)], [(0.3, -0.2), (0.3, 1)]),
    ([(0.55, -1), (-0.4, -1), (-0.45, -0.15)] + _arc(0, 0.35, 0.6, 0.6, -0.35, 0.4),),
    ([(0.35, -1), (-0.3, -0.3)] + _arc(0, 0.45, 0.55, 0.55, -0.5, 0.5),),
    ([(-0.6, -1), (0.6, -1), (-0.1, 1)],),
    (_arc(0, -0.5, 0.45, 0.48, 0.25, 1.25), _arc(0, 0.48, 0.6, 0.52, -0.25, 0.75)),
    (_arc(0, -0.45, 0.55, 0.55, 0, 1) + [(0.45, 0.3), (0.2, 1)],),
)


def _pictures(labels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    return np.stack([_picture(int(label), size, rng) for label in labels])[:, None]


def _picture(label: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return one image, uint8 [size, size]: white up to the pen's radius, fading beyond it."""
    turn, slant = rng.normal(0.0, 0.1), rng.normal(0.1, 0.15)
    scale = rng.uniform(0.55, 0.75, 2)
    form = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    form = form @ np.array([[scale[0], -slant * scale[0]], [0.0, scale[1]]])
    shift = rng.uniform(-0.12, 0.12, 2)
    starts, ends = [], []
    for stroke in STROKES[label]:
        points = np.array(stroke) + rng.normal(0.0, TREMBLE, (len(stroke), 2))
        points = points @ form.T + shift
        starts.append(points[:-1])
        ends.append(points[1:])
    far = _distance(np.concatenate(starts), np.concatenate(ends), size)
    pixel = 2.0 / size
    ink = np.clip(0.5 + (rng.uniform(0.06, 0.13) - far) / (1.5 * pixel), 0.0, 1.0)
    return np.rint(rng.uniform(215.0, 255.0) * ink).astype(np.uint8)


def _distance(starts: np.ndarray, ends: np.ndarray, size: int) -> np.ndarray:
    """Return how far each pixel is from the nearest segment, [size, size], the image 2 wide.

    Shapes: starts, ends [S, 2].
    """
    steps = (np.arange(size) + 0.5) * 2.0 / size - 1.0
    right, down = (ends - starts).T[:, :, None]  # [S, 1] each
    x, y = steps - starts[:, :1], steps - starts[:, 1:]  # [S, size], from where a segment starts
    square = np.maximum(right**2 + down**2, 1e-12)
    share = (y * down / square)[:, :, None] + (x * right / square)[:, None, :]  # [S, size, size]
    share = np.clip(share, 0.0, 1.0)  # of the segment, up to its point nearest to the pixel
    beside, below = (
        x[:, None, :] - share * right[:, :, None],
        y[:, :, None] - share * down[:, :, None],
    )
    return np.sqrt((beside**2 + below**2).min(axis=0))
