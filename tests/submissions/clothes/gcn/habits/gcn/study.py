from __future__ import annotations

import argparse
import csv
import enum
import logging
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import matplotlib
import numpy as np
import torch
from torch import Tensor

from .datasets import load
from .layers import auc, row_normalise, split_edges
from .model import train_link, train_node

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

logging.getLogger().setLevel(logging.INFO)
GRAPH = "cora"
EPOCHS = 100

parser = argparse.ArgumentParser()
parser.add_argument("--seeds", nargs="*", type=int, default=[11, 22, 33])
OPTIONS = parser.parse_known_args()[0]


class Task(enum.Enum):
    NODE = "node"
    LINK = "link"


@dataclass(frozen=True)
class Setting:
    self_loops: float = 1.0
    layers: int = 2
    drop_edge: float = 0.0
    pair_norm: str = "none"
    activation: str = "relu"

    def but(self, factor, value):
        if factor not in asdict(self):
            raise ValueError(f"no factor {factor}")
        return replace(self, **{factor: value})


class Row(NamedTuple):
    task: str
    factor: str
    value: object
    seed: int
    metric: float
    cpu_s: float


def load_data(name: str) -> dict[str, Tensor]:
    """Read a graph as tensors (given): x [n, d], y [n] or [n, L], edges [E, 2], train, val, test."""
    graph = load(name)
    names = ("x", "y", "edges", "train", "val", "test")
    return {name: torch.from_numpy(getattr(graph, name)) for name in names}


def micro_f1(logits: Tensor, y: Tensor) -> float:
    """Return the micro-averaged F1 of labels with a score a label (given)."""
    ranks = logits.argsort(dim=1, descending=True).argsort(dim=1)  # [m, L], 0 for the largest
    chosen = ranks < y.sum(dim=1, keepdim=True)  # [m, L]
    return float((y * chosen).sum() / y.sum())


def run_cell(task: str, factor: str, value, seed: int, data: dict[str, Tensor]) -> float:
    which = Task(task)
    options = asdict(Setting().but(factor, value))
    x = row_normalise(data["x"])
    if which is Task.NODE:
        hidden = torch.full_like(data["y"], -1)
        hidden[data["train"]] = data["y"][data["train"]]
        net = train_node(x, data["edges"], hidden, data["train"], seed, epochs=EPOCHS, **options)
        with torch.no_grad():
            out = net(x, data["edges"])[data["test"]]
        y = data["y"][data["test"]]
        result = micro_f1(out, y) if y.ndim == 2 else np.mean((out.argmax(1) == y).numpy())
    else:
        matched = GRAPH.startswith("ppi")
        generator = torch.Generator()
        generator.manual_seed(seed)
        parts = split_edges(data["edges"], len(x), generator, matched=matched)
        net = train_link(x, parts["train"], seed, epochs=EPOCHS, matched=matched, **options)
        with torch.no_grad():
            z = net(x, parts["train"])
        everything = torch.cat([parts["test"], parts["test_neg"]])
        labels = (torch.arange(len(everything)) < len(parts["test"])).int()
        result = auc((z[everything[:, 0]] * z[everything[:, 1]]).sum(-1), labels)
    print(f"{task} {factor}={value} seed {seed}: {result:.4f}", flush=True)
    return float(result)


SWEEP = defaultdict(
    list,
    self_loops=[0, 1, 3],
    layers=[2, 5, 8],
    drop_edge=[0.0, 0.1, 0.3],
    pair_norm=["none", "PN", "PN-SI"],
    activation=["identity", "relu", "tanh"],
)


def main() -> None:
    data, base, rows = load_data(GRAPH), {}, []
    for task in Task:
        for seed in OPTIONS.seeds:
            for factor, values in SWEEP.items():
                for value in values:
                    is_base = Setting().but(factor, value) == Setting()
                    if not (is_base and (task, seed) in base):
                        start = time.process_time()
                        metric = run_cell(task.value, factor, value, seed, data)
                        done = (metric, time.process_time() - start)
                        if is_base:
                            base[task, seed] = done
                    if is_base:
                        done = base[task, seed]
                    rows.append(Row(task.value, factor, value, seed, *done))
    with open("results.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Row._fields)
        writer.writerows(rows)
    figure, axis = plt.subplots(figsize=(8, 4))
    for task in Task:
        mine = [r for r in rows if r.task == task.value]
        axis.plot([f"{r.factor}={r.value}" for r in mine], [r.metric for r in mine], "x", label=task)
    axis.tick_params(axis="x", rotation=80)
    axis.legend()
    figure.tight_layout()
    figure.savefig("plot.png", dpi=40)


if __name__ == "__main__":
    main()
