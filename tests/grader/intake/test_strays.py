"""Code outside the marked cells, and cells that lost their mark: taken or told, never lost."""

import json

import pytest

from grader.errors import Rejected
from grader.intake.notebook import modules_of

PATHS = ("fnn/layers.py", "fnn/model.py", "results.csv")
SKELETON = {
    "fnn/layers.py": b"KINDS = ('a', 'b')\n\n\ndef relu(x):\n    raise NotImplementedError\n\n\n"
    b"class MLP:\n    pass\n",
    "fnn/model.py": b"def fit(x):\n    raise NotImplementedError\n\n\ndef predict(x):\n    pass\n",
}
RELU = "# file: layers.py\nimport numpy as np\nKINDS = ('a',)\ndef relu(x):\n    return np.abs(x)\n"
MODEL = "# file: model.py\ndef fit(x):\n    return x\ndef predict(x):\n    return x\n"
MLP = "class MLP:\n    '''Layers.'''\n    def forward(self, x):\n        return relu(x)\n"


def read(*cells):
    """Read a notebook of these cells; a pair is (kind, source)."""
    pairs = [cell if isinstance(cell, tuple) else ("code", cell) for cell in cells]
    made = [{"cell_type": kind, "metadata": {}, "source": text, "outputs": [],
             "execution_count": None} for kind, text in pairs]  # fmt: skip
    book = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": made}
    return modules_of("hw.ipynb", json.dumps(book).encode(), PATHS, 10**6, SKELETON)


def layers(found):
    return found.sources["fnn/layers.py"].decode()


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param([RELU, MLP, MODEL], id="behind"),
        pytest.param([MLP, RELU, MODEL], id="before"),
        pytest.param([RELU, MODEL, ("markdown", "text"), MLP], id="far"),
        pytest.param([RELU, f"%%time\n{MLP}", MODEL], id="with-a-command"),
        pytest.param([RELU, f"import math\nEPS = 1e-8\n{MLP}", MODEL], id="with-what-it-needs"),
    ],
)
def test_a_part_of_the_skeleton_in_a_cell_of_its_own_belongs_to_the_file(cells):
    found = read(*cells)
    assert "class MLP:" in layers(found) and "def relu" in layers(found)
    compile(layers(found), "layers.py", "exec")
    (told,) = (notice for notice in found.notices if "MLP" in notice)
    number = next(at for at, cell in enumerate(cells, 1) if "class MLP" in cell)
    assert told.startswith(f"hw.ipynb, cell {number}: ") and "added to fnn/layers.py" in told


def test_parts_in_several_cells_all_belong_to_the_file():
    found = read("# file: layers.py\nKINDS = ()\n", "def relu(x):\n    return x\n", MLP, MODEL)
    assert "def relu" in layers(found) and "class MLP" in layers(found)
    assert [told.partition(":")[0] for told in found.notices] == [
        "hw.ipynb, cell 2",
        "hw.ipynb, cell 3",
    ]


@pytest.mark.parametrize(
    ("stray", "told"),
    [
        pytest.param(f"{MLP}net = MLP()\n", "defines MLP, which fnn/layers.py needs", id="runs"),
        pytest.param(f"{MLP}print(1)\n", "defines MLP, which fnn/layers.py needs", id="prints"),
        pytest.param(f"{MLP}def relu(x): pass\n", "changes relu of fnn/layers.py", id="both"),
        pytest.param("def relu(x):\n    return x\n", "changes relu of fnn/layers.py", id="again"),
        pytest.param("relu.slope = 1\n", "changes relu of fnn/layers.py", id="attribute"),
        pytest.param("setattr(relu, 'a', 1)\n", "changes relu of fnn/layers.py", id="setattr"),
        pytest.param(
            "@add_to(relu)\ndef f(): pass\n", "changes relu of fnn/layers.py", id="decorator"
        ),
    ],
)
def test_what_may_not_be_taken_is_told_by_name_and_cell(stray, told):
    found = read(RELU, MODEL, stray)
    assert "class MLP" not in layers(found)
    assert any(n.startswith("hw.ipynb, cell 3: ") and told in n for n in found.notices)


def test_a_helper_and_an_import_that_a_file_uses_are_told_once():
    uses = "# file: layers.py\nKINDS = ()\ndef relu(x):\n    return helper(np.abs(x))\n"
    imports = "import numpy as np\n"
    found = read(imports, uses + MLP, MODEL, "def helper(x):\n    return x\n", imports)
    assert found.notices == (
        "hw.ipynb, cell 1: it has no mark and defines np, which fnn/layers.py needs. It is not "
        "graded: move that into the cell of fnn/layers.py.",
        "hw.ipynb, cell 4: it has no mark and defines helper, which fnn/layers.py needs. It is "
        "not graded: move that into the cell of fnn/layers.py.",
    )


@pytest.mark.parametrize(
    "stray",
    [
        "x = relu(3)\nprint(x)\n",
        "import matplotlib.pyplot as plt\nplt.plot(relu(1))\n",
        "def my_plot():\n    pass\n",
        "np.random.seed(0)\n",
        "this is not Python\n",
        "for x in range(3):\n    fit(x)\n",
    ],
)
def test_scratch_cells_are_no_news(stray):
    assert read(RELU + MLP, MODEL, stray).notices == ()


def test_code_that_begins_in_the_future_is_told_and_not_taken():
    found = read(RELU, MODEL, f"from __future__ import annotations\n{MLP}")
    compile(layers(found), "layers.py", "exec")
    assert "defines MLP" in found.notices[0]


def test_a_cell_that_writes_on_is_part_of_the_file():
    found = read(RELU, MODEL, f"%%writefile -a fnn/layers.py\n{MLP}")
    assert "class MLP" in layers(found) and "def relu" in layers(found)
    assert found.notices == ()


# ------------------------------------------------------------------------------ lost cells


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_a_marked_cell_that_became_text_is_named(kind):
    found = read(("markdown", "# Title"), (kind, RELU + MLP), MODEL)
    assert found.lost == {
        "fnn/layers.py": "hw.ipynb, cell 2: it is marked for fnn/layers.py, but it is a text cell "
        "and no code. Select it, press Esc and then Y (or choose 'Code'), save and upload again."
    }


def test_a_notebook_of_text_alone_names_its_marked_cells():
    found = read(("markdown", RELU), ("raw", MODEL))
    assert set(found.lost) == {"fnn/layers.py", "fnn/model.py"} and found.sources == {}


def test_a_mark_in_the_middle_of_a_cell_is_named_with_its_line():
    found = read(f"{RELU}{MODEL}")
    assert "hw.ipynb, cell 1 line 6: '# file: model.py' marks" in found.lost["fnn/model.py"]


def test_a_mark_with_a_near_name_is_named():
    told = read(RELU, MODEL.replace("model.py", "modle.py")).lost["fnn/model.py"]
    assert "hw.ipynb, cell 2: it is marked for modle.py." in told
    assert "'# file: fnn/model.py'" in told


def test_an_unmarked_cell_with_what_the_skeleton_defines_is_named():
    told = read(RELU + MLP, MODEL.partition("\n")[2]).lost["fnn/model.py"]
    assert "hw.ipynb, cell 2: it defines fit, predict of fnn/model.py, but has no mark" in told
    assert "'# file: fnn/model.py'" in told


def test_a_cell_that_is_simply_gone_shows_nothing():
    assert read(RELU + MLP).lost == {}


def test_a_notebook_without_any_code_is_refused():
    with pytest.raises(Rejected, match="no code"):
        read(("markdown", "# Title"))
