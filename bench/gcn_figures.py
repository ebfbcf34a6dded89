"""Measure the figures of `gcn` that docs/labs/gcn.md has beside published ones.

    GRADER_DATA=... python bench/gcn_figures.py --seeds 10

The reference with its defaults is trained once a seed on each graph and task, and then with one
setting changed. Prints mean and sd over the seeds in per cent, and the CPU seconds of one training
and its scores.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from grader.grading.reference import load_reference
from grader.lab.catalogue import Catalogue

LAB = Catalogue(Path(__file__).resolve().parents[1]).get("gcn")
GCN = load_reference(LAB.reference, LAB.assignment)

PROTEINS = "ppi-node2vec"
GRAPHS = ("cora", "citeseer", PROTEINS)
Data = dict[str, torch.Tensor]
Figures = dict[str, float]
Settings = dict[str, Any]
Measure = Callable[[str, Data, int, Settings], Figures]

UNREGULARISED = {"dropout": 0.0, "weight_decay": 0.0}
DEEP = {"layers": 16, "hidden": 64, **UNREGULARISED}  # dropout in 16 layers leaves no signal


def nodes(graph: str, data: Data, seed: int, settings: Settings) -> Figures:
    """Train on the public split and return the share of test nodes that is right."""
    x, edges, y, test = GCN.layers.row_normalise(data["x"]), data["edges"], data["y"], data["test"]
    options = {"hidden": 64} if graph == PROTEINS else {}
    model = GCN.model.train_node(x, edges, y, data["train"], seed, **options, **settings)
    logits = GCN.study.predict(model, x, edges)[test]
    if y.ndim == 2:
        return {"micro-F1": GCN.study.micro_f1(logits, y[test])}
    return {"accuracy": float((logits.argmax(dim=1) == y[test]).double().mean())}


def links(graph: str, data: Data, seed: int, settings: Settings) -> Figures:
    """Hold edges back, train on the others and score what was held back.

    With the setting "leak" nothing is held back from A: the mistake that the suite must catch.
    "AUC of degrees" is that of a node's number of training edges times the other's: of no network.
    """
    settings = dict(settings)
    x, edges = GCN.layers.row_normalise(data["x"]), data["edges"]
    matched = graph == PROTEINS
    split = GCN.layers.split_edges(
        edges, len(x), torch.Generator().manual_seed(seed), matched=matched
    )
    known = edges if settings.pop("leak", False) else split["train"]
    model = GCN.model.train_link(x, known, seed, matched=matched, **settings)
    z = GCN.study.predict(model, x, known)
    u, v = torch.cat([split["test"], split["test_neg"]]).T
    labels = torch.ones(len(u))
    labels[len(split["test"]) :] = 0
    scores = (z[u] * z[v]).sum(dim=1)
    degrees = torch.bincount(split["train"].flatten(), minlength=len(x)).double()
    return {
        "AUC": GCN.layers.auc(scores, labels),
        "AP": GCN.layers.average_precision(scores, labels),
        "AUC of degrees": GCN.layers.auc(degrees[u] * degrees[v], labels),
    }


# What is changed, on which graphs; the study's own table is of half as many epochs.
CHANGES: tuple[tuple[Measure, tuple[str, ...], str, Settings], ...] = (
    (nodes, GRAPHS, "", {}),
    (links, GRAPHS, "", {}),
    (nodes, ("cora", "citeseer"), "no self-loops", {"self_loops": 0.0}),
    (nodes, ("cora", "citeseer"), "no dropout, no decay", UNREGULARISED),
    (nodes, ("cora",), "16 layers of 64", DEEP),
    (nodes, ("cora",), "16 layers of 64, PN-SI", {**DEEP, "pair_norm": "PN-SI"}),
    (links, ("citeseer",), "no self-loops", {"self_loops": 0.0}),
    (links, ("cora",), "4 layers", {"layers": 4}),
    (links, ("cora",), "held-out edges left in A", {"leak": True}),
)


def report(
    measure: Measure, graph: str, change: str, settings: Settings, seeds: Sequence[int]
) -> None:
    """Print one line a figure."""
    data = GCN.study.load_data(graph)
    start = time.process_time()
    found = [measure(graph, data, seed, settings) for seed in seeds]
    seconds = (time.process_time() - start) / len(seeds)
    for name in found[0]:
        values = [100 * figures[name] for figures in found]
        spread = statistics.stdev(values) if len(values) > 1 else math.nan
        what = ", ".join(filter(None, (graph, change, name)))
        print(
            f"| {what} | {statistics.fmean(values):.2f} +- {spread:.2f} | {seconds:.1f} |",
            flush=True,
        )


def main() -> None:
    """Train every network and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    seeds = range(parser.parse_args().seeds)
    torch.set_num_threads(1)
    print("| figure | per cent | CPU s |\n|---|---|---|")
    for measure, graphs, change, settings in CHANGES:
        for graph in graphs:
            report(measure, graph, change, settings, seeds)


if __name__ == "__main__":
    main()
