"""How a cell says which file it is: the same for the grader and for the notebook handed out."""

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.intake.notebook import modules_of
from grader.intake.notebook.marks import path_of
from grader.intake.own import own_named
from grader.intake.skeleton import same_text
from grader.lab.manifest import load_assignment

HANDED_OUT = Path(__file__).parents[3] / "assignments" / "fnn" / "fnn.ipynb"
FNN = load_assignment(HANDED_OUT.parent)
PATHS = ["fnn/layers.py", "fnn/optim.py", "fnn/model.py", "fnn/study.py"]
MARKS = [
    "# file: layers.py",
    "# file: fnn/layers.py",
    "#file:layers.py",
    "# File: layers.py",
    "# FILE:Layers.PY",
    "## file : layers.py",
    "# file: ./layers.py",
    "# file: ./fnn/layers.py",
    "# file：layers.py",
    "# 文件：layers.py",
    "# filename: layers.py",
    "# file = layers.py",
    "# file: layers",
    "# file: layers.py  (NumPy only)",
    "# file: layers.py, mine",
    "# file: layers.py  # mine",
    '# file: "layers.py"',
    "# file: `fnn/layers.py`",
    "# file: /content/fnn/layers.py",
    "# file: hw1\\layers.py",
    "\n# file: layers.py",
    "%%time\n# file: layers.py",
    "#@title My layers\n# file: layers.py",
    "# Layers\n# ------\n\n# file: layers.py",
    "%matplotlib inline\n!ls\n# file: layers.py",
    "%%writefile layers.py",
    "%%file ./layers.py",
    "%%writefile -a layers.py",
]
NO_MARKS = [
    "x = 1\n# file: layers.py",
    "# a file: layers.py",
    "# files: layers.py",
    "# file layers.py",
    "'# file: layers.py'",
    "# file: see the handout",
]
BODY = "import numpy as np\nif np:\n    %pip install a\n\ndef f():\n    return 1\n"


@pytest.fixture
def run_cell(tmp_path, monkeypatch):
    """Return what the notebook that is handed out does before a cell is run."""
    cells = json.loads(HANDED_OUT.read_text("utf-8"))["cells"]
    set_up = next(text for cell in cells if "__package__" in (text := "".join(cell["source"])))
    registered = {}
    events = SimpleNamespace(register=registered.__setitem__)
    exec(set_up, {"get_ipython": lambda: SimpleNamespace(events=events)})
    (tmp_path / "fnn").mkdir()
    monkeypatch.chdir(tmp_path)
    return lambda cell: registered["pre_run_cell"](SimpleNamespace(raw_cell=cell))


def graded(*cells: str, own=lambda name: None) -> dict[str, bytes]:
    made = [
        {
            "cell_type": "code",
            "metadata": {},
            "source": cell,
            "outputs": [],
            "execution_count": None,
        }
        for cell in cells
    ]
    book = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": made}
    return dict(modules_of("hw.ipynb", json.dumps(book).encode(), PATHS, 10**6, own=own).sources)


@pytest.mark.parametrize("mark", MARKS)
def test_what_the_notebook_saves_is_what_is_graded(run_cell, tmp_path, mark):
    cell = f"{mark}\n{BODY}"
    run_cell(cell)
    saved = (tmp_path / "fnn" / "layers.py").read_bytes()
    assert same_text(graded(cell)["fnn/layers.py"], saved)
    assert b"    pass  # %pip install a\n" in saved


@pytest.mark.parametrize("mark", NO_MARKS)
def test_what_the_notebook_does_not_save_is_not_graded(run_cell, tmp_path, mark):
    cell = f"{mark}\n{BODY}"
    run_cell(cell)
    assert [*(tmp_path / "fnn").iterdir()] == []
    assert graded(cell) == {}


@pytest.mark.parametrize(
    ("mark", "path"),
    [
        ("# file: own.py", "fnn/own.py"),
        ("# file: fnn/own.py", "fnn/own.py"),
        ("# file: ./ops/own.py", "fnn/ops/own.py"),
        ("# file: /content/fnn/own.py", "fnn/own.py"),
        ("%%writefile own.py", "fnn/own.py"),
        ("# file: layer.py", "fnn/layer.py"),
        ("# file: conftest.py", None),
        ("# file: test_own.py", None),
        ("# file: ../own.py", None),
        ("# file: fnn/../own.py", None),
        ("# file: my own.py", None),
    ],
)
def test_a_module_of_ones_own_is_saved_where_it_is_graded(run_cell, tmp_path, mark, path):
    run_cell(f"{mark}\n{BODY}")
    saved = [str(p.relative_to(tmp_path)) for p in (tmp_path / "fnn").rglob("*.py")]
    own = partial(own_named, assignment=FNN)
    assert saved == [*graded(f"{mark}\n{BODY}", own=own)] == ([path] if path else [])


def test_a_cell_may_add_to_a_file(run_cell, tmp_path):
    cells = ["# file: layers.py\nx = 1\n", "y = 2\n", "%%writefile --append layers.py\nz = 3\n"]
    for cell in cells:
        run_cell(cell)
    assert (tmp_path / "fnn" / "layers.py").read_text() == "x = 1\nz = 3\n"
    assert b"x = 1\n\n# file: fnn/layers.py\nz = 3" in graded(*cells)["fnn/layers.py"]


def test_what_the_command_writes_itself_is_not_written_twice(run_cell, tmp_path):
    run_cell("%%writefile -a fnn/layers.py\nx = 1\n")
    assert [*(tmp_path / "fnn").iterdir()] == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/layers.py", "a/layers.py"),
        ("hw/a/layers.py", "a/layers.py"),
        ("layers.py", None),
        ("c/layers.py", None),
        ("model.py", "a/model.py"),
        ("c/MODEL", "a/model.py"),
        ("other.py", None),
        ("..", None),
        ("", None),
    ],
)
def test_a_name_stands_for_a_path_where_only_one_fits(name, path):
    assert path_of(name, ["a/layers.py", "b/layers.py", "a/model.py"]) == path
