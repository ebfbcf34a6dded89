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

# BEGIN SOLUTION
SWEEP: dict[str, tuple[float | int | str, ...]] = {
    "self_loops": (0.0, 1.0, 4.0),
    "layers": (1, 2, 4, 8),
    "drop_edge": (0.0, 0.3, 0.7),
    "pair_norm": ("none", "PN", "PN-SI"),
    "activation": ("identity", "relu", "tanh"),
}
SEEDS = (0, 1, 2)


# END SOLUTION


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
    # BEGIN SOLUTION
    if task not in TASKS:
        raise ValueError(f"no task {task!r}; choose one of {', '.join(TASKS)}")
    if factor not in BASE:
        raise ValueError(f"no factor {factor!r}; choose one of {', '.join(BASE)}")
    settings = {**BASE, factor: value}
    x = row_normalise(data["x"])  # [n, d]
    if task == "node":
        return node_cell(x, data, seed, settings)
    return link_cell(x, data["edges"], seed, settings)
    # END SOLUTION


# BEGIN SOLUTION
Settings = dict[str, float | int | str]


@torch.no_grad()
def predict(model: torch.nn.Module, x: Tensor, edges: Tensor) -> Tensor:
    """Return the output of a trained network. Shapes: x [n, d], edges [E, 2] -> [n, k]."""
    return model(x, edges)


def node_cell(x: Tensor, data: dict[str, Tensor], seed: int, settings: Settings) -> float:
    """Return the accuracy, or the micro-F1 of several labels a node, on the test nodes."""
    edges, y, test = data["edges"], data["y"], data["test"]
    known = torch.full_like(y, -1)  # what training must not know it is not given
    known[data["train"]] = y[data["train"]]
    model = train_node(x, edges, known, data["train"], seed, epochs=EPOCHS, **settings)
    logits = predict(model, x, edges)[test]  # [m, classes]
    if y.ndim == 2:
        return micro_f1(logits, y[test])
    return float((logits.argmax(dim=1) == y[test]).double().mean())


def link_cell(x: Tensor, edges: Tensor, seed: int, settings: Settings) -> float:
    """Return the AUC on held-out edges and as many pairs that are none."""
    matched = GRAPH == "ppi-node2vec"
    split = split_edges(edges, len(x), torch.Generator().manual_seed(seed), matched=matched)
    model = train_link(x, split["train"], seed, epochs=EPOCHS, matched=matched, **settings)
    z = predict(model, x, split["train"])  # [n, dim]
    u, v = torch.cat([split["test"], split["test_neg"]]).T  # [2 m], [2 m]
    labels = torch.ones(len(u))
    labels[len(split["test"]) :] = 0
    return auc((z[u] * z[v]).sum(dim=1), labels)


Row = tuple[str, str, float | int | str, int, float, float]


def sweep() -> list[Row]:
    """Train every cell: (task, factor, value, seed, metric, CPU seconds).

    BASE is a cell of every factor; it is trained once a seed.
    """
    torch.set_num_threads(1)  # so that CPU seconds can be compared
    data = load_data(GRAPH)
    known: dict[tuple[str, str, int], tuple[float, float]] = {}
    rows = []
    for task in TASKS:
        for factor, values in SWEEP.items():
            for value in values:
                for seed in SEEDS:
                    cell = (task, str({**BASE, factor: value}), seed)
                    if cell not in known:
                        start = time.process_time()
                        metric = run_cell(task, factor, value, seed, data)
                        known[cell] = metric, time.process_time() - start
                    rows.append((task, factor, value, seed, *known[cell]))
    return rows


def write_csv(rows: list[Row], path: Path) -> None:
    """Write one line a cell under the header COLUMNS."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for *cell, metric, cpu in rows:
            writer.writerow((*cell, f"{metric:.4f}", f"{cpu:.2f}"))


def draw(rows: list[Row], path: Path) -> None:
    """Draw one panel a task and factor: every seed a dot, and the line of the means."""
    import matplotlib.pyplot as plt  # here, because grading runs cells where nothing is drawn

    size = (len(TASKS), len(SWEEP))
    figure, panels = plt.subplots(*size, figsize=(12, 5), sharey="row", layout="constrained")
    for line, task in zip(panels, TASKS, strict=True):
        for panel, (factor, values) in zip(line, SWEEP.items(), strict=True):
            cells = [[r[4] for r in rows if r[:3] == (task, factor, value)] for value in values]
            for place, metrics in enumerate(cells):
                panel.plot([place] * len(metrics), metrics, "o", color="tab:blue", alpha=0.5)
            panel.plot([np.mean(metrics) for metrics in cells], color="tab:blue")
            panel.set_xticks(range(len(values)), [str(value) for value in values])
            panel.set_xlabel(factor)
        line[0].set_ylabel("node: test score" if task == "node" else "link: test AUC")
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
