"""Measure what `fnn`'s factors change after 2,000 steps, from two starts, side by side.

    python bench/fnn_factors.py --seeds 5

Each cell of the sweep is trained twice for each seed: as the reference starts, with the units of
the first layer spread over the domain, and as PyTorch starts. The learning rate falls along a half
cosine, or is held. Prints log10 of the MSE on fresh points, mean and sd over the seeds, as the
table of docs/labs/fnn.md has it.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reference.fnn import study
from reference.fnn.model import FNN, Scaled, descend, loss, spread_first_layer

STEPS = 2000
HELD = "learning_rate, held"
RATES = (1e-4, 1e-3, 3e-2, 1e-1, 1.0)
SWEEP: dict[str, tuple[int | float | str, ...]] = {
    "activation": ("tanh", "identity"),
    "width": (4, 8, 16, 32, 128),
    "learning_rate": RATES,
    HELD: RATES,
    "depth": (1, 3, 4, 6),
}
Start = Callable[[FNN], None]
STARTS: dict[str, Start] = {"spread": spread_first_layer, "PyTorch's": lambda network: None}


def hold(model: Scaled, x: torch.Tensor, y: torch.Tensor, rate: float, steps: int) -> None:
    """Run Adam on all points at once, the learning rate held."""
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(model, x, y).backward()
        optimiser.step()


def metric(factor: str, value: int | float | str, start: Start, seed: int) -> float:
    """Train one network and return log10 of its MSE on fresh points."""
    settings: dict[str, Any] = {**study.BASE, factor.partition(",")[0]: value}
    train = hold if factor == HELD else descend
    low, high = study.DOMAINS["sincos"]
    x = np.linspace(low, high, study.TRAIN_POINTS)[:, None]  # [N, 1]
    x_test = np.random.default_rng(seed).uniform(low, high, (study.TEST_POINTS, 1))
    inputs = torch.tensor(x, dtype=torch.float32)
    labels = torch.tensor(study.target("sincos", x), dtype=torch.float32)
    torch.manual_seed(seed)
    network = FNN(settings["depth"], settings["width"], settings["activation"])
    start(network)
    model = Scaled(network, inputs, labels)
    train(model, inputs, labels, settings["learning_rate"], STEPS)
    with torch.no_grad():
        prediction = model(torch.tensor(x_test, dtype=torch.float32)).double().numpy()
    mse = float(np.mean((prediction - study.target("sincos", x_test)) ** 2))
    return min(math.log10(mse), study.DIVERGED) if math.isfinite(mse) else study.DIVERGED


def main() -> None:
    """Run every cell and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    torch.set_num_threads(1)
    cells = [(factor, value) for factor, values in SWEEP.items() for value in values]
    print("| factor | value | " + " | ".join(f"{name} start" for name in STARTS) + " |")
    print("|---|---|" + "---|" * len(STARTS))
    for factor, value in cells:
        columns = []
        for start in STARTS.values():
            found = [metric(factor, value, start, seed) for seed in seeds]
            spread = statistics.stdev(found) if len(found) > 1 else math.nan
            columns.append(f"{statistics.fmean(found):.2f} +- {spread:.2f}")
        print(f"| {factor} | {value} | " + " | ".join(columns) + " |", flush=True)


if __name__ == "__main__":
    main()
