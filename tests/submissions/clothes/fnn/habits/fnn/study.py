from __future__ import annotations

import argparse
import csv
import enum
import logging
import math
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import matplotlib
import numpy as np
import torch

from .model import fit

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

logging.basicConfig(level=logging.DEBUG)
logging.getLogger("matplotlib").setLevel(logging.WARNING)

VARIANT = "sincos"
DOMAINS = {"sincos": (0.0, 2 * math.pi), "log2cos": (1.0, 16.0), "sin": (0.0, 2 * math.pi)}
STEPS = 500
TRAIN_POINTS = 512
TEST_POINTS = 1000
DIVERGED = 3.0

parser = argparse.ArgumentParser()
parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
args, _ = parser.parse_known_args()


@dataclass(frozen=True)
class Base:
    depth: int = 2
    width: int = 64
    learning_rate: float = 1e-2
    activation: str = "tanh"


class Factor(enum.Enum):
    DEPTH = "depth"
    WIDTH = "width"
    LEARNING_RATE = "learning_rate"
    ACTIVATION = "activation"


class Row(NamedTuple):
    factor: str
    value: object
    seed: int
    metric: float
    cpu_s: float


def target(variant: str, x: np.ndarray) -> np.ndarray:
    """Return the function of a term at x (given). Shapes: any -> the same."""
    if variant == "sincos":
        return np.sin(x) + np.cos(x) + np.sin(x) * np.cos(x)
    if variant == "log2cos":
        return np.log2(x) + np.cos(np.pi * x / 2)
    if variant == "sin":
        return np.sin(x)
    raise ValueError(f"no variant {variant!r}; choose one of {', '.join(DOMAINS)}")


def run_cell(factor: str, value, seed: int) -> float:
    settings = replace(Base(), **{Factor(factor).value: value})
    rng = np.random.Generator(np.random.PCG64(seed))
    train = np.linspace(*DOMAINS[VARIANT], TRAIN_POINTS)[:, np.newaxis]
    test = rng.uniform(*DOMAINS[VARIANT], size=(TEST_POINTS, 1))
    model = fit(
        torch.as_tensor(train, dtype=torch.float32),
        torch.as_tensor(target(VARIANT, train), dtype=torch.float32),
        seed,
        steps=STEPS,
        **asdict(settings),
    )
    model.eval()
    with torch.no_grad():
        guess = model(torch.as_tensor(test, dtype=torch.float32)).double().numpy()
    with np.errstate(all="ignore"):
        result = np.log10(np.mean((guess - target(VARIANT, test)) ** 2))
    print(factor, value, seed, result)
    return float(np.nan_to_num(np.clip(result, -30, DIVERGED), nan=DIVERGED))


SWEEP = defaultdict(list)
SWEEP[Factor.DEPTH] += [1, 2, 3]
SWEEP[Factor.WIDTH] += [4, 8, 64]
SWEEP[Factor.LEARNING_RATE] += [1e-4, 1e-2, 1.0]
SWEEP[Factor.ACTIVATION] += ["identity", "tanh", "softplus"]


def main() -> None:
    rows = []
    for factor, values in SWEEP.items():
        for seed in args.seeds:
            for value in values:
                start = time.process_time()
                metric = run_cell(factor.value, value, seed)
                rows.append(Row(factor.value, value, seed, metric, time.process_time() - start))
    with open("results.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, Row._fields)
        writer.writeheader()
        writer.writerows(row._asdict() for row in rows)
    figure, axis = plt.subplots()
    for factor in SWEEP:
        means = [
            np.mean([r.metric for r in rows if r.factor == factor.value and r.value == value])
            for value in SWEEP[factor]
        ]
        axis.plot(means, label=factor.name)
    axis.legend()
    figure.savefig("plot.png", dpi=40)


if __name__ == "__main__":
    main()
