"""What the loss, the critic's steps, the penalty, the label and the divergence change.

``python -m gan.study`` trains every cell of SWEEP and writes results.csv and plot.png into the
current folder.
"""

from __future__ import annotations

import math
import time

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


def run_cell(factor: str, value: float | int | str, seed: int, data: dict[str, Tensor]) -> float:
    settings = {}
    for name in BASE:
        settings[name] = BASE[name]
    if factor not in settings:
        raise ValueError("unknown factor " + str(factor))
    settings[factor] = value
    noise = torch.Generator()
    noise.manual_seed(1000 + seed)

    if factor == "divergence":
        game = fit_gaussian(data["samples"], settings["divergence"], seed, GAUSSIAN_STEPS)
        sigma = game.generator.sigma.item()
        return sigma if sigma > 0 else -sigma

    if factor == "ring_kind" or factor == "ring_critic_steps" or factor == "ring_weight":
        kind, weight, clip = settings["ring_kind"], 0.0, 0.0
        if kind == "penalty":
            kind, weight = "wgan", settings["ring_weight"]
        elif kind == "clip":
            kind, clip = "wgan", CLIP
        steps = int(settings["ring_critic_steps"])
        game = train_ring(
            data["points"], kind, seed, RING_STEPS, critic_steps=steps, weight=weight, clip=clip
        )
        z = torch.randn(SAMPLES, 2, generator=noise)
        return coverage(game.generator(z).detach(), data["centres"])

    kind, weight, clip = settings["image_kind"], 0.0, 0.0
    if kind == "penalty":
        kind, weight = "wgan", IMAGE_WEIGHT
    elif kind == "clip":
        kind, clip = "wgan", CLIP
    game = train_images(
        data["x"],
        data["y"],
        seed,
        kind=kind,
        scale=settings["image_scale"],
        critic_steps=IMAGE_CRITIC_STEPS,
        weight=weight,
        clip=clip,
        total=IMAGE_STEPS,
    )
    parts = []
    for start in range(0, len(data["test_y"]), 100):
        labels = data["test_y"][start : start + 100]
        z = torch.randn(len(labels), 16, generator=noise)
        parts.append(game.generator(z, labels).detach())
    mean1, cov1 = statistics(features(torch.cat(parts)))
    mean2, cov2 = statistics(features(data["test_x"]))
    return fid(mean1, cov1, mean2, cov2)


def main() -> None:
    import matplotlib.pyplot as plt

    data = load_data(IMAGES)
    cells = []
    for kind in ("clip", "penalty", "non_saturating"):
        cells.append(("ring_kind", kind))
    for steps in (1, 3, 5):
        cells.append(("ring_critic_steps", steps))
    for weight in (0.1, 1, 10):
        cells.append(("ring_weight", weight))
    for kind in ("non_saturating", "lsgan", "penalty"):
        cells.append(("image_kind", kind))
    for scale in (1, 4, 16):
        cells.append(("image_scale", scale))
    for name in ("kl", "reverse_kl", "hellinger"):
        cells.append(("divergence", name))

    lines = [",".join(COLUMNS)]
    bars = {}
    for factor, value in cells:
        for seed in (1, 2, 3):
            start = time.process_time()
            metric = run_cell(factor, value, seed, data)
            seconds = time.process_time() - start
            lines.append("%s,%s,%d,%.5f,%.2f" % (factor, value, seed, metric, seconds))
            print(lines[-1], flush=True)
            bars.setdefault(factor, {}).setdefault(str(value), []).append(metric)
    with open("results.csv", "w") as file:
        for line in lines:
            file.write(line + "\n")
    place = 1
    plt.figure(figsize=(10, 6))
    for factor in bars:
        plt.subplot(2, 3, place)
        for value in bars[factor]:
            numbers = bars[factor][value]
            plt.bar(value, sum(numbers) / len(numbers))
            plt.plot([value] * len(numbers), numbers, "k.")
        plt.title(factor)
        place += 1
    plt.tight_layout()
    plt.savefig("plot.png", dpi=60)


if __name__ == "__main__":
    main()
