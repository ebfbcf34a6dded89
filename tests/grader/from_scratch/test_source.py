"""Forbidden names are found in the source however they are spelt, and nothing honest is."""

import json
from types import SimpleNamespace

import pytest

from grader.from_scratch import findings_in_file, findings_in_source
from grader.intake.notebook import modules_of
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.manifest import SubmittedFile
from grader.lab.operators import same_work

CONV = same_work(["torch.nn.functional.conv2d"])
TOP = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"


def mentions(code, names=CONV, top=TOP):
    """Return what is found below the imports, as (line below them, name, how sure)."""
    found = findings_in_file("lab/layers.py", (top + code).encode(), names)
    return [(one.line - top.count("\n"), one.name, one.sure) for one in found]


F_CONV = "torch.nn.functional.conv2d"
SPELT = {
    "module-alias": ("y = F.conv2d(x, w)", F_CONV),
    "whole-name": ("y = torch.nn.functional.conv2d(x, w)", F_CONV),
    "layer": ("layer = nn.Conv2d(1, 1, 3)", "torch.nn.Conv2d"),
    "function-of-torch": ("y = torch.conv2d(x, w)", "torch.conv2d"),
    "subclass": ("class Mine(nn.Conv2d): pass", "torch.nn.Conv2d"),
    "kernel": ("torch.ops.aten.convolution.default(x)", "torch.ops.aten.convolution.default"),
    "private": ("torch._C._VariableFunctions.conv2d(x, w)", "torch.conv2d"),
    "another-dimension": ("F.conv3d(x, w)", "torch.nn.functional.conv3d"),
    "the-gradient": ("torch.nn.grad.conv2d_input(s, w, dy)", "torch.nn.grad.conv2d_input"),
    "getattr": ('getattr(F, "conv2d")(x, w)', F_CONV),
    "getattr-joined": ('getattr(F, "con" + "v2d")(x, w)', F_CONV),
    "dunder": ('F.__getattribute__("conv2d")(x, w)', F_CONV),
    "object-dunder": ('object.__getattribute__(F, "conv2d")(x, w)', F_CONV),
    "dict": ('torch.nn.functional.__dict__["conv2d"](x, w)', F_CONV),
    "dict-get": ('F.__dict__.get("conv2d")(x, w)', F_CONV),
    "vars": ('vars(F)["conv2d"](x, w)', F_CONV),
    "globals": ('globals()["F"].conv2d(x, w)', F_CONV),
    "dunder-import": ('__import__("torch").conv2d(x, w)', "torch.conv2d"),
    "back-to-torch": ("F.torch.conv2d(x, w)", "torch.conv2d"),
    "default": ("def f(x, op=F.conv2d): return 1", F_CONV),
    "lambda": ("f = lambda x: F.conv2d(x, x)", F_CONV),
    "walrus": ("(f := F.conv2d)", F_CONV),
    "in-a-table": ('ops = {"conv": F.conv2d}', F_CONV),
}


@pytest.mark.parametrize(("code", "name"), SPELT.values(), ids=SPELT)
def test_a_forbidden_name_is_found_however_it_is_spelt(code, name):
    assert mentions(code) == [(1, name, "certain")]


FOLLOWED = {
    "assigned": ("f = F.conv2d\ny = f(x, w)", [1, 2]),
    "assigned-twice": ("f = F.conv2d\ng = f\ny = g(x, w)", [1, 2, 3]),
    "before-its-binding": ("def go(x):\n    return f(x, x)\nf = F.conv2d", [2, 3]),
    "unpacked": ("f, n = F.conv2d, 3\ny = f(x, w)", [1, 2]),
    "module-assigned": ("G = F\ny = G.conv2d(x, w)", [2]),
    "name-assigned": ('n = "conv2d"\ny = getattr(F, n)(x, w)', [2]),
    "partial": ("import functools\nf = functools.partial(F.conv2d, w)\nf(x)", [2, 3]),
    "imported-as": ("from torch.nn import Conv2d as C\nlayer = C(1, 1, 3)", [2]),
    "imported-only": ("from torch.nn import Conv2d as C", [1]),
    "module-imported": ("import importlib\nimportlib.import_module('torch').conv2d(x)", [2]),
    "out-of-sys": ("import sys\nsys.modules['torch'].conv2d(x, w)", [2]),
    "attrgetter": ("from operator import attrgetter as a\na('conv2d')(F)(x, w)", [2]),
    "method-of-its-name": (
        "from torch import conv2d\nclass M:\n    def conv2d(self, x):\n        return conv2d(x, x)",
        [4],
    ),
    "default-called": ("def go(x, op=F.conv2d):\n    return op(x, x)", [1, 2]),
}


@pytest.mark.parametrize(("code", "lines"), FOLLOWED.values(), ids=FOLLOWED)
def test_aliases_are_followed_within_the_module(code, lines):
    assert [line for line, _, _ in mentions(code)] == lines


HONEST = {
    "unfold": "cols = F.unfold(x, 3)\ny = w.view(8, -1) @ cols",
    "own-function": "def conv2d(x, w): return x\ny = conv2d(1, 2)",
    "own-parameter": "def go(F, x): return F.conv2d(x, x)",
    "own-parameter-named-so": "def go(conv2d, x): return conv2d(x)",
    "only-an-annotation": "def go(layer: nn.Conv2d) -> nn.Conv2d: ...\nlayer: nn.Conv2d",
    "a-comment": "# F.conv2d would be faster\nx = 'F.conv2d'",
    "evaluation-mode": "model = nn.ReLU()\nmodel.eval()",
    "regular-expression": "import re\nre.compile('x')",
    "getattr-of-own": "class M:\n    def go(self, n): return getattr(self, n)",
    "computed-of-other": "import math\ndef go(n): return getattr(math, n)",
    "not-python": "def go(:",
}


@pytest.mark.parametrize("code", HONEST.values(), ids=HONEST)
def test_honest_code_gives_no_finding(code):
    assert mentions(code) == []


UNCLEAR = {
    "computed-name": "def go(n, x): return getattr(F, n)(x)",
    "reversed-name": 'y = getattr(F, "d2vnoc"[::-1])(x, w)',
    "module-walked": "f = [v for v in vars(F).values()]",
    "subclasses-walked": "kinds = nn.Module.__subclasses__()",
    "eval": "y = eval('F.' + 'conv' + '2d')",
    "exec": "exec('y = 1')",
    "computed-module": "m = __import__(name)",
    "watch-switched-off": "with torch._C.DisableTorchFunction(): pass",
    "compiled": "@torch.jit.script\ndef go(x: int): return x",
}


@pytest.mark.parametrize("code", UNCLEAR.values(), ids=UNCLEAR)
def test_what_is_made_at_run_time_or_gets_around_is_unclear(code):
    assert {sure for _, _, sure in mentions(code)} == {"unclear"}


def test_a_name_with_two_meanings_is_only_likely():
    code = "f = F.relu\nif x: f = F.conv2d\ny = f(x)"
    assert mentions(code) == [(2, F_CONV, "certain"), (3, F_CONV, "likely")]


def test_a_star_import_is_only_likely():
    code = "from torch.nn.functional import *\ny = conv2d(x, w)"
    assert mentions(code) == [(2, F_CONV, "likely")]


def test_a_finding_shows_its_line_without_what_could_harm_a_terminal_or_page():
    (finding,) = findings_in_file(
        "lab/layers.py",
        TOP.encode() + b"y = F.conv2d(x) # \x1b[2J\xe2\x80\xae<b>" + b"z" * 999,
        CONV,
    )
    assert finding.source.startswith("y = F.conv2d(x) # <b>zz")
    assert len(finding.source) <= 160
    assert (finding.path, finding.line, finding.how) == ("lab/layers.py", 4, "source")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("x = " + "+".join(["F.conv2d"] * 3000), id="deep-sum"),
        pytest.param("x = " + "-" * 50_000 + "1", id="deep-sign"),
    ],
)
def test_a_file_that_defeats_the_reader_is_a_finding_too(code):
    assert [sure for _, _, sure in mentions(code)] == ["unclear"]


def test_lines_are_those_python_counts():
    code = 'a = "\x0c"\r\nb = "\u2028"\rc = F.conv2d'
    assert [line for line, _, _ in mentions(code)] == [3]


def test_a_finding_in_a_notebook_has_the_line_of_its_cell():
    cell = "# file: layers.py\n%matplotlib inline\nimport torch\n\n!ls\ny = torch.conv2d(x, w)\n"
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": "text"},
            {
                "cell_type": "code",
                "metadata": {},
                "source": cell,
                "outputs": [],
                "execution_count": None,
            },
        ],
    }
    modules = modules_of("hw.ipynb", json.dumps(book).encode(), ["lab/layers.py"], 10**6)
    (finding,) = findings_in_file("lab/layers.py", modules.sources["lab/layers.py"], CONV)
    line = finding.line
    assert cell.splitlines()[line - 1] == "y = torch.conv2d(x, w)" == finding.source


def test_other_libraries_can_be_forbidden_too():
    names = same_work(["numpy.linalg.lstsq"])
    code = "w = np.linalg.lstsq(x, y)"
    assert mentions(code, names, "import numpy as np\n") == [(1, "numpy.linalg.lstsq", "certain")]


def test_a_module_of_the_students_own_is_read_for_what_any_file_must_do_without():
    """Else what is forbidden in one file would be moved into a file that nobody looks at."""
    files = (
        SubmittedFile(path="lab/layers.py", from_scratch=(F_CONV,)),
        SubmittedFile(path="lab/model.py"),
        SubmittedFile(path="results.csv", required=False),
    )
    conv = f"{TOP}y = F.conv2d(x, w)\n".encode()
    named = ("lab/layers.py", "lab/model.py", "lab/own.py", "results.csv")
    submission = Submission("ada", tuple(AcceptedFile(path, conv) for path in named))
    found = findings_in_source(SimpleNamespace(files=files), submission)
    assert [(one.path, one.name) for one in found] == [
        ("lab/layers.py", F_CONV),
        ("lab/own.py", F_CONV),
    ]
