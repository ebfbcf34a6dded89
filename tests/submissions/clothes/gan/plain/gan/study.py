"""What the loss, the critic's steps, the penalty, the label and the divergence change.

``python -m gan.study`` trains every cell of SWEEP and writes results.csv and plot.png into the
current folder.
"""

from __future__ import annotations

import csv
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .datasets import load
from .features import features
from .metrics import fid, statistics
from .model import Game, fit_gaussian, train_images, train_ring

# The images of your term: mnist-5k or synthetic-digits. Your course page says which.
IMAGES = "mnist-5k"

# Of each factor the value that the others are changed from. A kind is one of LOSSES, or "clip" or
# "penalty": the game "wgan" with weights clipped to CLIP, or with a gradient penalty.
BASE = {
    "ring_kind": "penalty",
    "ring_critic_steps": 3,
    "ring_weight": 0.1,
    "image_kind": "penalty",
    "image_scale": 4.0,
    "divergence": "kl",
}
CLIP, IMAGE_WEIGHT, IMAGE_CRITIC_STEPS = 0.1, 1.0, 3
RING_STEPS, IMAGE_STEPS, GAUSSIAN_STEPS = 300, 200, 300  # of a cell
SAMPLES = 2000  # that a ring is judged by
RADIUS = 0.3  # of a mode of the ring: three standard deviations
COLUMNS = ("factor", "value", "seed", "metric", "cpu_s")


def load_data(name: str) -> dict[str, Tensor]:
    """Return what cells are trained on (given): images, a ring of Gaussians, a mixture of two.

    x [N, 196] from -1 to 1 and y [N], to train on; test_x [M, 196] and test_y [M]
    points [P, 2] around the centres [8, 2], with a standard deviation of 0.1
    samples [P, 1] of 0.65 N(-1.5, 0.36) + 0.35 N(1.5, 0.36)
    """
    images = load(name)
    data = {"x": shrink(images.train_x), "y": torch.tensor(images.train_y)}
    data |= {"test_x": shrink(images.test_x), "test_y": torch.tensor(images.test_y)}
    generator, count = torch.Generator().manual_seed(0), 20_000
    angles = torch.arange(8) * math.pi / 4
    centres = torch.stack([angles.cos(), angles.sin()], dim=1)
    rows = torch.randint(8, (count,), generator=generator)
    points = centres[rows] + 0.1 * torch.randn(count, 2, generator=generator)
    side = torch.where(torch.rand(count, 1, generator=generator) < 0.65, -1.5, 1.5)
    samples = side + 0.6 * torch.randn(count, 1, generator=generator)
    return data | {"points": points, "centres": centres, "samples": samples}


def shrink(images: np.ndarray) -> Tensor:
    """Return images of 28 pixels a side as 14 x 14 numbers from -1 to 1 (given).

    Shapes: uint8 [N, 1, 28, 28] -> float32 [N, 196].
    """
    small = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    return torch.tensor(small.reshape(-1, 196) / 127.5 - 1, dtype=torch.float32)


def coverage(points: Tensor, centres: Tensor, radius: float = RADIUS) -> float:
    """Return how much of a ring samples cover, from 0 to 1 (given).

    Of each of the m modes the share of samples in it counts, up to the 1/m that it should have:
    neither a mode that is left out nor one that is crowded is made up for by another.
    Shapes: points [n, d], centres [m, d].
    """
    distance, nearest = torch.cdist(points, centres).min(dim=1)  # [n], [n]
    counts = torch.bincount(nearest[distance <= radius], minlength=len(centres))  # [m]
    return float((counts / len(points)).clamp(max=1 / len(centres)).sum())


SWEEP = {
    "ring_kind": ("clip", "penalty", "lsgan"),
    "ring_critic_steps": (1, 3, 5),
    "ring_weight": (0.1, 1.0, 10.0),
    "image_kind": ("non_saturating", "penalty", "hinge"),
    "image_scale": (1.0, 4.0, 16.0),
    "divergence": ("kl", "reverse_kl", "js"),
}
SEEDS = (0, 1, 2)


def kind_options(kind, weight):
    """Return the keywords of a training for a kind of game."""
    if kind == "penalty":
        return {"kind": "wgan", "weight": weight, "clip": 0.0}
    if kind == "clip":
        return {"kind": "wgan", "weight": 0.0, "clip": CLIP}
    return {"kind": kind, "weight": 0.0, "clip": 0.0}


def run_cell(factor: str, value: float | int | str, seed: int, data: dict[str, Tensor]) -> float:
    """Train one game on `data` (see `load_data`) and return its metric."""
    if factor not in BASE:
        raise ValueError(f"unknown factor {factor!r}, expected one of {tuple(BASE)}")
    settings = {**BASE, factor: value}
    if factor == "divergence":
        game = fit_gaussian(data["samples"], settings["divergence"], seed, GAUSSIAN_STEPS)
        return abs(game.generator.sigma.item())
    if factor.startswith("ring_"):
        return ring_cell(settings, seed, data)
    return image_cell(settings, seed, data)


def ring_cell(settings, seed, data):
    game = train_ring(
        data["points"],
        seed=seed,
        steps=RING_STEPS,
        critic_steps=int(settings["ring_critic_steps"]),
        **kind_options(settings["ring_kind"], float(settings["ring_weight"])),
    )
    noise = torch.randn(SAMPLES, 2, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return coverage(game.generator(noise), data["centres"])


def image_cell(settings, seed, data):
    game = train_images(
        data["x"],
        data["y"],
        seed,
        scale=float(settings["image_scale"]),
        critic_steps=IMAGE_CRITIC_STEPS,
        total=IMAGE_STEPS,
        **kind_options(settings["image_kind"], IMAGE_WEIGHT),
    )
    labels = data["test_y"]
    noise = torch.randn(len(labels), 16, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        fake = game.generator(noise, labels)
    return fid(*statistics(features(data["test_x"])), *statistics(features(fake)))


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    data = load_data(IMAGES)
    known = {}  # cells of the base stand in several factors, and are trained once
    rows = []
    for factor, values in SWEEP.items():
        for value in values:
            for seed in SEEDS:
                game = factor.split("_")[0]
                cell = (game, seed) if value == BASE[factor] else (factor, value, seed)
                if cell not in known:
                    start = time.process_time()
                    metric = run_cell(factor, value, seed, data)
                    known[cell] = (metric, time.process_time() - start)
                metric, seconds = known[cell]
                rows.append((factor, value, seed, f"{metric:.6f}", f"{seconds:.2f}"))
                print(*rows[-1], flush=True)
    with Path("results.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    figure, axes = plt.subplots(2, 3, figsize=(10, 6))
    for axis, (factor, values) in zip(axes.flat, SWEEP.items()):
        for place, value in enumerate(values):
            metrics = [float(row[3]) for row in rows if row[:2] == (factor, value)]
            axis.plot([place] * len(metrics), metrics, "o")
        axis.set_xticks(range(len(values)), [str(value) for value in values])
        axis.set_title(factor)
    for axis, label in zip(axes.flat, ("coverage",) * 3 + ("FID",) * 2 + ("sigma",)):
        axis.set_ylabel(label)
    figure.tight_layout()
    figure.savefig("plot.png", dpi=60)


if __name__ == "__main__":
    main()
