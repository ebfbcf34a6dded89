"""Layers to be written from scratch: staff see what they use, by source and by run."""

import dataclasses
from pathlib import Path

import pytest

from grader.authoring import reference_submission
from grader.grading import GradingPool
from grader.intake.submission import AcceptedFile
from grader.lab.catalogue import Catalogue
from grader.report import RunStatus
from grader.report.redaction import for_student
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[2] / "home"
KEY = b"k" * 32
LAYERS = "scratch/layers.py"

pytestmark = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)

TOP = """\
import threading
import torch, torch.nn as nn, torch.nn.functional as F
from scratch import model
def attention(q, k, v): return torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1) @ v
"""
FIRST = TOP.count("\n") + 1


@pytest.fixture(scope="module")
def lab():
    return Catalogue(HOME).get("scratch")


@pytest.fixture(scope="module")
def pool():
    with GradingPool() as made:
        yield made


@pytest.fixture(scope="module")
def graded(lab, pool):
    """Return a function that grades the reference with a ``layers.py`` of its own."""

    def run(code, top=TOP):
        reference = reference_submission(lab)
        files = tuple(
            AcceptedFile(LAYERS, (top + code).encode()) if file.path == LAYERS else file
            for file in reference.files
        )
        report = pool.grade(lab, dataclasses.replace(reference, files=files), key=KEY).report
        assert report.status is RunStatus.GRADED, report.fault
        return report

    return run


def places(report, how):
    """Return (line below TOP, last part of the name) of the findings of one kind."""
    return {
        (found.line - FIRST + 1, found.name.rpartition(".")[2])
        for found in report.findings
        if found.how == how
    }


def test_the_reference_works_by_hand(lab, pool):
    report = pool.grade(lab, reference_submission(lab), key=KEY).report
    assert (report.score, report.findings) == (8.0, ()), report.fault


def test_a_forbidden_call_is_found_by_source_and_by_run_and_keeps_its_points(graded):
    report = graded("def conv2d(x, w):\n    return F.conv2d(x, w)\n")
    assert report.score == 8.0
    source, run = report.findings
    assert (source.how, source.path, source.line, source.source, source.sure) == (
        "source", LAYERS, FIRST + 1, "return F.conv2d(x, w)", "certain",
    )  # fmt: skip
    assert (run.how, run.line, run.source) == ("run", FIRST + 1, "return F.conv2d(x, w)")
    assert run.test == "test_layers.py::test_conv2d"
    assert {found.name for found in report.findings} == {"torch.nn.functional.conv2d"}
    student = for_student(report, due_passed=True, published=True).model_dump_json()
    assert "finding" not in student and "F.conv2d" not in student


def test_a_process_shared_by_tests_tells_each_test_apart(graded):
    code = (
        "def conv2d(x, w):\n    return model.F.conv2d(x, w)\n"
        "def attention(q, k, v): return F.scaled_dot_product_attention(q, k, v)\n"
    )
    ran = {found.name: found.test for found in graded(code).findings if found.how == "run"}
    assert ran == {
        "torch.nn.functional.conv2d": "test_layers.py::test_conv2d",
        "torch.nn.functional.scaled_dot_product_attention": "test_layers.py::test_attention",
    }


# What each way of hiding is seen by; the documents list those that are seen by neither.
HIDING = {
    "computed-name": ("return getattr(F, 'd2vnoc'[::-1])(x, w)", "unclear", True),
    "eval": ("return eval('F.con' + 'v2d')(x, w)", "unclear", True),
    "layer-as-a-function": ("return nn.Conv2d.forward(layer(w), x)", "certain", True),
    "kernel": ("return torch.ops.aten.conv2d(x, w)", "certain", True),
    "another-file": ("return model.F.conv2d(x, w)", None, True),
    "a-helper-of-another-file": ("return model.features(x, w) - model.features(-x, w)", None, True),
    "thread": ("return threaded(lambda: F.conv2d(x, w))", "certain", False),
    "switched-off": (
        "with torch._C.DisableTorchFunction(): return model.F.conv2d(x, w)", "unclear", False,
    ),
    "another-file-in-a-thread": ("return threaded(lambda: model.F.conv2d(x, w))", None, False),
    "mode-taken-off-the-stack": (
        "import torch.overrides as o\n"
        "    with o._pop_mode_temporarily(): return model.F.conv2d(x, w)",
        "unclear", False,
    ),
}  # fmt: skip

HELPERS = """
def layer(w):
    made = nn.Conv2d(*w.shape[1::-1], tuple(w.shape[2:]), bias=False)
    made.weight.data = w
    return made
def threaded(go):
    out = []
    thread = threading.Thread(target=lambda: out.append(go()))
    thread.start(); thread.join()
    return out[0]
"""


@pytest.mark.parametrize(("code", "source", "run"), HIDING.values(), ids=HIDING)
def test_what_each_way_of_hiding_is_seen_by(graded, code, source, run):
    report = graded(f"def conv2d(x, w):\n    {code}\n{HELPERS}")
    assert report.score == 8.0, [test.detail for test in report.tests]
    own = [f for f in report.findings if f.line <= FIRST + 2]
    assert {f.sure for f in own if f.how == "source"} == ({source} if source else set())
    assert any(f.how == "run" for f in report.findings) is run


def test_a_student_that_lies_to_the_watch_adds_no_text_to_the_report(graded):
    code = (
        "import sys\n"
        "def conv2d(x, w):\n"
        "    watch = sys.modules['guest.watch'].Watch\n"
        "    watch.used = lambda self: [['scratch.layers', 1, 'SECRET'], ['SECRET', 1, 'x']]\n"
        "    return F.unfold(x, w.shape[2:]).new_ones(1)\n"
    )
    report = graded(code)
    assert "SECRET" not in "".join(f"{f.name}{f.path}" for f in report.findings)


def test_a_student_that_breaks_the_watch_is_graded_as_without_it(graded):
    code = (
        "import sys\n"
        "def conv2d(x, w):\n"
        "    def used(self): raise SystemExit\n"
        "    sys.modules['guest.watch'].Watch.used = used\n"
        "    return F.conv2d(x, w)\n"
    )
    report = graded(code)
    assert report.score == 8.0
    assert {found.how for found in report.findings} == {"source"}


def test_an_error_of_watched_code_reads_as_without_the_watch(graded):
    report = graded("def conv2d(x, w):\n    return F.relu('a')\n")
    (detail,) = {test.detail for test in report.tests if "conv2d" in test.id}
    assert "watch.py" not in detail and "overrides.py" not in detail
    assert detail.rstrip().endswith("must be Tensor, not str")
