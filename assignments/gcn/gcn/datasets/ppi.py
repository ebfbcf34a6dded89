"""Protein interactions: two sets that share their name and little else.

"ppi-node2vec" is one graph of 3,890 proteins with 50 labels (Grover and Leskovec 2016) as the
repository of ProNE keeps it: ``PPI.ungraph``, an edge a line, and ``PPI.cmty``, a label a line with
the nodes that bear it. "ppi" are the 24 graphs of GraphSAGE (Hamilton et al. 2017) with 50
features and 121 labels: for train, valid and test one file each of features, labels, the graph
that a node belongs to, and links.
"""

from __future__ import annotations

import io
import json
import math
import warnings
from pathlib import Path

import numpy as np

from .kinds import DataError, Graph, read_bytes, undirected
from .sources import Source

# The repository's last commit. It publishes no checksums: these are of the files in that commit.
NODE2VEC_URL = (
    "https://raw.githubusercontent.com/THUDM/ProNE/873630a5943f3eba8f4bbc9751fdf16af98d2171/data/"
)
SPLITS = ("train", "valid", "test")
PARTS = ("feats.npy", "labels.npy", "graph_id.npy", "graph.json")
GRAPHSAGE_FILES = tuple(f"{split}_{part}" for split in SPLITS for part in PARTS)
SOURCES = {
    "ppi-node2vec": (
        Source(
            f"{NODE2VEC_URL}PPI.ungraph",
            "ppi-node2vec/PPI.ungraph",
            365_887,
            "sha256:853faf8f8f9705d0ccf2f12db80277cc779ccef04ba6a8703671138dca76796a",
        ),
        Source(
            f"{NODE2VEC_URL}PPI.cmty",
            "ppi-node2vec/PPI.cmty",
            31_336,
            "sha256:d57a61e7cc5c46acafdd370c5126a2a5c57cb23f1a84ed1d0877f20149c90637",
        ),
    ),
    "ppi": (
        # DGL's copy of the 24 graphs. DGL publishes no checksum: size and SHA-256 are those on
        # which several independent projects agree, MLDatasets.jl among them.
        Source(
            "https://data.dgl.ai/dataset/ppi.zip",
            "ppi/ppi.zip",
            7_088_822,
            "sha256:1f5b2b09ac0f897fa6aa1338c64ab75a5473674cbba89380120bede8cddb2a6a",
            GRAPHSAGE_FILES,
        ),
    ),
}
CHECKSUMS = {
    "ppi-node2vec": {Path(s.path).name: s.checksum for s in SOURCES["ppi-node2vec"]},
}
NODE2VEC_FILES = tuple(CHECKSUMS["ppi-node2vec"])
TRAIN_SHARE, VALIDATION_SHARE = 0.6, 0.2  # of the nodes of ppi-node2vec
MOST_NODES = 20_000  # of ppi-node2vec: its features are a square matrix


def find(root: Path, name: str) -> Path | None:
    """Return the folder below `root` that holds files of the set, or None."""
    for place in (root / name, root):
        if any(path.is_file() for path in files(place, name)):
            return place
    return None


def files(place: Path, name: str) -> list[Path]:
    """Return the files of the set, present or not."""
    names = NODE2VEC_FILES if name == "ppi-node2vec" else GRAPHSAGE_FILES
    return [place / file for file in names]


def read(place: Path, name: str, seed: int = 0) -> Graph:
    """Read a set from its folder.

    "ppi-node2vec" has no features and no split. Its features here are the identity, one for each
    node; its split is drawn from `seed`: 60 % of the nodes to train on, 20 % each to validate and
    to test. "ppi" has a split by graphs, and `seed` does nothing.

    Raises DataError naming the file that is absent, damaged or does not fit the others.
    """
    if name == "ppi-node2vec":
        return _read_node2vec(place, name, seed)
    return _read_graphsage(place, name)


# -------------------------------------------------------------------------------- ppi-node2vec


def _read_node2vec(place: Path, name: str, seed: int) -> Graph:
    pairs = [row for row in _rows(place / "PPI.ungraph") if row]
    if not pairs or any(len(row) != 2 for row in pairs):
        raise DataError(_wrong(place / "PPI.ungraph", "each line must hold two nodes"))
    labels = _rows(place / "PPI.cmty")
    nodes = max(max(row, default=0) for row in pairs + labels) + 1
    if nodes > MOST_NODES:
        raise DataError(_wrong(place / "PPI.ungraph", f"it names node {nodes - 1}"))
    y = np.zeros((nodes, len(labels)), dtype=np.float32)
    for label, bearers in enumerate(labels):
        y[bearers, label] = 1.0
    order = np.random.default_rng(seed).permutation(nodes)
    ends = [round(nodes * TRAIN_SHARE), round(nodes * (TRAIN_SHARE + VALIDATION_SHARE))]
    train, val, test = (np.sort(part) for part in np.split(order, ends))
    return Graph(
        name=name,
        x=np.eye(nodes, dtype=np.float32),
        y=y,
        edges=undirected(np.array(pairs, dtype=np.int64)),
        train=train,
        val=val,
        test=test,
        synthetic=False,
    )


def _rows(path: Path) -> list[list[int]]:
    """Return the whole numbers of each line."""
    try:
        rows = [[int(word) for word in line.split()] for line in read_bytes(path).splitlines()]
    except ValueError as error:
        raise DataError(_wrong(path, "each line must hold whole numbers")) from error
    if any(number < 0 for row in rows for number in row):
        raise DataError(_wrong(path, "nodes are numbered from 0"))
    return rows


# ----------------------------------------------------------------------------------------- ppi


def _read_graphsage(place: Path, name: str) -> Graph:
    parts = [_read_split(place, split) for split in SPLITS]
    sizes = [len(x) for x, _, _ in parts]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    widths = {(x.shape[1], y.shape[1]) for x, y, _ in parts}
    if len(widths) != 1:
        raise DataError(_wrong(place, "the splits differ in their numbers of features or labels"))
    edges = [links + start for (_, _, links), start in zip(parts, starts, strict=False)]
    train, val, test = (
        np.arange(start, start + size) for start, size in zip(starts, sizes, strict=False)
    )
    return Graph(
        name=name,
        x=np.concatenate([x for x, _, _ in parts]),
        y=np.concatenate([y for _, y, _ in parts]),
        edges=undirected(np.concatenate(edges)),
        train=train,
        val=val,
        test=test,
        synthetic=False,
    )


def _read_split(place: Path, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features [n, D], labels [n, L] and links [m, 2] within the graphs of one split."""
    feats, labels, graph_id, links = (place / f"{split}_{part}" for part in PARTS)
    x, y, graph = _array(feats, 2), _array(labels, 2), _array(graph_id, 1)
    if not len(x) == len(y) == len(graph):
        raise DataError(_wrong(labels, f"features and labels of {len(x)} nodes must fit"))
    pairs = _links(links, len(x))
    # As its publishers do, each graph is cut out of the file: a link between two of them is none.
    pairs = pairs[graph[pairs[:, 0]] == graph[pairs[:, 1]]]
    with np.errstate(over="ignore", invalid="ignore"):  # the set's own check finds infinities
        return x.astype(np.float32), y.astype(np.float32), pairs


def _array(path: Path, dimensions: int) -> np.ndarray:
    """Return the array of a .npy file, never an object that it could hold."""
    data = read_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that Python 2 wrote the header
            _refuse_size(data)
            array = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # a damaged header makes NumPy raise nearly anything
        raise DataError(_wrong(path, str(error))) from error
    if array.ndim != dimensions or array.dtype.kind not in "biuf" or not array.size:
        raise DataError(_wrong(path, f"it must hold numbers in {dimensions} dimensions"))
    return array


def _refuse_size(data: bytes) -> None:
    """Raise ValueError unless the file is as long as its header says: memory is taken for it."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(file)
    if math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError(f"its length does not fit the shape {shape}")


def _links(path: Path, nodes: int) -> np.ndarray:
    """Return the links of a node-link JSON file as int64 [m, 2]."""
    try:
        document = json.loads(read_bytes(path))
        pairs = [(link["source"], link["target"]) for link in document["links"]]
        named = {node["id"] for node in document["nodes"]}
    except Exception as error:  # JSON of any other form
        raise DataError(_wrong(path, f"no node-link graph: {error!r}")) from error
    if not all(type(end) is int and 0 <= end < nodes for pair in pairs for end in pair):
        raise DataError(_wrong(path, f"links must join nodes from 0 to {nodes - 1}"))
    if named != set(range(nodes)):
        raise DataError(_wrong(path, f"its nodes must be numbered from 0 to {nodes - 1}"))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _wrong(path: Path, why: str) -> str:
    return f"{path} is damaged or not what its name says ({why}): fetch the set again"
