"""What the hidden suite draws from a data set: hidden forms and splits."""

import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

CONFTEST = Path(__file__).parents[3] / "reference" / "gcn" / "suite" / "conftest.py"
NODES, UNLABELLED = 400, 40
real_data = pytest.mark.skipif(
    not os.environ.get("GRADER_DATA"), reason="needs real data: GRADER_DATA must name their folder"
)


@pytest.fixture(scope="module")
def suite():
    """The suite's conftest.py as a module."""
    spec = importlib.util.spec_from_file_location("conftest_of_the_gcn_suite", CONFTEST)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def graph():
    """A graph whose last nodes nobody labelled: no words, and edges to everywhere."""
    rng = np.random.default_rng(0)
    x = np.zeros((NODES, 30), dtype=np.float32)
    x[:-UNLABELLED] = 1 + np.arange(NODES - UNLABELLED)[:, None]  # rows tell which node they are
    y = np.arange(NODES) % 4
    y[-UNLABELLED:] = -1
    edges = rng.integers(0, NODES, (3000, 2))
    return SimpleNamespace(x=x, y=y, edges=edges[edges[:, 0] != edges[:, 1]], num_classes=4)


def draw(suite, graph, seed):
    rng = np.random.default_rng(seed)
    return suite.resplit(*suite.disguise(graph, rng), rng, lambda x: x)


def test_nodes_without_a_label_are_in_no_split(suite, graph):
    for seed in range(5):
        task = draw(suite, graph, seed)
        unknown = task.y == -1
        assert int(unknown.sum()) >= UNLABELLED // 2  # they are in the graph
        assert bool(unknown[task.edges].any())  # and keep edges
        assert not unknown[task.train].any() and not unknown[task.test].any()
        split = np.concatenate([task.train, task.test])
        assert sorted(split) == np.flatnonzero(~unknown.numpy()).tolist()


def test_nodes_without_a_label_are_of_no_class(suite, graph):
    task = draw(suite, graph, 1)
    assert task.classes == 4
    where = task.x.max(dim=1).values.long() - 1  # which node of the graph this is; -1: no words
    assert (task.y[where == -1] == -1).all()
    known = where >= 0
    pairs = {(int(a), int(b)) for a, b in zip(where[known] % 4, task.y[known], strict=True)}
    assert len(pairs) == 4 and {new for _, new in pairs} == set(range(4))
    assert sorted(np.bincount(task.y[task.train])) == [suite.TRAIN_PER_CLASS] * 4


def test_training_sees_the_labels_of_train_alone(suite, graph):
    task = draw(suite, graph, 2)
    assert (task.shown[task.train] == task.y[task.train]).all()
    hidden = np.setdiff1d(np.arange(len(task.y)), task.train)
    assert (task.shown[hidden] == -1).all()


def test_a_node_may_bear_no_label_out_of_several(suite, graph):
    bits = np.zeros((NODES, 3), dtype=np.float32)
    bits[: NODES // 2] = 1
    task = draw(suite, SimpleNamespace(**{**vars(graph), "y": bits}), 3)
    assert len(task.train) + len(task.test) == len(task.y)


@real_data
def test_citeseer_has_nodes_that_are_in_no_hidden_split(suite, gcn):
    task = draw(suite, gcn.datasets.load("citeseer"), 0)
    unknown = np.flatnonzero(task.y == -1)
    assert 5 < len(unknown) <= 15
    assert not np.isin(unknown, np.concatenate([task.train, task.test])).any()
