from __future__ import annotations

import csv
import itertools
import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .datasets import load
from .features import features
from .metrics import fid, statistics
from .model import fit_gaussian, train_images, train_ring

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


class Kind:
    """What a kind's name means for a training."""

    def __init__(self, name, weight):
        self.name, self.weight = name, weight

    def options(self):
        special = {
            "clip": {"kind": "wgan", "clip": CLIP, "weight": 0.0},
            "penalty": {"kind": "wgan", "clip": 0.0, "weight": self.weight},
        }
        return special.get(self.name, {"kind": self.name, "clip": 0.0, "weight": 0.0})


class Cell:
    """Settings of the base, one changed; subclasses train and measure."""

    def __init__(self, seed, data, changed):
        self.seed, self.data = seed, data
        self.settings = BASE | changed

    @staticmethod
    def of(factor, value, seed, data):
        if factor not in BASE:
            raise ValueError(f"No factor {factor!r}")
        kinds = {"ring": RingCell, "image": ImageCell, "divergence": GaussianCell}
        return kinds[factor.partition("_")[0]](seed, data, {factor: value})

    def sample(self, generator, n, z, labels=None):
        source = torch.Generator().manual_seed(self.seed + 77)
        with torch.no_grad():
            return generator(torch.randn(n, z, generator=source), labels)


class RingCell(Cell):
    def measure(self):
        kind = Kind(self.settings["ring_kind"], self.settings["ring_weight"])
        game = train_ring(
            self.data["points"],
            seed=self.seed,
            steps=RING_STEPS,
            critic_steps=int(self.settings["ring_critic_steps"]),
            **kind.options(),
        )
        return coverage(self.sample(game.generator, SAMPLES, 2), self.data["centres"])


class ImageCell(Cell):
    def measure(self):
        kind = Kind(self.settings["image_kind"], IMAGE_WEIGHT)
        game = train_images(
            self.data["x"],
            self.data["y"],
            self.seed,
            scale=self.settings["image_scale"],
            critic_steps=IMAGE_CRITIC_STEPS,
            total=IMAGE_STEPS,
            **kind.options(),
        )
        labels = self.data["test_y"]
        fakes = self.sample(game.generator, len(labels), 16, labels)
        ours, theirs = (statistics(features(x)) for x in (fakes, self.data["test_x"]))
        return fid(*ours, *theirs)


class GaussianCell(Cell):
    def measure(self):
        name = self.settings["divergence"]
        game = fit_gaussian(self.data["samples"], name, self.seed, GAUSSIAN_STEPS)
        return game.generator.sigma.abs().item()


def run_cell(factor: str, value: float | int | str, seed: int, data: dict[str, Tensor]) -> float:
    return Cell.of(factor, value, seed, data).measure()


@dataclass
class Row:
    factor: str
    value: float | int | str
    seed: int
    metric: float
    cpu_s: float


class Sweep:
    values = {
        "ring_kind": ["clip", "penalty", "hinge"],
        "ring_critic_steps": [1, 3, 5],
        "ring_weight": [0.1, 1.0, 10.0],
        "image_kind": ["non_saturating", "penalty", "clip"],
        "image_scale": [1.0, 4.0, 16.0],
        "divergence": ["kl", "reverse_kl", "pearson"],
    }
    seeds = (10, 11, 12)

    def __init__(self, data):
        self.data, self.rows = data, []

    def run(self):
        for factor, values in self.values.items():
            for value, seed in itertools.product(values, self.seeds):
                start = time.process_time()
                metric = run_cell(factor, value, seed, self.data)
                self.rows.append(Row(factor, value, seed, metric, time.process_time() - start))
                print(self.rows[-1], flush=True)

    def write(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            for row in self.rows:
                numbers = {"metric": f"{row.metric:.6f}", "cpu_s": round(row.cpu_s, 2)}
                writer.writerow(vars(row) | numbers)

    def plot(self, path):
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(2, 3, figsize=(10, 6))
        for axis, factor in zip(axes.flat, self.values):
            own = [row for row in self.rows if row.factor == factor]
            axis.plot([str(row.value) for row in own], [row.metric for row in own], "x")
            axis.set_title(factor)
        figure.tight_layout()
        figure.savefig(path, dpi=60)


def main() -> None:
    import matplotlib

    matplotlib.use("Agg")
    sweep = Sweep(load_data(IMAGES))
    sweep.run()
    sweep.write("results.csv")
    sweep.plot("plot.png")


if __name__ == "__main__":
    main()
