"""Measure what shortcuts, depth and normalisation do to `cnn`'s networks on any set of images.

    python bench/cnn_figures.py --images image-folder:PATH --size 14 --train 4000 --epochs 5

The reference's recipe trains each network once a seed. Prints per cent of the test images, mean
and sd over the seeds, and the CPU seconds of one training and its score.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from pathlib import Path

import torch

from grader.grading.reference import load_reference
from grader.lab.catalogue import Catalogue

LAB = Catalogue(Path(__file__).resolve().parents[1]).get("cnn")
CNN = load_reference(LAB.reference, LAB.assignment)

NETWORKS = {  # depth, norm, shortcuts
    "residual-8": (8, "batch", True),
    "residual-20": (20, "batch", True),
    "plain-20": (20, "batch", False),
    "plain-20 without normalisation": (20, "none", False),
}


def main() -> None:
    """Train every network and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--images", default="tiny-imagenet-10", help="the name of a set of images")
    parser.add_argument("--size", type=int, default=16, help="pixels a side")
    parser.add_argument("--train", type=int, default=4000, help="images to train on")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    images = CNN.datasets.load(options.images, size=options.size)
    order = torch.randperm(len(images.train_x), generator=torch.Generator().manual_seed(0))
    chosen = order[: options.train]
    train_x, train_y = (torch.tensor(part)[chosen] for part in (images.train_x, images.train_y))
    test_x, test_y = torch.tensor(images.test_x), torch.tensor(images.test_y)
    print(f"| {len(chosen)} images, {options.epochs} epochs | per cent | CPU s |\n|---|---|---|")
    for name, (depth, norm, residual) in NETWORKS.items():
        start, found = time.process_time(), []
        for seed in range(options.seeds):
            torch.manual_seed(seed)
            model = CNN.model.build(depth, norm, 0.0, residual, len(images.classes))
            CNN.model.train(model, train_x, train_y, seed, epochs=options.epochs)
            found.append(CNN.study.accuracy(model, test_x, test_y))
        seconds = (time.process_time() - start) / len(found)
        spread = statistics.stdev(found) if len(found) > 1 else math.nan
        print(f"| {name} | {statistics.fmean(found):.1f} +- {spread:.1f} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
