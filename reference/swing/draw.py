"""Draw recordings of a swinging pendulum, each to be told how fast its swing dies away.

    x_t = a 2^(-t / h) cos(w t + p) + drift t + noise,  t = 0 .. 63

The label is h, the steps in which the swing halves. A few readings of each recording are lost: the
sensor repeats the one before.
"""

from __future__ import annotations

import numpy as np

STEPS = 64
_HALVING = (4.0, 40.0)
_LOST = 0.1


def draw(
    rng: np.random.Generator, part: str, rows: int, noise: float
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return inputs and labels; both parts are drawn alike.

    `noise` is the standard deviation of a reading. The inputs are `readings`, float32 [rows, 64];
    the labels are steps, float64 [rows].
    """
    t = np.arange(STEPS)
    halving = rng.uniform(*_HALVING, rows)
    height = rng.uniform(0.7, 1.5, (rows, 1))
    speed = rng.uniform(0.3, 1.2, (rows, 1))
    phase = rng.uniform(0.0, 2 * np.pi, (rows, 1))
    drift = rng.normal(0.0, 0.003, (rows, 1))
    swing = height * 2.0 ** (-t / halving[:, None]) * np.cos(speed * t + phase)
    readings = swing + drift * t + rng.normal(0.0, noise, swing.shape)
    lost = rng.random(swing.shape) < _LOST
    for step in range(1, STEPS):
        readings[lost[:, step], step] = readings[lost[:, step], step - 1]
    return {"readings": readings.astype(np.float32)}, halving
