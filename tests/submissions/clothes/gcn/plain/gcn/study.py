"""What self-loops, depth, DropEdge, PairNorm and the activation change, on both tasks."""

from __future__ import annotations

import csv
import time
from pathlib import Path

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

SWEEP = {
    "self_loops": (0, 1, 10),
    "layers": (2, 4, 8),
    "drop_edge": (0, 0.2, 0.5),
    "pair_norm": ("none", "PN", "PN-SI"),
    "activation": ("identity", "relu", "tanh"),
}
SEEDS = (0, 1, 2)


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
    """Train one network on `data` and return how well it does on test."""
    if task not in TASKS:
        raise ValueError(f"unknown task {task!r}")
    if factor not in BASE:
        raise ValueError(f"unknown factor {factor!r}")
    settings = dict(BASE)
    settings[factor] = value
    x = row_normalise(data["x"].float())
    edges = data["edges"]
    if task == "node":
        y, train, test = data["y"], data["train"], data["test"]
        known = torch.full_like(y, -1)
        known[train] = y[train]
        net = train_node(x, edges, known, train, seed, epochs=EPOCHS, **settings)
        with torch.no_grad():
            out = net(x, edges)[test]
        if y.ndim == 2:
            return micro_f1(out, y[test])
        return float((out.argmax(dim=1) == y[test]).double().mean())
    matched = GRAPH == "ppi-node2vec"
    generator = torch.Generator().manual_seed(seed)
    parts = split_edges(edges, x.shape[0], generator, matched=matched)
    net = train_link(x, parts["train"], seed, epochs=EPOCHS, matched=matched, **settings)
    with torch.no_grad():
        z = net(x, parts["train"])
    pairs = torch.cat([parts["test"], parts["test_neg"]])
    labels = torch.cat([torch.ones(len(parts["test"])), torch.zeros(len(parts["test_neg"]))])
    return auc((z[pairs[:, 0]] * z[pairs[:, 1]]).sum(dim=1), labels)


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    data = load_data(GRAPH)
    rows = []
    for task in TASKS:
        for factor, values in SWEEP.items():
            for value in values:
                for seed in SEEDS:
                    start = time.process_time()
                    metric = run_cell(task, factor, value, seed, data)
                    seconds = time.process_time() - start
                    rows.append((task, factor, value, seed, f"{metric:.4f}", f"{seconds:.2f}"))
                    print(*rows[-1], flush=True)
    with Path("results.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    figure, axes = plt.subplots(2, 5, figsize=(12, 4), sharey="row")
    for line, task in zip(axes, TASKS):
        for axis, (factor, values) in zip(line, SWEEP.items()):
            for place, value in enumerate(values):
                chosen = [float(r[4]) for r in rows if r[:3] == (task, factor, value)]
                axis.plot([place] * len(chosen), chosen, "o")
            axis.set_xticks(range(len(values)), [str(v) for v in values])
            axis.set_title(factor)
        line[0].set_ylabel(task)
    figure.tight_layout()
    figure.savefig("plot.png", dpi=50)


if __name__ == "__main__":
    main()
