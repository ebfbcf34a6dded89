"""Cora, Citeseer and both PPI: what the loaders make of the publishers' files."""

import dataclasses

import numpy as np
import pytest


def test_planetoid_puts_test_rows_where_the_index_says(datasets, planetoid_folder):
    graph = datasets.planetoid.read(planetoid_folder, "cora")
    assert graph.x.dtype == np.float32
    assert graph.x[9, 4] == 9 and graph.x[7, 2] == 7  # as stored, not normalised
    assert list(graph.y) == [0, 1, 0, 1, 1, 0, 1, 0, -1, 1]


def test_planetoid_keeps_each_edge_once_without_loops(datasets, planetoid_folder):
    graph = datasets.planetoid.read(planetoid_folder, "cora")
    assert graph.edges.tolist() == [[0, 1], [0, 9], [1, 2], [3, 7]]
    assert graph.edges.dtype == np.int64


def test_planetoid_knows_nothing_of_a_node_that_the_test_index_skips(datasets, planetoid_folder):
    graph = datasets.planetoid.read(planetoid_folder, "cora")
    assert not graph.x[8].any() and graph.y[8] == -1
    assert 8 not in np.concatenate([graph.train, graph.val, graph.test])
    assert [list(part) for part in (graph.train, graph.val, graph.test)] == [
        [0, 1, 2], [3, 4, 5, 6], [7, 9],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "make", "why"),
    [
        pytest.param("tx", lambda py2: py2.sparse(np.ones((2, 4))), "features differ", id="width"),
        pytest.param("x", lambda py2: np.ones((3, 5)), "no sparse matrix", id="dense"),
        pytest.param("ty", lambda py2: np.ones((2, 2)), "a single 1", id="two-labels"),
        pytest.param("ally", lambda py2: np.eye(6, 2), "7 rows", id="rows"),
        pytest.param("y", lambda py2: np.eye(2)[[1, 1, 1]], "first of ally", id="disagreeing"),
        pytest.param(
            "graph",
            lambda py2: py2.lists({n: [99] for n in range(10)}),
            "below 10",
            id="edge-outside",
        ),
        pytest.param(
            "graph",
            lambda py2: py2.lists({n: ["1"] for n in range(10)}),
            "below 10",
            id="edge-to-text",
        ),
        pytest.param("graph", lambda py2: [1], "no lists", id="no-graph"),
    ],
)
def test_planetoid_names_the_file_that_does_not_fit(
    datasets, planetoid_folder, py2, part, make, why
):
    path = planetoid_folder / f"ind.cora.{part}"
    path.write_bytes(py2.pickled(make(py2)))
    with pytest.raises(datasets.DataError, match=why) as caught:
        datasets.planetoid.read(planetoid_folder, "cora")
    assert str(path) in str(caught.value) and "fetch" in str(caught.value)


@pytest.mark.parametrize("index", [b"9\n", b"9\n9\n", b"9\nx\n", b"9\n3\n", b"9\n99999999999\n"])
def test_planetoid_refuses_a_wrong_test_index(datasets, planetoid_folder, index):
    (planetoid_folder / "ind.cora.test.index").write_bytes(index)
    with pytest.raises(datasets.DataError, match="test.index"):
        datasets.planetoid.read(planetoid_folder, "cora")


def test_a_missing_file_is_named(datasets, planetoid_folder):
    (planetoid_folder / "ind.cora.graph").unlink()
    with pytest.raises(datasets.DataError, match="ind.cora.graph cannot be read"):
        datasets.planetoid.read(planetoid_folder, "cora")


def test_infinite_features_are_refused(datasets, planetoid_folder, py2):
    tested = np.array([[0, 0, 0, 0, np.inf], [0, 0, 7, 0, 0]])
    (planetoid_folder / "ind.cora.tx").write_bytes(py2.pickled(py2.sparse(tested)))
    with pytest.raises(datasets.DataError, match="finite"):
        datasets.planetoid.read(planetoid_folder, "cora")


def test_graphsage_joins_its_graphs_and_cuts_links_between_them(datasets, graphsage_folder):
    graph = datasets.ppi.read(graphsage_folder, "ppi")
    # Of the training links, 2-3 joins two graphs; the later splits start at nodes 6 and 9.
    assert graph.edges.tolist() == [[0, 1], [1, 2], [3, 5], [6, 7], [7, 8], [9, 10], [10, 11]]
    assert graph.x[9].tolist() == [200, 201] and graph.x.dtype == np.float32
    assert graph.y.shape == (12, 4) and graph.num_classes == 4
    assert [list(part) for part in (graph.val, graph.test)] == [[6, 7, 8], [9, 10, 11]]


def test_graphsage_never_unpickles_an_array(datasets, graphsage_folder):
    np.save(graphsage_folder / "valid_feats.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(datasets.DataError, match="valid_feats.npy"):
        datasets.ppi.read(graphsage_folder, "ppi")


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"nodes": [{"id": 0}], "links": [{"source": 0, "target": 9}]}', "[" * 100_000],
)
def test_graphsage_refuses_other_json(datasets, graphsage_folder, text):
    (graphsage_folder / "test_graph.json").write_text(text)
    with pytest.raises(datasets.DataError, match="test_graph.json"):
        datasets.ppi.read(graphsage_folder, "ppi")


def test_node2vec_reads_edges_and_bearers(datasets, tmp_path):
    (tmp_path / "PPI.ungraph").write_text("0\t1\n1\t0\n2\t2\n3\t1\n")
    (tmp_path / "PPI.cmty").write_text("0\t3\n1\n")
    graph = datasets.ppi.read(tmp_path, "ppi-node2vec")
    assert graph.edges.tolist() == [[0, 1], [1, 3]]
    assert graph.y.tolist() == [[1, 0], [0, 1], [0, 0], [1, 0]]
    assert np.array_equal(graph.x, np.eye(4))


@pytest.mark.parametrize("line", ["0 1 2", "0", "a b", "-1 2", "0 99999999999"])
def test_node2vec_refuses_a_wrong_line(datasets, tmp_path, line):
    (tmp_path / "PPI.ungraph").write_text(f"0 1\n{line}\n")
    (tmp_path / "PPI.cmty").write_text("0\n")
    with pytest.raises(datasets.DataError, match="PPI.ungraph"):
        datasets.ppi.read(tmp_path, "ppi-node2vec")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("x", np.zeros((10, 5))),
        ("y", np.zeros(9, dtype=np.int64)),
        ("edges", np.array([[1, 0]])),
        ("edges", np.array([[0, 10]])),
        ("edges", np.array([[0, 1], [0, 1]])),
        ("train", np.array([10])),
        ("train", np.array([7])),
        ("train", np.array([8])),
    ],
)
def test_a_graph_refuses_what_breaks_its_promise(datasets, planetoid_folder, field, value):
    graph = datasets.planetoid.read(planetoid_folder, "cora")
    with pytest.raises(datasets.DataError, match="cora"):
        dataclasses.replace(graph, **{field: value})


@pytest.mark.parametrize(
    ("name", "nodes", "features", "classes", "edges", "split"),
    [
        ("cora", 2708, 1433, 7, 5278, (140, 500, 1000)),
        ("citeseer", 3327, 3703, 6, 4552, (120, 500, 1000)),
        ("ppi-node2vec", 3890, 3890, 50, 37845, (2334, 778, 778)),
    ],
)
def test_real_graphs_have_the_known_counts(
    datasets, real_data, name, nodes, features, classes, edges, split
):
    graph = datasets.load(name, real_data)
    assert graph.x.shape == (nodes, features)
    assert graph.num_classes == classes and graph.edges.shape == (edges, 2)
    assert tuple(map(len, (graph.train, graph.val, graph.test))) == split
    assert not graph.synthetic


def test_the_real_citeseer_has_15_nodes_that_nobody_knows(datasets, real_data):
    graph = datasets.load("citeseer", real_data)
    missing = np.flatnonzero(graph.y < 0)
    assert len(missing) == 15 and not graph.x[missing].any()
    assert np.isin(missing, graph.edges).all()  # they are linked, though nobody described them
    assert len(np.setdiff1d(np.arange(3327), graph.edges)) == 48
