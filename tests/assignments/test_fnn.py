"""The public folder of fnn: manifest, notebook, handouts and public tests hang together."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from grader.assignment import load_assignment

HOME = Path(__file__).parents[2]
SOLUTION = HOME / "reference" / "fnn"
MODULES = ("layers.py", "optim.py", "model.py", "study.py")


def test_the_lab_is_worth_fourteen_points_in_the_parts_of_the_course(fnn_lab):
    assignment = load_assignment(fnn_lab)
    assert assignment.max_score == 14
    assert [int(part.points) for part in assignment.parts] == [5, 4, 3, 2]
    assert [item.id for item in assignment.items if item.manual] == ["report"]


@pytest.mark.parametrize("module", MODULES)
def test_the_notebook_holds_the_skeleton_one_cell_a_file(fnn_lab, module):
    notebook = nbformat.read(fnn_lab / "fnn.ipynb", as_version=4)
    marker = f"# file: {module}\n"
    (cell,) = [c for c in notebook.cells if c.source.startswith(marker)]
    assert cell.source.removeprefix(marker) + "\n" == (fnn_lab / "fnn" / module).read_text("utf-8")


@pytest.mark.parametrize("handout", ["README.md", "README.zh.md"])
def test_the_handout_prints_the_points_of_the_manifest(fnn_lab, handout):
    rows = re.findall(r"^\| \S+ \| (\d+) \| .*\d", (fnn_lab / handout).read_text("utf-8"), re.M)
    points = [int(part.points) for part in load_assignment(fnn_lab).parts]
    assert [int(row) for row in rows] == points[:3]  # the last row names no item


@pytest.mark.parametrize("module", ["__init__.py", "layers.py", "optim.py"])
def test_the_numpy_files_do_not_touch_torch(fnn_lab, module):
    assert "import torch" not in (fnn_lab / "fnn" / module).read_text("utf-8")


def public_tests(folder: Path, lab: Path, package: Path) -> str:
    shutil.copytree(package, folder / "fnn", ignore=shutil.ignore_patterns("suite", "mutants"))
    shutil.copy(lab / "test_fnn.py", folder)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_fnn.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


def test_the_reference_passes_the_public_tests(fnn_lab, tmp_path):
    last = public_tests(tmp_path, fnn_lab, SOLUTION).splitlines()[-1]
    assert "passed" in last and "failed" not in last


def test_the_skeleton_passes_no_public_test_and_is_told_what_to_write(fnn_lab, tmp_path):
    output = public_tests(tmp_path, fnn_lab, fnn_lab / "fnn")
    assert "passed" not in output.splitlines()[-1]
    for name in ("activation", "softmax", "cross_entropy", "MLP", "step", "FNN", "fit", "run_cell"):
        assert f"{name} is not written yet" in output
    assert "Traceback" not in output
