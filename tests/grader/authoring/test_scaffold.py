"""A new lab is complete and sound from the start; one that cannot be made leaves nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.authoring import load_mutants, reference_submission
from grader.authoring.new import Kind, new_lab
from grader.authoring.release import plan_release
from grader.cli.main import cli
from grader.errors import AuthoringError
from grader.lab.catalogue import Catalogue
from grader.public_tests import run_public_tests
from grader.report import Outcome

ROOT = Path(__file__).resolve().parents[3]
LONGEST = "l" * 40


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "assignments").mkdir()
    return tmp_path


def files(folder: Path) -> list[str]:
    found = (file.relative_to(folder).as_posix() for file in folder.rglob("*"))
    return sorted(found)


def test_a_new_lab_is_in_the_catalogue_with_all_its_parts(home):
    made = new_lab(home, "lab", title='A "dense" layer', title_zh="全连接层")
    assert made == [path for path in files(home) if (home / path).is_file()]
    lab = Catalogue(home).get("lab")
    assert (lab.assignment.title, lab.assignment.title_zh) == ('A "dense" layer', "全连接层")
    assert lab.assignment.max_score == 14
    assert len(load_mutants(lab)) == 3
    planned = plan_release(home, "lab")
    assert planned.changes() == [] and planned.leaks == ()


def test_a_new_competition_is_in_the_catalogue_with_all_its_parts(home):
    made = new_lab(home, "rings", title="Three rings", kind=Kind.COMPETITION)
    assert made == [path for path in files(home) if (home / path).is_file()]
    about = Catalogue(home).get("rings").assignment
    assert about.competition is not None and about.max_score == about.competition.most == 25
    planned = plan_release(home, "rings")
    assert planned.changes() == [] and planned.leaks == ()
    assert not any("draw" in path for path in planned.files)


def test_titles_have_defaults(home):
    new_lab(home, "graph_net")
    about = Catalogue(home).get("graph_net").assignment
    assert about.title == about.title_zh == "Graph net"


def test_every_mutant_of_a_new_lab_changes_its_reference(home):
    new_lab(home, "lab")
    lab = Catalogue(home).get("lab")
    reference = reference_submission(lab)
    assert all(mutant.apply(reference) != reference for mutant in load_mutants(lab))


def test_the_solution_of_a_new_lab_passes_its_public_tests(home):
    new_lab(home, "lab")
    lab = Catalogue(home).get("lab")
    results = run_public_tests(lab, reference_submission(lab))
    assert [result.outcome for result in results] == [Outcome.PASSED] * 2


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("slug", ["a", LONGEST])
def test_the_code_of_a_new_lab_is_as_this_repository_wants_code(home, slug, kind):
    new_lab(home, slug, kind=kind)
    shutil.copy(ROOT / "pyproject.toml", home)
    own = ["--config", 'lint.isort.known-first-party=["grader"]']  # as in this repository
    for command in (["check", *own], ["format", "--check"]):
        words = [sys.executable, "-m", "ruff", *command, "--no-cache", "."]
        done = subprocess.run(words, cwd=home, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("slug", "told"),
    [
        pytest.param("Lab", "use lower-case letters", id="capital"),
        pytest.param("../lab", "use lower-case letters", id="path"),
        pytest.param("", "use lower-case letters", id="empty"),
        pytest.param("l" * 41, "use lower-case letters", id="long"),
        pytest.param("class", "a word of the Python language", id="keyword"),
        pytest.param("datasets", "for loaders of data", id="shared"),
        pytest.param("random", "Python has a module 'random'", id="standard-library"),
        pytest.param("torch", "Python has a module 'torch'", id="installed"),
    ],
)
def test_a_name_that_will_not_do_is_refused(home, slug, told):
    with pytest.raises(AuthoringError, match=told):
        new_lab(home, slug)
    assert files(home) == ["assignments"]


@pytest.mark.parametrize("title", ["two\nlines", " ", "\x07"])
def test_a_title_that_will_not_do_is_refused(home, title):
    with pytest.raises(AuthoringError, match="write one line of plain text"):
        new_lab(home, "lab", title=title)
    assert files(home) == ["assignments"]


@pytest.mark.parametrize("half", ["assignments", "reference"])
def test_a_lab_of_which_either_half_exists_is_left_alone(home, half):
    (home / half / "lab").mkdir(parents=True)
    (home / half / "lab" / "notes.txt").write_text("mine")
    before = files(home)
    with pytest.raises(AuthoringError, match=f"there is {half}/lab already"):
        new_lab(home, "lab")
    assert files(home) == before


def test_a_failure_half_way_leaves_nothing(home, monkeypatch):
    rename = Path.rename

    def fail_at_the_public_half(self, target):
        if Path(target).parent.name == "assignments":
            raise PermissionError(13, "Permission denied", str(target))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_at_the_public_half)
    with pytest.raises(AuthoringError, match="assignments/lab cannot be written: Permission"):
        new_lab(home, "lab")
    assert files(home) == ["assignments", "reference"]


def test_the_command_tells_what_it_made_and_what_to_do_next(home, monkeypatch):
    monkeypatch.setenv("GRADER_HOME", str(home))
    result = CliRunner().invoke(cli, ["new", "lab", "--title", "Dense layers"])
    assert result.exit_code == 0, result.output
    assert "Wrote reference/lab/suite/test_layers.py\n" in result.output
    assert result.output.endswith("  grader validate lab\n  grader release lab\n")
    again = CliRunner().invoke(cli, ["new", "lab"])
    assert again.exit_code == 2
    assert again.output.startswith("Error: there is ")


def test_a_new_lab_is_proven_at_once(home):
    new_lab(home, "lab")
    program = "from grader.cli.main import main; main()"
    command = [sys.executable, "-c", program, "validate", "lab", "--seeds", "2", "--jobs", "1"]
    kept = {name: str(home / "kept") for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    own = {"GRADER_HOME": str(home), "OMP_NUM_THREADS": "1", **kept}
    done = subprocess.run(
        command, env={**os.environ, **own}, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "claims hold." in done.stdout
