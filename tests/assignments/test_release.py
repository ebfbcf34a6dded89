"""What students get of every complete lab: as the reference makes it, and enough by itself."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grader.authoring import reference_submission
from grader.authoring.release import plan_release
from grader.intake import receive
from grader.lab.catalogue import Catalogue, Lab
from grader.public_tests import run_public_tests
from grader.report import Outcome

HOME = Path(__file__).parents[2]


def is_complete(lab: Lab) -> bool:
    parts = [lab.public / "README.md", lab.public / f"{lab.assignment.slug}.ipynb", lab.suite]
    return all(part and part.exists() for part in parts) and any(lab.public.glob("test_*.py"))


LABS = [lab for lab in Catalogue(HOME).labs() if is_complete(lab)]
every_lab = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.assignment.slug)


@pytest.fixture
def unpacked(lab: Lab, tmp_path: Path) -> Path:
    """Return a folder that holds the lab's zip and nothing else."""
    with zipfile.ZipFile(io.BytesIO(plan_release(HOME, lab.assignment.slug).zip())) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    return folder


def public_tests(folder: Path) -> list[ElementTree.Element]:
    """Run the public tests as the handout says, and return the report of each."""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--junitxml=results.xml", *(file.name for file in folder.glob("test_*.py"))]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=folder, env=one_thread, capture_output=True, timeout=280)
    return list(ElementTree.parse(folder / "results.xml").iter("testcase"))


def test_fnn_is_a_complete_lab():
    assert "fnn" in {lab.assignment.slug for lab in LABS}


@every_lab
def test_the_public_half_is_as_the_reference_makes_it(lab):
    planned = plan_release(HOME, lab.assignment.slug)
    assert planned.changes() == []
    assert planned.leaks == ()


@every_lab
def test_the_skeleton_alone_says_what_is_to_be_written(lab, unpacked):
    reports = public_tests(unpacked)
    said = [end.get("message") for test in reports for end in test if end.tag == "failure"]
    assert said
    assert [message for message in said if "is not written yet" not in message] == []
    assert [end for test in reports for end in test if end.tag == "error"] == []


@every_lab
def test_the_solution_in_the_skeletons_place_passes_the_public_tests(lab, unpacked):
    for file in reference_submission(lab).files:
        (unpacked / file.path).write_bytes(file.content)
    reports = public_tests(unpacked)
    assert reports
    assert [test.get("name") for test in reports if len(test)] == []


@every_lab
def test_the_solution_in_the_notebook_passes_the_public_tests(lab, unpacked):
    book = unpacked / f"{lab.assignment.slug}.ipynb"
    filled_in(book, lab)
    for file in unpacked.rglob("*.py"):
        file.unlink()
    submission = receive(unpacked, lab.assignment)
    assert {file.path for file in submission.files} >= {
        file.path for file in lab.assignment.files if file.required
    }
    results = run_public_tests(lab, submission)
    assert results
    assert [result.title for result in results if result.outcome is not Outcome.PASSED] == []


@every_lab
@pytest.mark.parametrize("solved", [False, True], ids=["skeleton", "solution"])
def test_jupyter_runs_all_cells_up_to_the_public_tests_and_no_sweep(lab, unpacked, solved):
    book = unpacked / f"{lab.assignment.slug}.ipynb"
    if solved:
        filled_in(book, lab)
    run_all_cells(book)
    *_, last = json.loads(book.read_text("utf-8"))["cells"]
    said = "".join("".join(output.get("text", "")) for output in last["outputs"])
    assert " passed" in said if solved else "is not written yet" in said
    assert (" failed" in said) is not solved
    assert not (unpacked / "results.csv").exists()


def run_all_cells(book: Path) -> None:
    """Run a notebook in a kernel of Jupyter and save it; a cell that raises ends it."""
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "HOME": str(book.parent)}
    command = [sys.executable, "-c", "from nbclient.cli import main; main()", "--inplace"]
    ended = subprocess.run(
        [*command, str(book)], cwd=book.parent, env=environ, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-3000:]


def filled_in(book: Path, lab: Lab) -> None:
    """Put the solution in the cells of the notebook, as a student would."""
    notebook = json.loads(book.read_text("utf-8"))
    solution = {Path(file.path).name: file.content for file in reference_submission(lab).files}
    for cell in notebook["cells"]:
        first = "".join(cell["source"]).partition("\n")[0]
        name = first.removeprefix("# file: ")
        if name != first:
            cell["source"] = f"{first}\n{solution[name].decode()}"
    book.write_text(json.dumps(notebook), "utf-8")
