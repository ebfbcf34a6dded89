"""What the loss, the critic's steps, the penalty, the label and the divergence change.

``python -m gan.study`` trains every cell of your sweep and writes results.csv and plot.png into the
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

# BEGIN SOLUTION
SWEEP: dict[str, tuple[float | int | str, ...]] = {
    "ring_kind": ("non_saturating", "lsgan", "clip", "penalty"),
    "ring_critic_steps": (1, 3, 5),
    "ring_weight": (0.1, 1.0, 10.0),
    "image_kind": ("non_saturating", "clip", "penalty"),
    "image_scale": (1.0, 4.0, 16.0),
    "divergence": ("kl", "reverse_kl", "js"),
}
SEEDS = (0, 1, 2)


# END SOLUTION


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


def run_cell(factor: str, value: float | int | str, seed: int, data: dict[str, Tensor]) -> float:
    """Train one game on `data` (see `load_data`) and return its metric.

    All settings are BASE's but for `factor`, which is set to `value`. Only the kind "penalty" has
    a gradient penalty; all others have the weight 0.
    ring_...    `train_ring` on the points, RING_STEPS steps; the metric is the `coverage` of the
                centres by SAMPLES samples
    image_...   `train_images` on x and y, total = IMAGE_STEPS and IMAGE_CRITIC_STEPS, "penalty"
                with IMAGE_WEIGHT; the metric is the FID of samples with the labels test_y, as many
                as there are, beside test_x, in `features`
    divergence  `fit_gaussian` on the samples, GAUSSIAN_STEPS steps; the metric is |sigma|
    `seed` is the training's, and decides all else that is drawn: the same call gives the same
    number. No game is trained, chosen or stopped by what is measured. Any sensible `value` must
    work, not only those of your sweep, and any data. Raises ValueError for an unknown factor.
    """
    # BEGIN SOLUTION
    if factor not in BASE:
        raise ValueError(f"no factor {factor!r}; choose one of {', '.join(BASE)}")
    settings = {**BASE, factor: value}
    if factor == "divergence":
        game = fit_gaussian(data["samples"], str(value), seed, GAUSSIAN_STEPS)
        return abs(float(game.generator.sigma.detach()))
    if factor.startswith("ring_"):
        return ring_cell(data, seed, settings)
    return image_cell(data, seed, settings)
    # END SOLUTION


# BEGIN SOLUTION
Settings = dict[str, float | int | str]


def game_of(kind: str, weight: float) -> Settings:
    """Return the arguments of a game by the study's name for it."""
    if kind == "clip":
        return {"kind": "wgan", "clip": CLIP, "weight": 0.0}
    return (
        {"kind": "wgan", "weight": weight} if kind == "penalty" else {"kind": kind, "weight": 0.0}
    )


def ring_cell(data: dict[str, Tensor], seed: int, settings: Settings) -> float:
    """Return how much of the ring a game's samples cover."""
    chosen = game_of(settings["ring_kind"], settings["ring_weight"])
    game = train_ring(
        data["points"], seed=seed, steps=RING_STEPS,
        critic_steps=settings["ring_critic_steps"], **chosen,
    )  # fmt: skip
    return coverage(sample(game, SAMPLES, 2, seed), data["centres"])


def image_cell(data: dict[str, Tensor], seed: int, settings: Settings) -> float:
    """Return the FID of a game's samples beside test images."""
    game = train_images(
        data["x"], data["y"], seed, critic_steps=IMAGE_CRITIC_STEPS, total=IMAGE_STEPS,
        scale=settings["image_scale"], **game_of(settings["image_kind"], IMAGE_WEIGHT),
    )  # fmt: skip
    fake = sample(game, len(data["test_y"]), 16, seed, data["test_y"])
    return fid(*statistics(features(data["test_x"])), *statistics(features(fake)))


@torch.no_grad()
def sample(game: Game, count: int, z: int, seed: int, y: Tensor | None = None) -> Tensor:
    """Return samples of a game's generator. Shapes: y [count] or None -> [count, d]."""
    noise = torch.randn(count, z, generator=torch.Generator().manual_seed(seed))
    return game.generator(noise, y)


Row = tuple[str, float | int | str, int, float, float]


def sweep() -> list[Row]:
    """Train every cell: (factor, value, seed, metric, CPU seconds).

    The base is a cell of several factors; it is trained once a seed and kind of data.
    """
    torch.set_num_threads(1)  # so that CPU seconds can be compared
    data = load_data(IMAGES)
    known: dict[tuple[str, str, int], tuple[float, float]] = {}
    rows = []
    for factor, values in SWEEP.items():
        for value in values:
            for seed in SEEDS:
                cell = (factor.partition("_")[0], str({**BASE, factor: value}), seed)
                if cell not in known:
                    start = time.process_time()
                    metric = run_cell(factor, value, seed, data)
                    known[cell] = metric, time.process_time() - start
                rows.append((factor, value, seed, *known[cell]))
    return rows


def write_csv(rows: list[Row], path: Path) -> None:
    """Write one line a cell under the header COLUMNS."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for *cell, metric, cpu in rows:
            writer.writerow((*cell, f"{metric:.4f}", f"{cpu:.2f}"))


def draw(rows: list[Row], path: Path) -> None:
    """Draw one panel a factor: every seed a dot, and the line of the means."""
    import matplotlib.pyplot as plt  # here, because grading runs cells where nothing is drawn

    figure, panels = plt.subplots(2, 3, figsize=(12, 6), layout="constrained")
    for panel, (factor, values) in zip(panels.flat, SWEEP.items(), strict=True):
        cells = [[row[3] for row in rows if row[:2] == (factor, value)] for value in values]
        for place, metrics in enumerate(cells):
            panel.plot([place] * len(metrics), metrics, "o", color="tab:blue", alpha=0.5)
        panel.plot([np.mean(metrics) for metrics in cells], color="tab:blue")
        panel.set_xticks(range(len(values)), [str(value) for value in values])
        panel.set_xlabel(factor)
        what = {"ring": "coverage", "image": "FID"}.get(factor.partition("_")[0], "sigma")
        panel.set_ylabel(what)
        if what == "FID":
            panel.set_yscale("log")
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
