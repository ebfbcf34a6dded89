"""What students get of every complete lab: as the reference makes it, and enough by itself.

A notebook run proves both halves of a release: its cells write the lab's files beside it, and its
last cell runs the public tests on them, in a folder that holds what the zip holds.
"""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.authoring import reference_submission
from grader.authoring.draw import draw
from grader.authoring.release import plan_release
from grader.competition import read_predictions
from grader.competition.drawn import files_of
from grader.intake import receive
from grader.intake.submission import AcceptedFile
from grader.lab.catalogue import Catalogue, Lab

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


def test_fnn_is_a_complete_lab():
    assert "fnn" in {lab.assignment.slug for lab in LABS}


@every_lab
def test_the_public_half_is_as_the_reference_makes_it(lab):
    planned = plan_release(HOME, lab.assignment.slug)
    assert planned.changes() == []
    assert planned.leaks == ()


@every_lab
def test_the_skeletons_notebook_says_in_every_test_what_is_to_be_written(lab, unpacked):
    asked = [file.path for file in lab.assignment.files if file.module]
    before = {path: (unpacked / path).read_bytes() for path in asked}
    said = run_all_cells(unpacked / f"{lab.assignment.slug}.ipynb")
    lost = re.findall(r"^(FAILED|ERROR) .*? - (.*)$", said, re.MULTILINE)
    assert len(lost) > 1
    assert [one for one in lost if one[0] == "ERROR" or "is not written yet" not in one[1]] == []
    after = {path: (unpacked / path).read_bytes() for path in asked}
    assert texts(after) == texts(before), "notebook and folder hold two skeletons"
    assert not (unpacked / "results.csv").exists(), "a cell ran the study's sweep"


@every_lab
def test_the_solutions_notebook_passes_the_public_tests_with_no_more_than_is_given(lab, unpacked):
    book = unpacked / f"{lab.assignment.slug}.ipynb"
    filled_in(book, lab)
    given = {unpacked / file.path for file in lab.assignment.given}
    for file in set(unpacked.rglob("*.py")) - given - set(unpacked.glob("test_*.py")):
        file.unlink()
    said = run_all_cells(book)
    assert re.fullmatch(r"\d+ passed in .*", said.strip().splitlines()[-1]), said
    assert not (unpacked / "results.csv").exists(), "a cell ran the study's sweep"
    solution = {file.path: file.content for file in modules(lab)}
    assert texts({path: (unpacked / path).read_bytes() for path in solution}) == texts(solution)
    handed_in = {file.path: file.content for file in receive(book, lab.assignment).files}
    assert texts(handed_in) == texts(solution)


def test_the_notebook_of_a_competition_writes_predictions_that_pass(tmp_path):
    lab = Catalogue(HOME).get("swing")
    with zipfile.ZipFile(io.BytesIO(plan_release(HOME, "swing").zip())) as archive:
        archive.extractall(tmp_path)
    drawn = files_of(draw(lab, bytes(32)), lab.assignment.competition)
    (tmp_path / "swing" / "data").mkdir()
    for path, content in drawn.items():
        half, _, name = path.partition("/")
        if half == "students":
            (tmp_path / "swing" / "data" / name).write_bytes(content)
    said = run_all_cells(tmp_path / "swing" / "swing.ipynb")
    assert re.fullmatch(r"\d+ passed in .*", said.strip().splitlines()[-1]), said
    written = (tmp_path / "swing" / "predictions.csv").read_bytes()
    ids = draw(lab, bytes(32)).labels.ids
    assert read_predictions(written, lab.assignment.competition, ids).shape == (3000, 1)


def modules(lab: Lab) -> list[AcceptedFile]:
    """Return the reference's Python files."""
    return [file for file in reference_submission(lab).files if file.path.endswith(".py")]


def texts(files: dict[str, bytes]) -> dict[str, str]:
    """Return files without a cell's mark and the blank lines at the end, which no cell can have."""
    return {
        path: re.sub(r"\A# file: .*\n", "", content.decode()).strip()
        for path, content in files.items()
    }


def run_all_cells(book: Path) -> str:
    """Run a notebook in a kernel of Jupyter; return what its last cell, the public tests, printed.

    A cell that raises ends it. The kernel has pytest as students have it, without our plugins.
    """
    own = {"OMP_NUM_THREADS": "1", "HOME": str(book.parent)}
    own |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PY_COLORS": "0", "COLUMNS": "400"}
    command = [sys.executable, "-c", "from nbclient.cli import main; main()", "--inplace"]
    ended = subprocess.run(
        [*command, str(book)], cwd=book.parent, env=os.environ | own, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    *_, last = json.loads(book.read_text("utf-8"))["cells"]
    return "".join("".join(output.get("text", "")) for output in last["outputs"])


def filled_in(book: Path, lab: Lab) -> None:
    """Put the solution in the cells of the notebook, as a student would.

    Modules of its own get cells of their own, before those that import them.
    """
    notebook = json.loads(book.read_text("utf-8"))
    solution = {Path(file.path).name: file.content for file in reference_submission(lab).files}
    for cell in notebook["cells"]:
        first = "".join(cell["source"]).partition("\n")[0]
        name = first.removeprefix("# file: ")
        if name != first:
            cell["source"] = f"{first}\n{solution.pop(name).decode()}"
    for name in sorted(name for name in solution if name.endswith(".py")):
        asked = f"from .{name.removesuffix('.py')} import"
        place = next(n for n, cell in enumerate(notebook["cells"]) if asked in cell["source"])
        own = notebook["cells"][place] | {"id": name.replace(".", "-")}
        own["source"] = f"# file: {name}\n{solution[name].decode()}"
        notebook["cells"].insert(place, own)
    book.write_text(json.dumps(notebook), "utf-8")
