"""What self-loops, depth, DropEdge, PairNorm and the activation change, on both tasks.

``python -m gcn.study`` trains every cell of SWEEP and writes results.csv and plot.png into the
current folder.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .datasets import load
from .layers import auc, row_normalise, split_edges
from .model import train_link, train_node

# The graph of your term: cora, citeseer, ppi-node2vec or synthetic-cora. Your course page says
# which.
GRAPH = "cora"

TASKS = ("node", "link")
BASE = {
    "self_loops": 1.0,
    "layers": 2,
    "drop_edge": 0.0,
    "pair_norm": "none",
    "activation": "relu",
}
EPOCHS = 100
COLUMNS = ("task", "factor", "value", "seed", "metric", "cpu_s")


def load_data(name: str) -> dict[str, Tensor]:
    """Read a graph as tensors (given): x [n, d], y [n] or [n, L], edges [E, 2], train, val, test.

    x holds the words as they are stored, 0 and 1: `run_cell` divides each row by its sum.
    """
    graph = load(name)
    names = ("x", "y", "edges", "train", "val", "test")
    return {name: torch.from_numpy(getattr(graph, name)) for name in names}


def micro_f1(logits: Tensor, y: Tensor) -> float:
    """Return the micro-averaged F1 of labels with a score a label (given).

    A node that bears k labels is given the k labels of its largest logits, so that F1, precision
    and recall are one number. Shapes: logits [m, L], y [m, L] of 0 and 1.
    Source: Grover and Leskovec 2016, sec. 4.3.
    """
    ranks = logits.argsort(dim=1, descending=True).argsort(dim=1)  # [m, L], 0 for the largest
    chosen = ranks < y.sum(dim=1, keepdim=True)  # [m, L]
    return float((y * chosen).sum() / y.sum())


def run_cell(
    task: str, factor: str, value: float | int | str, seed: int, data: dict[str, Tensor]
) -> float:
    """Train one network on `data` (see `load_data`) and return how well it does on test.

    The network has BASE's settings but for `factor`, which is set to `value`, and is trained for
    EPOCHS epochs by `train_node` or `train_link` with your defaults for all the rest.
    node   train on the labels of `train`; the metric is the accuracy on `test`, or `micro_f1`
           where y has a column a label
    link   split all edges by `split_edges` with a generator of this seed, 85/5/10, matched
           negatives if GRAPH is ppi-node2vec; train on the edges of train; the metric is the AUC
           of inner products on test and test_neg
    `seed` decides the weights, the split and all else: the same call gives the same number.
    Nothing may be trained, chosen or stopped by what is measured: not by the labels of `test`,
    nor by edges of test. `factor` is one of BASE; any sensible `value` must work, not only those
    of your sweep, and any graph. One cell takes at most 10 CPU seconds.
    Raises ValueError if there is no task or factor of that name.
    """
    raise NotImplementedError("run_cell is not written yet")


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    raise NotImplementedError("main is not written yet")


if __name__ == "__main__":
    main()
