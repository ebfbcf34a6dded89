from __future__ import annotations

import time

import torch
from torch import Tensor

from .datasets import load
from .layers import auc, row_normalise, split_edges
from .model import train_link, train_node

GRAPH = "cora"
EPOCHS = 100


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


def run_cell(
    task: str, factor: str, value: float | int | str, seed: int, data: dict[str, Tensor]
) -> float:
    options = {}
    options["self_loops"] = 1.0
    options["layers"] = 2
    options["drop_edge"] = 0.0
    options["pair_norm"] = "none"
    options["activation"] = "relu"
    if factor not in options:
        raise ValueError("unknown factor " + str(factor))
    options[factor] = value
    x = row_normalise(data["x"])
    if task == "node":
        network = train_node(
            x, data["edges"], data["y"], data["train"], seed, epochs=EPOCHS, **options
        )
        with torch.no_grad():
            out = network(x, data["edges"])
        if data["y"].dim() == 2:
            return micro_f1(out[data["test"]], data["y"][data["test"]])
        right = 0
        for node in data["test"].tolist():
            if int(out[node].argmax()) == int(data["y"][node]):
                right += 1
        return right / len(data["test"])
    if task == "link":
        matched = GRAPH == "ppi-node2vec"
        generator = torch.Generator()
        generator.manual_seed(seed)
        parts = split_edges(
            data["edges"], len(x), generator, val=0.05, test=0.10, matched=matched
        )
        network = train_link(x, parts["train"], seed, epochs=EPOCHS, matched=matched, **options)
        with torch.no_grad():
            z = network(x, parts["train"])
        scores, labels = [], []
        for name, label in (("test", 1), ("test_neg", 0)):
            for u, v in parts[name].tolist():
                scores.append(float(torch.dot(z[u], z[v])))
                labels.append(label)
        return auc(torch.tensor(scores), torch.tensor(labels))
    raise ValueError("unknown task " + str(task))


def main() -> None:
    import matplotlib.pyplot as plt

    data = load_data(GRAPH)
    sweep = [
        ("self_loops", [0, 1, 2]),
        ("layers", [2, 4, 8]),
        ("drop_edge", [0, 0.3, 0.6]),
        ("pair_norm", ["none", "PN", "PN-SI"]),
        ("activation", ["identity", "relu", "tanh"]),
    ]
    base = {"self_loops": 1, "layers": 2, "drop_edge": 0, "pair_norm": "none", "activation": "relu"}
    file = open("results.csv", "w")
    file.write("task,factor,value,seed,metric,cpu_s\n")
    known = {}  # cells of the base: the same for every factor
    plt.figure(figsize=(8, 4))
    for task in ("node", "link"):
        names, means = [], []
        for factor, values in sweep:
            for value in values:
                total = 0
                for seed in (1, 2, 3):
                    key = (task, seed)
                    if value == base[factor] and key in known:
                        metric, seconds = known[key]
                    else:
                        start = time.process_time()
                        metric = run_cell(task, factor, value, seed, data)
                        seconds = time.process_time() - start
                        if value == base[factor]:
                            known[key] = (metric, seconds)
                        print(task, factor, value, seed, metric, seconds, flush=True)
                    file.write("%s,%s,%s,%d,%.4f,%.2f\n" % (task, factor, value, seed, metric, seconds))
                    total += metric
                names.append("%s %s" % (factor, value))
                means.append(total / 3)
        plt.plot(names, means, "o-", label=task)
    file.close()
    plt.xticks(rotation=90)
    plt.legend()
    plt.tight_layout()
    plt.savefig("plot.png", dpi=45)


if __name__ == "__main__":
    main()
