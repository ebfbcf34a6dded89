"""The command line on the tests' own labs, with a stand-in for grading."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader.cli.main import cli
from grader.grading import GradedSubmission
from grader.grading.batch import run_batch
from grader.lab.catalogue import Catalogue
from grader.report import Report

HOME = Path(__file__).parents[2] / "home"


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Return a caller of ``grader``, at home in the tests' labs and with a key."""
    monkeypatch.setenv("GRADER_HOME", str(HOME))
    monkeypatch.setenv("GRADER_KEY", "ab" * 32)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *arguments: CliRunner().invoke(cli, [str(word) for word in arguments])


@pytest.fixture
def grades_as(monkeypatch: pytest.MonkeyPatch) -> Callable[[Report], None]:
    """Return a setter of the report that every submission gets."""

    def use(report: Report, pictures: dict[str, bytes] | None = None) -> None:
        def grade(lab, submission, **options) -> GradedSubmission:
            return GradedSubmission(report, pictures or {})

        monkeypatch.setattr("grader.cli.run.run_batch", partial(run_batch, grade=grade))

    return use


@pytest.fixture
def hand_in(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of one submission of the tiny lab, with one text in every file."""

    def write(name: str = "ada", text: str = "answer = 1\n") -> Path:
        for file in Catalogue(HOME).get("tiny").assignment.files:
            target = tmp_path / "hand_ins" / name / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return tmp_path / "hand_ins" / name

    return write
