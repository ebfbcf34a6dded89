"""What depth, width, learning rate and activation change: one cell, and the script that sweeps."""

from __future__ import annotations

import csv
import math
import time
from pathlib import Path

import numpy as np
import torch

from .model import fit

# The function of your term: sincos, log2cos or sin. Your course page says which.
VARIANT = "sincos"

DOMAINS = {"sincos": (0.0, 2 * math.pi), "log2cos": (1.0, 16.0), "sin": (0.0, 2 * math.pi)}
BASE = {"depth": 2, "width": 64, "learning_rate": 1e-2, "activation": "tanh"}
STEPS = 500
TRAIN_POINTS = 512
TEST_POINTS = 1000
COLUMNS = ("factor", "value", "seed", "metric", "cpu_s")
# A cell that diverged, to NaN or above a test MSE of 1000, counts as 3.0 = log10 1000.
DIVERGED = 3.0

SWEEP = {
    "depth": (1, 2, 4),
    "width": (4, 16, 64),
    "learning_rate": (0.0001, 0.01, 1.0),
    "activation": ("identity", "relu", "tanh"),
}
SEEDS = (0, 1, 2)


def target(variant: str, x: np.ndarray) -> np.ndarray:
    """Return the function of a term at x (given). Shapes: any -> the same."""
    if variant == "sincos":
        return np.sin(x) + np.cos(x) + np.sin(x) * np.cos(x)
    if variant == "log2cos":
        return np.log2(x) + np.cos(np.pi * x / 2)
    if variant == "sin":
        return np.sin(x)
    raise ValueError(f"no variant {variant!r}; choose one of {', '.join(DOMAINS)}")


def run_cell(factor: str, value: int | float | str, seed: int) -> float:
    """Train one network and return log10 of its MSE on fresh test points."""
    if factor not in BASE:
        raise ValueError(f"unknown factor {factor!r}")
    settings = dict(BASE)
    settings[factor] = value
    low, high = DOMAINS[VARIANT]
    rng = np.random.default_rng(seed)
    x_train = np.linspace(low, high, TRAIN_POINTS).reshape(TRAIN_POINTS, 1)
    x_test = rng.uniform(low, high, (TEST_POINTS, 1))
    y_train = target(VARIANT, x_train)
    y_test = target(VARIANT, x_test)
    model = fit(
        torch.tensor(x_train, dtype=torch.float32),
        torch.tensor(y_train, dtype=torch.float32),
        seed,
        steps=STEPS,
        **settings,
    )
    with torch.no_grad():
        prediction = model(torch.tensor(x_test, dtype=torch.float32)).numpy()
    mse = float(np.mean((prediction - y_test) ** 2))
    if not math.isfinite(mse):
        return DIVERGED
    return min(math.log10(max(mse, 1e-30)), DIVERGED)


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = []
    for factor, values in SWEEP.items():
        for value in values:
            for seed in SEEDS:
                start = time.process_time()
                metric = run_cell(factor, value, seed)
                seconds = time.process_time() - start
                rows.append((factor, value, seed, f"{metric:.4f}", f"{seconds:.2f}"))
                print(*rows[-1])
    with Path("results.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    figure, axes = plt.subplots(1, 4, figsize=(12, 3), sharey=True)
    for axis, (factor, values) in zip(axes, SWEEP.items()):
        for place, value in enumerate(values):
            metrics = [float(row[3]) for row in rows if row[:2] == (factor, value)]
            axis.plot([place] * len(metrics), metrics, "o")
        axis.set_xticks(range(len(values)), [str(value) for value in values])
        axis.set_title(factor)
    axes[0].set_ylabel("log10 of test MSE")
    figure.tight_layout()
    figure.savefig("plot.png", dpi=60)


if __name__ == "__main__":
    main()
