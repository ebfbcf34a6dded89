"""The network, its training and the study of the reference; published figures where data are."""

import csv
import os
from pathlib import Path

import pytest
import torch

REFERENCE = Path(__file__).parents[3] / "reference" / "gcn"
real_data = pytest.mark.skipif(
    not os.environ.get("GRADER_DATA"), reason="needs real data: GRADER_DATA must name their folder"
)


def communities(seed=0, n=150):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    edges = torch.randint(n, (20 * n, 2), generator=generator)
    chance = torch.where(y[edges[:, 0]] == y[edges[:, 1]], 0.3, 0.02)
    edges = edges[torch.rand(len(edges), generator=generator) < chance]
    return torch.rand(n, 12, generator=generator), edges, y


@pytest.mark.parametrize(("layers", "count"), [(1, 12), (2, 38), (3, 68)])
def test_parameter_count(gcn, layers, count):
    network = gcn.model.GCN(3, 5, 3, layers=layers)
    assert sum(p.numel() for p in network.parameters()) == count


def test_two_layers_are_the_formula_of_the_paper(gcn):
    x, edges, _ = communities()
    network = gcn.model.GCN(12, 8, 3).eval()
    w0, b0, w1, b1 = network.parameters()
    matrix = gcn.layers.dense(gcn.layers.norm_adj(edges, len(x)), len(x))
    wanted = matrix @ torch.relu(matrix @ x @ w0 + b0) @ w1 + b1
    torch.testing.assert_close(network(x, edges), wanted)


def test_a_label_outside_train_cannot_change_training(gcn):
    x, edges, y = communities()
    one = gcn.model.train_node(x, edges, y, torch.arange(30), 0, epochs=5)
    y[30:] = y[30:].flip(0)
    other = gcn.model.train_node(x, edges, y, torch.arange(30), 0, epochs=5)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("mode", ["PN", "PN-SI"])
def test_pair_norm_lets_sixteen_layers_learn(gcn, mode):
    x, edges, y = communities()
    found = {}
    for name in ("none", mode):
        model = gcn.model.train_node(
            x, edges, y, torch.arange(30), 0, layers=16, pair_norm=name, dropout=0.0, epochs=100
        )
        with torch.no_grad():
            found[name] = float((model(x, edges).argmax(dim=1) == y)[30:].double().mean())
    assert found[mode] > 0.7 > found["none"]


def test_the_study_holds_what_the_handout_asks(gcn):
    with (REFERENCE / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == gcn.study.COLUMNS
    cells = {(row["task"], row["factor"], row["value"], row["seed"]) for row in rows}
    assert len(cells) == len(rows) == 2 * 3 * sum(map(len, gcn.study.SWEEP.values()))
    assert all(0 < float(row["metric"]) < 1 for row in rows)


def test_micro_f1_takes_as_many_labels_as_there_are(gcn):
    y = torch.tensor([[1.0, 1, 0], [0, 0, 1]])
    logits = torch.tensor([[3.0, 1, 2], [0, 1, 2]])  # labels 0 and 2, then label 2
    assert gcn.study.micro_f1(logits, y) == pytest.approx(2 / 3)


def node_accuracy(gcn, name, seeds):
    data = gcn.study.load_data(name)
    x, test = gcn.layers.row_normalise(data["x"]), data["test"]
    found = []
    for seed in seeds:
        model = gcn.model.train_node(x, data["edges"], data["y"], data["train"], seed)
        with torch.no_grad():
            guess = model(x, data["edges"]).argmax(dim=1)
        found.append(float((guess == data["y"])[test].double().mean()))
    return found


@real_data
@pytest.mark.parametrize(("name", "published"), [("cora", 0.805), ("citeseer", 0.694)])
def test_node_classification_reaches_the_published_accuracy(gcn, name, published):
    # Means over 10 seeds: 81.4 and 70.6; the paper's are 81.5 and 70.3. One standard deviation
    # of a single training below them:
    found = node_accuracy(gcn, name, (0, 1))
    assert sum(found) / 2 > published


@real_data
def test_a_leak_of_test_edges_shows(gcn):
    # The same encoder scores far too well where A holds the edges that it is asked for.
    data = gcn.study.load_data("cora")
    x = gcn.layers.row_normalise(data["x"])
    split = gcn.layers.split_edges(data["edges"], len(x), torch.Generator().manual_seed(0))
    u, v = torch.cat([split["test"], split["test_neg"]]).T
    labels = torch.cat([torch.ones(len(u) // 2), torch.zeros(len(u) // 2)])
    found = []
    for edges in (split["train"], data["edges"]):
        model = gcn.model.train_link(x, edges, 0)
        with torch.no_grad():
            z = model(x, edges)
        found.append(gcn.layers.auc((z[u] * z[v]).sum(dim=1), labels))
    assert 0.86 < found[0] < 0.93 < found[1]
