from __future__ import annotations

import csv
import time
from itertools import product

import torch

from .datasets import load
from .layers import auc, row_normalise, split_edges
from .model import train_link, train_node

GRAPH = "cora"
TASKS = ("node", "link")
BASE = {"self_loops": 1.0, "layers": 2, "drop_edge": 0.0, "pair_norm": "none", "activation": "relu"}
EPOCHS = 100
COLUMNS = ("task", "factor", "value", "seed", "metric", "cpu_s")
SWEEP = dict(self_loops=[0, 1, 100], layers=[2, 3, 8], drop_edge=[0, 0.1, 0.9], pair_norm=["none", "PN", "PN-SI"], activation=["identity", "relu", "elu"])


def load_data(name):
    graph = load(name)
    return {name: torch.from_numpy(getattr(graph, name)) for name in ("x", "y", "edges", "train", "val", "test")}


def micro_f1(logits, y):
    ranks = logits.argsort(dim=1, descending=True).argsort(dim=1)
    return float((y * (ranks < y.sum(dim=1, keepdim=True))).sum() / y.sum())


@torch.no_grad()
def _node(net, x, e, y, test):
    out = net(x, e)[test]
    return micro_f1(out, y[test]) if y.ndim > 1 else (out.argmax(1) == y[test]).double().mean().item()


def node(x, edges, seed, data, **kw):
    y, mask = data["y"], torch.zeros(len(x), dtype=torch.bool).index_fill(0, data["train"], True)
    hidden = torch.where(mask if y.ndim == 1 else mask[:, None], y, -1)
    return _node(train_node(x, edges, hidden, data["train"], seed, epochs=EPOCHS, **kw), x, edges, y, data["test"])


def link(x, edges, seed, data, **kw):
    m = GRAPH == "ppi-node2vec"
    s = split_edges(edges, len(x), torch.Generator().manual_seed(seed), matched=m)
    net = train_link(x, s["train"], seed, epochs=EPOCHS, matched=m, **kw)
    with torch.inference_mode():
        z = net(x, s["train"])
        return auc(*map(torch.cat, zip(*(((z[q[:, 0]] * z[q[:, 1]]).sum(1), torch.full((len(q),), l)) for q, l in ((s["test"], 1), (s["test_neg"], 0))))))


def run_cell(task, factor, value, seed, data):
    if task not in TASKS or factor not in BASE:
        raise ValueError((task, factor))
    return {"node": node, "link": link}[task](row_normalise(data["x"]), data["edges"], seed, data, **{**BASE, factor: value})


def main():
    import matplotlib.pyplot as plt

    data, done = load_data(GRAPH), {}
    for t, (f, vs) in product(TASKS, SWEEP.items()):
        for v, s in product(vs, range(3)):
            key = (t, *sorted({**BASE, f: v}.items()), s)  # the base stands in every factor: train it once
            if key not in done:
                c = time.process_time()
                done[key] = (round(run_cell(t, f, v, s, data), 4), round(time.process_time() - c, 2))
                print(t, f, v, s, *done[key], flush=True)
    rows = [(t, f, v, s, *done[t, *sorted({**BASE, f: v}.items()), s]) for t in TASKS for f in SWEEP for v in SWEEP[f] for s in range(3)]
    with open("results.csv", "w", newline="") as o:
        csv.writer(o).writerows([COLUMNS, *rows])
    fig, ax = plt.subplots(figsize=(9, 4))
    for t in TASKS:
        ax.scatter([f"{r[1][:6]}={r[2]}" for r in rows if r[0] == t], [r[4] for r in rows if r[0] == t], label=t, s=9)
    ax.tick_params(axis="x", rotation=90), ax.legend()
    fig.savefig("plot.png", dpi=45, bbox_inches="tight")


if __name__ == "__main__":
    main()
