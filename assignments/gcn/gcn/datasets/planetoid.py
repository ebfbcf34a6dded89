"""Cora and Citeseer as Yang, Cohen and Salakhutdinov (2016) published them: eight files a set.

``x``, ``tx`` and ``allx`` are sparse features of the labelled training nodes, of the test nodes
and of all but the test nodes; ``y``, ``ty``, ``ally`` their labels, one-hot; ``graph`` the lists of
neighbours; ``test.index`` says which node each row of ``tx`` is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .kinds import UNLABELLED, DataError, Graph, read_bytes, undirected
from .pickles import Csr, read_pickle
from .sources import Source

# The authors' repository at its last commit. It publishes no checksums: size and SHA-256 are those
# of the files in that commit.
URL = (
    "https://raw.githubusercontent.com/kimiyoung/planetoid/"
    "af6abf468a772cc055bec88c52e4d6f51b7c37e3/data/"
)
PUBLISHED = {
    "cora": {
        "x": (22119, "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab"),
        "y": (4054, "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1"),
        "tx": (148025, "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a"),
        "ty": (28135, "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad"),
        "allx": (257305, "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543"),
        "ally": (47959, "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71"),
        "graph": (59847, "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d"),
        "test.index": (5000, "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875"),
    },
    "citeseer": {
        "x": (31087, "d20de19150741e555de0ed037195630fc194114ebc7fd72ced62810148aa22f6"),
        "y": (3014, "8ba87e515d8e3ee3cf52f6d2c5b86aa73f11ecad825a808455209ec26cd54924"),
        "tx": (260321, "539a8906a2da97628d212f2fdd668c109a8b3f0d36574b59e5d3fd5b5303da21"),
        "ty": (24135, "55e5bd1ba1e733a04598753ad1a8d57957f4b8f89e74519f41f4f4938767e4ce"),
        "allx": (595021, "2ac30345d95c9ec933a817ee0bdd6a5f077f8c184a20e696910192d534414668"),
        "ally": (55623, "f704b2d986dde6c2669934de1f3ae5696a6cf9455c0f6b2646a2d135ea0a1c95"),
        "graph": (61987, "d79a4ef9d3e7169aee8946145f6b7306e35bc79bffad26346cfb94e10e9912a7"),
        "test.index": (5000, "2af990671580b6b2df5d158d1038f8292e30c9cd821b5453f399659b25b723d4"),
    },
}
SOURCES = {
    name: tuple(
        Source(f"{URL}ind.{name}.{part}", f"planetoid/ind.{name}.{part}", size, f"sha256:{digest}")
        for part, (size, digest) in parts.items()
    )
    for name, parts in PUBLISHED.items()
}
CHECKSUMS = {
    name: {f"ind.{name}.{part}": f"sha256:{digest}" for part, (_, digest) in parts.items()}
    for name, parts in PUBLISHED.items()
}

PARTS = ("x", "y", "tx", "ty", "allx", "ally", "graph", "test.index")
FOLDERS = ("", "planetoid", "{name}")  # where the files may lie below a folder of data
VALIDATION = 500  # nodes, the first behind the training nodes
MOST_CELLS = 1 << 28  # of a dense matrix of features: 1 GiB


def find(root: Path, name: str) -> Path | None:
    """Return the folder below `root` that holds files of the set, or None."""
    for folder in FOLDERS:
        place = root / folder.format(name=name)
        if any(path.is_file() for path in files(place, name)):
            return place
    return None


def files(place: Path, name: str) -> list[Path]:
    """Return the files of the set, present or not."""
    return [place / f"ind.{name}.{part}" for part in PARTS]


def read(place: Path, name: str) -> Graph:
    """Read a set from its folder.

    Features are as stored (0 and 1): row normalisation is the lab's own step. Nodes that
    ``test.index`` skips (15 in Citeseer) have zero features and the label -1 and are in no split;
    they keep the edges that ``graph`` gives them. That file lists edges in both directions, some
    twice and some from a node to itself: here each is once, without self-loops.

    Raises DataError naming the file that is absent, damaged or does not fit the others.
    """
    paths = dict(zip(PARTS, files(place, name), strict=True))
    train, test, rest = (_features(paths[part]) for part in ("x", "tx", "allx"))
    if not train.shape[1] == test.shape[1] == rest.shape[1]:
        raise DataError(_misfit(paths["tx"], "the numbers of features differ"))
    where = _test_index(paths["test.index"], test.shape[0], rest.shape[0])
    neighbours = _neighbours(paths["graph"])
    nodes = max(int(where.max()), *neighbours) + 1
    # Bounds what a damaged file can ask for before any memory is taken for it.
    if nodes > len(neighbours) + rest.shape[0] or nodes * rest.shape[1] > MOST_CELLS:
        raise DataError(_misfit(paths["test.index"], f"it names node {nodes - 1}"))
    x = np.zeros((nodes, rest.shape[1]), dtype=np.float32)
    x[: rest.shape[0]], x[where] = rest.dense(), test.dense()
    y = np.full(nodes, UNLABELLED, dtype=np.int64)
    y[: rest.shape[0]] = _labels(paths["ally"], rest.shape[0])
    y[where] = _labels(paths["ty"], test.shape[0])
    labelled = _labels(paths["y"], train.shape[0])
    first = min(train.shape[0] + VALIDATION, rest.shape[0])
    if train.shape[0] > rest.shape[0] or not np.array_equal(labelled, y[: train.shape[0]]):
        raise DataError(_misfit(paths["y"], "its labels are not the first of ally"))
    return Graph(
        name=name,
        x=x,
        y=y,
        edges=_edges(neighbours, nodes, paths["graph"]),
        train=np.arange(train.shape[0]),
        val=np.arange(train.shape[0], first),
        test=np.sort(where),
        synthetic=False,
    )


def _misfit(path: Path, why: str) -> str:
    return f"{path} does not fit the files beside it ({why}): fetch them all again"


def _pickle(path: Path) -> object:
    return read_pickle(read_bytes(path), path)


def _features(path: Path) -> Csr:
    matrix = _pickle(path)
    if not isinstance(matrix, Csr):
        raise DataError(_misfit(path, "it holds no sparse matrix"))
    return matrix


def _labels(path: Path, rows: int) -> np.ndarray:
    """Return one-hot rows as int64 [rows]; a row of zeros is a node that nobody labelled."""
    hot = _pickle(path)
    if not isinstance(hot, np.ndarray) or hot.ndim != 2 or len(hot) != rows or not hot.shape[1]:
        raise DataError(_misfit(path, f"it must be a matrix of {rows} rows"))
    if not np.isin(hot, (0, 1)).all() or (hot.sum(axis=1) > 1).any():
        raise DataError(_misfit(path, "its rows must hold a single 1"))
    return np.where(hot.any(axis=1), hot.argmax(axis=1), UNLABELLED)


def _test_index(path: Path, count: int, first: int) -> np.ndarray:
    try:
        where = np.array([int(line) for line in read_bytes(path).split()], dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{path} must hold a node's number a line: fetch it again") from error
    if len(where) != count or count == 0 or len(np.unique(where)) != count or where.min() < first:
        raise DataError(_misfit(path, f"it must hold {count} different nodes from {first} on"))
    return where


def _neighbours(path: Path) -> dict[int, list[int]]:
    lists = _pickle(path)
    if not isinstance(lists, dict) or not lists:
        raise DataError(_misfit(path, "it holds no lists of neighbours"))
    if not all(isinstance(node, int) and isinstance(row, list) for node, row in lists.items()):
        raise DataError(_misfit(path, "it must list the neighbours of numbered nodes"))
    return lists


def _edges(neighbours: dict[int, list[int]], nodes: int, path: Path) -> np.ndarray:
    pairs = [(node, other) for node, row in neighbours.items() for other in row]
    if not all(isinstance(end, int) and 0 <= end < nodes for pair in pairs for end in pair):
        raise DataError(_misfit(path, f"its nodes must be numbers below {nodes}"))
    return undirected(np.array(pairs, dtype=np.int64))
