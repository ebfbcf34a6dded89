"""A tiny lab of two modules, a data file and a given file, and ways to pack uploads for it."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from grader.lab.manifest import Assignment, load_assignment

MANIFEST = """
schema = 1
slug = "toy"
title = "Toy lab"
limits = { cpu_seconds = 10, upload_mb = 5 }
files = [
  { path = "toy/layers.py" },
  { path = "toy/model.py" },
  { path = "results.csv", required = false },
]
given = [{ path = "toy/__init__.py" }]
[[parts]]
id = "one"
title = "One"
items = [{ id = "item", title = "An item", points = 1 }]
"""

LAYERS = b"import numpy as np\n\n\ndef relu(x):\n    return np.maximum(x, 0)\n"
MODEL = b"def forward(x):\n    return x\n"
SKELETON = b"def relu(x):\n    raise NotImplementedError\n"


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Assignment:
    folder: Path = tmp_path_factory.mktemp("labs") / "toy"
    (folder / "toy").mkdir(parents=True)
    (folder / "assignment.toml").write_text(MANIFEST)
    (folder / "toy" / "__init__.py").write_text('"""Ours."""\n')
    (folder / "toy" / "layers.py").write_bytes(SKELETON)
    (folder / "toy" / "model.py").write_bytes(SKELETON)
    (folder / "toy.ipynb").write_bytes(
        notebook(
            "# file: layers.py\n" + SKELETON.decode(), "# file: model.py\n" + SKELETON.decode()
        )
    )
    return load_assignment(folder)


def notebook(*sources: str, tags=()) -> bytes:
    cells = [
        {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source,
         "outputs": [], "execution_count": None}
        for source in sources
    ]  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}).encode()


@pytest.fixture
def make_notebook():
    return notebook


@pytest.fixture
def good() -> dict[str, bytes]:
    return {"toy/layers.py": LAYERS, "toy/model.py": MODEL}


@pytest.fixture
def pack():
    """Return a function that zips (name or ZipInfo, bytes) pairs or a dict."""

    def packed(entries, compression=zipfile.ZIP_DEFLATED) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", compression) as archive:
            for name, data in entries.items() if isinstance(entries, dict) else entries:
                archive.writestr(name, data, compress_type=compression)
        return out.getvalue()

    return packed
