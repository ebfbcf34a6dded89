"""A release makes the public half from the staff's half, tells what differs, and leaks nothing."""

import io
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from grader.authoring.new import new_lab
from grader.authoring.release import plan_release
from grader.cli.main import cli
from grader.errors import AuthoringError, UnknownAssignment
from grader.intake.notebook import modules_of

MUTANT = "forgets_the_bias"
HIDDEN_TEST = "test_gradients_of_random_batches"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "assignments").mkdir()
    new_lab(tmp_path, "lab")
    return tmp_path


@pytest.fixture
def public(home: Path) -> Path:
    return home / "assignments" / "lab"


@pytest.fixture
def reference(home: Path) -> Path:
    return home / "reference" / "lab"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def share(home: Path, public: Path) -> Path:
    """Let the lab give a loader of data, and return the one file that holds it."""
    with (public / "assignment.toml").open("a", encoding="utf-8") as manifest:
        manifest.write('\n[[given]]\npath = "lab/datasets/cora.py"\n')
    file = home / "reference" / "datasets" / "cora.py"
    file.parent.mkdir()
    file.write_text("CORA = 1\n")
    return file


def refused(home: Path) -> list[str]:
    """Return why nothing is written and no zip is packed."""
    planned = plan_release(home, "lab")
    for act in (planned.write, planned.zip):
        with pytest.raises(AuthoringError) as refusal:
            act()
        assert refusal.value.problems == list(planned.leaks)
    return list(planned.leaks)


# ------------------------------------------------------------------------------ what is made


def test_a_change_of_the_reference_reaches_skeleton_and_notebook(home, public, reference):
    change(reference / "layers.py", "Return the layer's output", "Return what comes out")
    changes = plan_release(home, "lab").changes()
    assert changes[0] == "lab/layers.py differs from line 9 on"
    assert [line.split()[0] for line in changes] == ["lab/layers.py", "lab.ipynb"]
    assert plan_release(home, "lab").write() == ["lab/layers.py", "lab.ipynb"]
    assert "Return what comes out" in (public / "lab" / "layers.py").read_text("utf-8")
    assert plan_release(home, "lab").changes() == []


def test_a_file_that_was_deleted_is_missing_and_made_again(home, public):
    (public / "lab" / "__init__.py").unlink()
    assert plan_release(home, "lab").changes() == ["lab/__init__.py is missing"]
    assert plan_release(home, "lab").write() == ["lab/__init__.py"]


def test_what_is_written_by_hand_is_left_alone(home, public):
    change(public / "test_lab.py", "Two examples by hand", "By hand")
    planned = plan_release(home, "lab")
    assert planned.changes() == []
    assert "test_lab.py" not in planned.made and "README.md" not in planned.made


def test_given_files_are_copied_from_the_lab_or_from_what_labs_share(home, public, reference):
    (reference / "extra.py").write_text("EXTRA = 1\n")
    shared = home / "reference" / "datasets"
    shared.mkdir()
    (shared / "cora.py").write_text("CORA = 'ä'\n", "utf-8")
    with (public / "assignment.toml").open("a", encoding="utf-8") as manifest:
        manifest.write('\n[[given]]\npath = "lab/extra.py"\n')
        manifest.write('\n[[given]]\npath = "lab/datasets/cora.py"\n')
    assert plan_release(home, "lab").write() == ["lab/extra.py", "lab/datasets/cora.py"]
    copied = (public / "lab" / "datasets" / "cora.py").read_bytes()
    assert copied == (shared / "cora.py").read_bytes()


def test_loaders_that_labs_share_are_in_the_zip_without_a_copy_in_the_folder(home, public):
    cora = share(home, public)
    planned = plan_release(home, "lab")
    assert planned.changes() == []
    with zipfile.ZipFile(io.BytesIO(planned.zip())) as archive:
        assert archive.read("lab/lab/datasets/cora.py") == cora.read_bytes()
    assert not (public / "lab" / "datasets").exists()


def test_an_old_copy_of_a_loader_is_told_and_not_handed_out(home, public):
    cora = share(home, public)
    plan_release(home, "lab").write()
    cora.write_text("CORA = 2\n")
    planned = plan_release(home, "lab")
    assert planned.changes() == ["lab/datasets/cora.py differs from line 1 on"]
    assert planned.files["lab/datasets/cora.py"] == b"CORA = 2\n"


def test_a_given_file_that_is_nowhere_is_told(home, public):
    with (public / "assignment.toml").open("a", encoding="utf-8") as manifest:
        manifest.write('\n[[given]]\npath = "lab/datasets/cora.py"\n')
    with pytest.raises(
        AuthoringError, match="no reference/lab/datasets/cora.py and no reference/da"
    ):
        plan_release(home, "lab")


def test_a_given_file_has_no_solution(home, reference):
    with (reference / "__init__.py").open("a") as file:
        file.write("# BEGIN SOLUTION\nX = 1\n# END SOLUTION\n")
    with pytest.raises(AuthoringError, match=r"^reference/lab/__init__\.py has marks"):
        plan_release(home, "lab")


def test_marks_of_every_file_are_judged_before_anything_is_made(home, public, reference):
    before = (public / "lab" / "layers.py").read_bytes()
    change(reference / "layers.py", "    # END SOLUTION\n", "")
    with pytest.raises(AuthoringError) as refusal:
        plan_release(home, "lab")
    assert refusal.value.problems == [
        "reference/lab/layers.py:26: BEGIN inside the solution begun at 13"
    ]
    assert (public / "lab" / "layers.py").read_bytes() == before


def test_a_lab_that_is_not_there_or_has_no_reference_is_told(home, reference):
    with pytest.raises(UnknownAssignment, match="did you mean lab"):
        plan_release(home, "lap")
    (reference / "layers.py").unlink()
    with pytest.raises(AuthoringError, match=r"reference/lab/layers\.py is missing"):
        plan_release(home, "lab")
    reference.rename(reference.parent / "other")
    with pytest.raises(AuthoringError, match="reference/lab is missing"):
        plan_release(home, "lab")


# ------------------------------------------------------------------------------ the notebook


def test_intake_reads_the_skeleton_back_from_the_notebook(home, public):
    found = modules_of("lab.ipynb", (public / "lab.ipynb").read_bytes(), ["lab/layers.py"], 10**6)
    cell = found.sources["lab/layers.py"].decode()
    assert cell == "# file: layers.py\n" + (public / "lab" / "layers.py").read_text("utf-8")


def test_a_cell_stands_below_what_the_handout_says_of_its_file(home, public):
    cells = json.loads((public / "lab.ipynb").read_text("utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    at = next(number for number, text in enumerate(texts) if text.startswith("# file: layers.py"))
    assert texts[at - 1].startswith("## lab/layers.py\n\nA dense layer and its gradients.")
    assert "torch is not there when this is graded." in texts[at - 1]
    assert texts[0].startswith("# Lab\n")
    assert "together with `report.md` in a zip" in texts[0]


def test_running_a_graded_cell_saves_it_as_the_file_that_other_cells_import(
    home, public, monkeypatch
):
    cells = json.loads((public / "lab.ipynb").read_text("utf-8"))["cells"]
    set_up = next("".join(c["source"]) for c in cells if "__package__" in "".join(c["source"]))
    registered = {}
    events = SimpleNamespace(register=registered.__setitem__)
    exec(set_up, {"get_ipython": lambda: SimpleNamespace(events=events)})
    monkeypatch.chdir(public)
    registered["pre_run_cell"](SimpleNamespace(raw_cell="# file: layers.py\nX = 1\n"))
    registered["pre_run_cell"](SimpleNamespace(raw_cell="X = 2\n"))
    assert (public / "lab" / "layers.py").read_text("utf-8") == "X = 1\n"


# ------------------------------------------------------------------------------ what must not leak


def test_a_solution_in_a_public_file_is_told_with_file_and_line(home, public, reference):
    change(
        reference / "layers.py", "return x @ w.T + b", "weighted = x @ w.T\n    return weighted + b"
    )
    with (public / "test_lab.py").open("a") as tests:
        tests.write("\n\ndef solve(x, w, b):\n    weighted = x @ w.T\n    return weighted + b\n")
    line = (public / "test_lab.py").read_text().count("\n") - 1
    assert refused(home) == [
        f"assignments/lab/test_lab.py:{line} is part of the solution: weighted = x @ w.T"
    ]


def test_an_idiom_that_a_solution_uses_too_is_no_leak(home, public, reference):
    change(reference / "layers.py", "return x @ w.T + b", "y = x @ w.T\n    return y + b")
    with (public / "test_lab.py").open("a") as tests:
        tests.write("\n\ndef add(y, b):\n    return y + b\n")
    assert plan_release(home, "lab").leaks == ()


def test_a_line_that_stands_outside_the_marks_too_is_no_secret(home, reference):
    line = "rows, columns = np.arange(len(x)), np.arange(len(w))"
    change(reference / "layers.py", "return x @ w.T + b", f"{line}\n    return x @ w.T + b")
    with (reference / "layers.py").open("a") as file:
        file.write(f"\n\ndef shown(x, w):\n    {line}\n    return rows, columns\n")
    assert plan_release(home, "lab").leaks == ()


def test_a_solution_left_in_the_output_of_a_notebook_is_told(home, public):
    output = {"output_type": "stream", "text": ["return dy @ w, dy.T @ x, dy.sum(axis=0)\n"]}
    cell = {"cell_type": "code", "source": ["1\n", "2"], "outputs": [output]}
    (public / "more.ipynb").write_text(json.dumps({"cells": [cell]}))
    (told,) = refused(home)
    assert told.startswith("assignments/lab/more.ipynb:cell 1, line 4 is part of the solution")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(f"See {HIDDEN_TEST}.", f"names the hidden test {HIDDEN_TEST}", id="test"),
        pytest.param(f"({MUTANT})", f"names the mutant {MUTANT}", id="mutant"),
        pytest.param("as in reference/lab/layers.py", "names staff's reference/lab/", id="path"),
        pytest.param("from reference_lab import x", "names staff's reference_lab", id="module"),
        pytest.param("# BEGIN SOLUTION", "has the mark '# BEGIN SOLUTION'", id="mark"),
    ],
)
def test_a_name_that_only_staff_may_know_is_told(home, public, text, told):
    with (public / "README.zh.md").open("a", encoding="utf-8") as handout:
        handout.write(f"{text}\n")
    line = (public / "README.zh.md").read_text("utf-8").count("\n")
    (problem,) = refused(home)
    assert problem.startswith(f"assignments/lab/README.zh.md:{line} {told}")


def test_a_name_that_a_public_test_bears_too_is_no_secret(home, public):
    change(public / "test_lab.py", "def test_dense_grad(", f"def {HIDDEN_TEST}(")
    assert plan_release(home, "lab").leaks == ()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        pytest.param("answer.py", "is staff's reference/lab/suite/test_layers.py", id="content"),
        pytest.param("suite/notes.txt", "bears a name of staff's files", id="folder"),
        pytest.param("calibration.json", "bears a name of staff's files", id="name"),
        pytest.param("baselines/x.toml", "bears a name of staff's files", id="baseline"),
        pytest.param("lab/old.py", "is in the package, but assignment.toml lists it", id="package"),
    ],
)
def test_a_file_that_only_staff_may_have_is_told(home, public, reference, path, told):
    (public / path).parent.mkdir(exist_ok=True)
    hidden = (reference / "suite" / "test_layers.py").read_bytes()
    (public / path).write_bytes(hidden if path == "answer.py" else b"x = 1\n")
    assert refused(home)[0].startswith(f"assignments/lab/{path} {told}")


# ------------------------------------------------------------------------------ the zip


def test_the_zip_holds_the_public_folder_alone_and_always_the_same_bytes(home, public):
    (public / "lab" / "__pycache__").mkdir()
    (public / "lab" / "__pycache__" / "layers.pyc").write_bytes(b"x")
    packed = plan_release(home, "lab").zip()
    for file in public.rglob("*.py"):
        file.touch()
    assert plan_release(home, "lab").zip() == packed
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    there = {
        f"lab/{file.relative_to(public).as_posix()}": file.read_bytes()
        for file in public.rglob("*.*")
        if file.is_file() and file.suffix != ".pyc"
    }
    assert held == there
    assert list(held) == sorted(held)


# ------------------------------------------------------------------------------ the command


@pytest.fixture
def invoke(home, monkeypatch):
    monkeypatch.setenv("GRADER_HOME", str(home))
    return lambda *words: CliRunner().invoke(cli, ["release", *map(str, words)])


def test_check_says_what_differs_and_writes_nothing(invoke, public):
    assert invoke("lab", "--check").output == "lab: all 3 files are as the reference says.\n"
    change(public / "lab" / "layers.py", "is not written yet", "is missing")
    before = (public / "lab" / "layers.py").read_bytes()
    result = invoke("lab", "--check")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "assignments/lab/lab/layers.py differs from line 13 on",
        "Make them anew with: grader release lab",
    ]
    assert (public / "lab" / "layers.py").read_bytes() == before


def test_release_writes_what_differs_and_the_zip(invoke, public, tmp_path):
    (public / "lab.ipynb").unlink()
    result = invoke("lab", "--zip", tmp_path / "out" / "lab.zip")
    assert result.exit_code == 0, result.output
    first, second, third = result.output.splitlines()
    assert first == "Wrote assignments/lab/lab.ipynb"
    assert second == "lab: 1 of 3 files made anew."
    assert third.startswith(f"Wrote {tmp_path}/out/lab.zip: 7 files, SHA-256 ")
    assert zipfile.is_zipfile(tmp_path / "out" / "lab.zip")


def test_a_leak_is_refused_and_no_zip_is_left(invoke, public, tmp_path):
    (public / "calibration.json").write_text("{}")
    result = invoke("lab", "--zip", tmp_path / "lab.zip")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "lab cannot be released yet:",
        "  - assignments/lab/calibration.json bears a name of staff's files",
    ]
    assert not (tmp_path / "lab.zip").exists()


def test_check_and_zip_exclude_one_another(invoke, tmp_path):
    result = invoke("lab", "--check", "--zip", tmp_path / "lab.zip")
    assert result.exit_code == 2


# ------------------------------------------------------------------------------ the solution


def test_the_solution_stands_in_the_students_folder_with_all_that_is_given(home, invoke, tmp_path):
    share(home, home / "assignments" / "lab")
    result = invoke("lab", "--solution", tmp_path / "solved")
    assert result.output == f"Wrote {tmp_path}/solved: 8 files.\n"
    solved = tmp_path / "solved"
    reference = (home / "reference" / "lab" / "layers.py").read_bytes()
    assert (solved / "lab" / "layers.py").read_bytes() == reference
    assert (solved / "lab" / "datasets" / "cora.py").read_text() == "CORA = 1\n"
    assert {"lab", "README.md", "test_lab.py"} <= {path.name for path in solved.iterdir()}
    assert not (home / "assignments" / "lab" / "lab" / "datasets").exists()


def test_the_solution_of_a_variant_has_its_own_answers(home, public, reference, invoke, tmp_path):
    with (public / "assignment.toml").open("a", encoding="utf-8") as manifest:
        manifest.write("\n[variants.usual]\nwide = 1\n\n[variants.wide]\nwide = 2\n")
    change(public / "assignment.toml", "schema = 1", 'schema = 1\ndefault_variant = "usual"')
    own = reference / "variants" / "wide"
    own.mkdir(parents=True)
    (own / "layers.py").write_text("WIDE = 2\n")
    assert invoke("lab", "--solution", tmp_path / "wide", "--variant", "wide").exit_code == 0
    assert (tmp_path / "wide" / "lab" / "layers.py").read_text() == "WIDE = 2\n"
    result = invoke("lab", "--solution", tmp_path / "other", "--variant", "other")
    assert result.exit_code == 2 and "has no variant 'other'" in result.output
    assert not (tmp_path / "other").exists()


def test_a_solution_is_written_over_nothing(invoke, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "layers.py").write_text("MINE = 1\n")
    result = invoke("lab", "--solution", tmp_path / "mine")
    assert result.exit_code == 1
    assert "mine is no empty folder; name another, or remove it" in result.output
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["layers.py"]


@pytest.mark.parametrize("others", [["--check"], ["--zip", "lab.zip"]])
def test_the_solution_stands_alone(invoke, tmp_path, others):
    result = invoke("lab", "--solution", tmp_path / "solved", *others)
    assert result.exit_code == 2 and "--solution stands alone" in result.output
    assert not (tmp_path / "solved").exists()


def test_a_variant_is_for_a_solution(invoke):
    result = invoke("lab", "--variant", "wide")
    assert result.exit_code == 2 and "a release is the same for all" in result.output
