"""The forty submissions are what they are said to be."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from overhead.peers import forms
from overhead.students import HERE, load_students, merged

STUDENTS = load_students()
SUITE = HERE / "home" / "reference" / "smallnet" / "suite" / "test_functions.py"

HONEST = ("31", "32", "33")  # wrong, and they end

# Each submission in a fork of its own: some change warnings, logging or NumPy for good.
TRIAL = """
import json, os, sys, types
import checks, torch

torch.set_num_threads(1)
torch.testing.assert_close(torch.ones(1), torch.ones(1))  # imports much, here for every fork
names = [name for name in dir(checks) if name.startswith("check_")]


def lost(source):
    student = types.ModuleType("functions")
    exec(source, student.__dict__)
    for name in names:
        try:
            getattr(checks, name)(student)
        except AssertionError:
            yield name.removeprefix("check_")


for name, source in json.load(sys.stdin).items():
    sys.stdout.flush()
    if not (pid := os.fork()):
        kept = os.dup(1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.write(kept, f"{name}: {' '.join(lost(source))}\\n".encode())
        os._exit(0)
    os.waitpid(pid, 0)
"""


@pytest.fixture(scope="module")
def lost():
    """Return the checks that each submission loses, of those that can be tried without a limit."""
    students = [s for s in STUDENTS if s.right or s.name[:2] in HONEST]
    answer = subprocess.run(
        [sys.executable, "-c", TRIAL],
        input=json.dumps({s.name: s.source for s in students}),
        env={**os.environ, "PYTHONPATH": str(Path(forms.CHECKS).parent), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = (line.split(": ", 1) for line in answer.stdout.splitlines() if ": " in line)
    return {name: lost.split() for name, lost in pairs}


def test_there_are_thirty_right_ten_wrong_and_four_of_these_cheat():
    assert [s.right for s in STUDENTS].count(True) == 30
    assert [s.right for s in STUDENTS].count(False) == 10
    assert [s.name for s in STUDENTS if s.cheat] == [
        "34_equal_to_everything",
        "36_exit_at_import",
        "39_patched_comparisons",
        "40_reads_the_answers",
    ]


def test_the_right_ones_pass_every_check(lost):
    right = [s.name for s in STUDENTS if s.right]
    assert {name: lost[name] for name in right} == {name: [] for name in right}


def test_honestly_wrong_ones_lose_the_check_of_what_they_do_wrong(lost):
    assert {name: checks for name, checks in lost.items() if name[:2] in HONEST} == {
        "31_off_by_one": ["cross_entropy"],
        "32_wrong_axis": ["softmax", "softmax_of_large_logits"],
        "33_nan": ["softmax_of_large_logits"],
    }


def test_no_two_submissions_are_the_same():
    assert len({s.source for s in STUDENTS}) == len(STUDENTS)


def test_a_change_replaces_what_it_defines_and_nothing_else():
    solution = "import x\n\n\ndef a():\n    return 1\n\n\ndef b():\n    return 2\n"
    text = merged(solution, "def a():\n    return 3\n")
    names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert sorted(names) == ["a", "b"]
    assert "return 1" not in text
    assert "return 3" in text


def test_this_engine_and_the_peers_are_asked_the_same():
    functions = [n for n in ast.parse(SUITE.read_text()).body if isinstance(n, ast.FunctionDef)]
    ours = [f.name.removeprefix("test_") for f in functions if f.name.startswith("test_")]
    assert ours == forms.names()


@pytest.mark.parametrize("form", [forms.pytest_module, forms.unittest_module])
def test_a_form_has_a_test_for_every_check(form):
    tree = ast.parse(form())
    found = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    assert {f"test_{name}" for name in forms.names()} <= found


def test_every_check_is_a_graded_cell_of_the_notebook():
    cells = forms.nbgrader_notebook("pass").cells
    graded = [c.metadata.nbgrader.grade_id for c in cells if c.metadata.nbgrader.grade]
    assert graded == [f"test_{name}" for name in forms.names()]
    assert all("BEGIN HIDDEN TESTS" in c.source for c in cells[1:])
