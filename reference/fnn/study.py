"""What depth, width, learning rate and activation change: one cell, and the script that sweeps.

``python -m fnn.study`` trains every cell of SWEEP and writes results.csv and plot.png into the
current folder.
"""

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

# BEGIN SOLUTION
SWEEP: dict[str, tuple[int | float | str, ...]] = {
    "depth": (1, 2, 3, 4),
    "width": (4, 16, 64, 128),
    "learning_rate": (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    "activation": ("identity", "sigmoid", "tanh", "relu", "gelu"),
}
SEEDS = (0, 1, 2, 3, 4)


# END SOLUTION


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
    """Train one network and return log10 of its MSE on fresh test points.

    The network has BASE's settings but for `factor`, which is set to `value`. It is trained by
    Adam for STEPS steps, all TRAIN_POINTS points in each, with the learning rate falling to 0
    along a half cosine. Test points are drawn uniformly from the domain and are not trained on.
    `seed` decides the weights and all points: the same call gives the same number.

    `factor` is depth, width, learning_rate or activation; any sensible `value` must work, not
    only those of your sweep. The result is finite and at most DIVERGED, which also stands for
    NaN. One cell takes at most 3 CPU seconds.
    Raises ValueError if there is no factor of that name.
    """
    # BEGIN SOLUTION
    if factor not in BASE:
        raise ValueError(f"no factor {factor!r}; choose one of {', '.join(BASE)}")
    rng = np.random.default_rng(seed)
    low, high = DOMAINS[VARIANT]
    x = np.linspace(low, high, TRAIN_POINTS)[:, None]  # [N, 1]
    x_test = rng.uniform(low, high, (TEST_POINTS, 1))
    model = fit(
        torch.tensor(x, dtype=torch.float32),
        torch.tensor(target(VARIANT, x), dtype=torch.float32),
        seed,
        steps=STEPS,
        **{**BASE, factor: value},
    )
    with torch.no_grad():
        prediction = model(torch.tensor(x_test, dtype=torch.float32)).double().numpy()
    mse = float(np.mean((prediction - target(VARIANT, x_test)) ** 2))
    return min(math.log10(mse), DIVERGED) if math.isfinite(mse) else DIVERGED
    # END SOLUTION


# BEGIN SOLUTION
Row = tuple[str, int | float | str, int, float, float]


def sweep() -> list[Row]:
    """Train every cell: (factor, value, seed, metric, CPU seconds)."""
    torch.set_num_threads(1)  # so that CPU seconds can be compared
    rows = []
    for factor, values in SWEEP.items():
        for value in values:
            for seed in SEEDS:
                start = time.process_time()
                metric = run_cell(factor, value, seed)
                rows.append((factor, value, seed, metric, time.process_time() - start))
    return rows


def write_csv(rows: list[Row], path: Path) -> None:
    """Write one line a cell under the header COLUMNS."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for factor, value, seed, metric, cpu in rows:
            writer.writerow((factor, value, seed, f"{metric:.4f}", f"{cpu:.2f}"))


def draw(rows: list[Row], path: Path) -> None:
    """Draw one panel a factor: every seed a dot, and the line of the means."""
    import matplotlib.pyplot as plt  # here, because grading runs cells where nothing is drawn

    figure, panels = plt.subplots(1, len(SWEEP), figsize=(11, 3), sharey=True, layout="constrained")
    for panel, (factor, values) in zip(panels, SWEEP.items(), strict=True):
        cells = [[row[3] for row in rows if row[:2] == (factor, value)] for value in values]
        for place, metrics in enumerate(cells):
            panel.plot([place] * len(metrics), metrics, "o", color="tab:blue", alpha=0.5)
        panel.plot([np.mean(metrics) for metrics in cells], color="tab:blue")
        panel.set_xticks(range(len(values)), [str(value) for value in values], rotation=30)
        panel.set_xlabel(factor)
    panels[0].set_ylabel("log10 test MSE")
    figure.savefig(path, dpi=80)


# END SOLUTION


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    # BEGIN SOLUTION
    rows = sweep()
    write_csv(rows, Path("results.csv"))
    draw(rows, Path("plot.png"))
    # END SOLUTION


if __name__ == "__main__":
    main()
