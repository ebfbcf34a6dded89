from __future__ import annotations

import csv
import itertools
import math
import time

import numpy as np
import torch

from .model import fit

VARIANT = "sincos"

DOMAINS = {"sincos": (0.0, 2 * math.pi), "log2cos": (1.0, 16.0), "sin": (0.0, 2 * math.pi)}
BASE = {"depth": 2, "width": 64, "learning_rate": 1e-2, "activation": "tanh"}
STEPS = 500
TRAIN_POINTS = 512
TEST_POINTS = 1000
COLUMNS = ("factor", "value", "seed", "metric", "cpu_s")
DIVERGED = 3.0
SWEEP = {
    "depth": [1, 3, 8],
    "width": [4, 64, 256],
    "learning_rate": [1e-4, 1e-2, 1],
    "activation": ["identity", "tanh", "gelu"],
}


def target(variant, x):
    return {
        "sincos": lambda: np.sin(x) + np.cos(x) + np.sin(x) * np.cos(x),
        "log2cos": lambda: np.log2(x) + np.cos(np.pi * x / 2),
        "sin": lambda: np.sin(x),
    }[variant]()


def run_cell(factor, value, seed):
    if factor not in BASE:
        raise ValueError(factor)
    (a, b), g = DOMAINS[VARIANT], torch.Generator().manual_seed(seed)
    test = a + (b - a) * torch.rand(TEST_POINTS, 1, generator=g)
    train = torch.linspace(a, b, TRAIN_POINTS)[:, None]
    t = lambda x: torch.from_numpy(target(VARIANT, x.numpy()))
    net = fit(train, t(train), seed, steps=STEPS, **{**BASE, factor: value})
    with torch.inference_mode():
        mse = (net(test) - t(test)).square().mean().item()
    return min(math.log10(mse), DIVERGED) if 0 < mse < math.inf else DIVERGED


def main():
    import matplotlib.pyplot as plt

    timed = lambda *c: (t := time.process_time(), m := run_cell(*c), (*c, round(m, 3), round(time.process_time() - t, 2)))[-1]
    rows = [timed(f, v, s) for f, vs in SWEEP.items() for v, s in itertools.product(vs, range(3))]
    with open("results.csv", "w", newline="") as f:
        csv.writer(f).writerows([COLUMNS, *rows])
    fig, ax = plt.subplots(figsize=(7, 4))
    ax.scatter([f"{r[0][:5]}={r[1]}" for r in rows], [r[3] for r in rows], s=8)
    ax.tick_params(axis="x", rotation=90)
    fig.savefig("plot.png", dpi=50, bbox_inches="tight")


if __name__ == "__main__":
    main()
