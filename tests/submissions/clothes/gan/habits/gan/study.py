from __future__ import annotations

import argparse
import csv
import enum
import logging
import math
import time
from collections import defaultdict
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor

from .datasets import load
from .features import features
from .metrics import fid, statistics
from .model import fit_gaussian, train_images, train_ring

torch.set_num_threads(8)
log = logging.getLogger("gan.study")

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


class Factor(enum.Enum):
    RING_KIND = "ring_kind"
    RING_CRITIC_STEPS = "ring_critic_steps"
    RING_WEIGHT = "ring_weight"
    IMAGE_KIND = "image_kind"
    IMAGE_SCALE = "image_scale"
    DIVERGENCE = "divergence"


class Row(NamedTuple):
    factor: str
    value: object
    seed: int
    metric: float
    cpu_s: float


class Rules(NamedTuple):
    kind: str
    weight: float
    clip: float


def rules_of(kind, weight):
    match str(kind):
        case "penalty":
            return Rules("wgan", weight, 0.0)
        case "clip":
            return Rules("wgan", 0.0, CLIP)
        case other:
            return Rules(other, 0.0, 0.0)


def run_cell(factor: str, value: float | int | str, seed: int, data: dict[str, Tensor]) -> float:
    which = Factor(factor)
    settings = defaultdict(lambda: None, BASE)
    settings[which.value] = value
    rng = np.random.default_rng(seed)
    log.debug("%s = %s, seed %d", factor, value, seed)

    if which is Factor.DIVERGENCE:
        game = fit_gaussian(data["samples"], str(settings["divergence"]), seed, GAUSSIAN_STEPS)
        return np.abs(game.generator.sigma.detach().numpy()).item()

    if which in (Factor.RING_KIND, Factor.RING_CRITIC_STEPS, Factor.RING_WEIGHT):
        rules = rules_of(settings["ring_kind"], float(settings["ring_weight"]))
        game = train_ring(
            data["points"],
            rules.kind,
            seed,
            RING_STEPS,
            critic_steps=int(settings["ring_critic_steps"]),
            weight=rules.weight,
            clip=rules.clip,
        )
        z = torch.from_numpy(rng.standard_normal((SAMPLES, 2)))
        with torch.no_grad():
            return coverage(game.generator(z).to(data["centres"].dtype), data["centres"])

    rules = rules_of(settings["image_kind"], IMAGE_WEIGHT)
    game = train_images(
        data["x"],
        data["y"],
        seed,
        **rules._asdict(),
        scale=float(settings["image_scale"]),
        critic_steps=IMAGE_CRITIC_STEPS,
        total=IMAGE_STEPS,
    )
    z = torch.from_numpy(rng.standard_normal((len(data["test_y"]), 16)))
    with torch.no_grad():
        fake = game.generator(z, data["test_y"])
    return float(fid(*statistics(features(data["test_x"])), *statistics(features(fake))))


SWEEP = defaultdict(list)
SWEEP[Factor.RING_KIND] += ["penalty", "clip", "saturating"]
SWEEP[Factor.RING_CRITIC_STEPS] += [1, 3, 5]
SWEEP[Factor.RING_WEIGHT] += [0.1, 1.0, 10.0]
SWEEP[Factor.IMAGE_KIND] += ["penalty", "non_saturating", "lsgan"]
SWEEP[Factor.IMAGE_SCALE] += [1.0, 4.0, 16.0]
SWEEP[Factor.DIVERGENCE] += ["kl", "reverse_kl", "gan"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    args, _ = parser.parse_known_args()
    data, rows, means = load_data(IMAGES), [], defaultdict(lambda: defaultdict(list))
    for factor, values in SWEEP.items():
        for value in values:
            for seed in args.seeds:
                start = time.process_time()
                metric = run_cell(factor.value, value, seed, data)
                seconds = time.process_time() - start
                rows.append(Row(factor.value, value, seed, round(metric, 6), round(seconds, 3)))
                means[factor][str(value)].append(metric)
                log.info("%s", rows[-1])
    with open("results.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    figure, axes = plt.subplots(1, len(means), figsize=(15, 3))
    for axis, (factor, cells) in zip(axes, means.items()):
        bars = [np.mean(metrics) for metrics in cells.values()]
        axis.bar(list(cells), bars, yerr=[np.std(metrics) for metrics in cells.values()])
        axis.set_title(factor.value)
    figure.tight_layout()
    figure.savefig("plot.png", dpi=50)


if __name__ == "__main__":
    main()
