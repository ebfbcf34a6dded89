"""``grader run`` grades, tells what it found and keeps its contract with scripts."""

import json
from pathlib import Path

import pytest

from grader.grading import GradedSubmission


def test_one_graded_submission_is_a_row_and_exit_code_0(invoke, grades_as, hand_in, make_report):
    grades_as(make_report())
    result = invoke("run", "--assignment", "tiny", hand_in())
    assert result.exit_code == 0
    assert "2/6" in result.stdout
    assert "1 graded." in result.stdout
    assert "[1/1] ada: graded 2/6" in result.stderr


def test_the_slug_may_come_first(invoke, grades_as, hand_in, make_report):
    grades_as(make_report())
    assert invoke("run", "tiny", hand_in()).exit_code == 0


def test_the_json_file_is_a_list_with_one_object_a_submission(
    invoke, grades_as, hand_in, make_report, tmp_path: Path
):
    grades_as(make_report())
    hand_in("bob")
    out = tmp_path / "new" / "out.json"
    invoke("run", "--assignment", "tiny", hand_in().parent, "--json", out)
    rows = json.loads(out.read_text())
    assert [row["name"] for row in rows] == ["ada", "bob"]
    wanted = {"name", "status", "score", "max_score", "cpu_seconds", "tier", "tests"}
    assert all(wanted <= row.keys() for row in rows)
    keys = {"id", "item", "outcome", "score", "max_score"}
    assert all(keys <= test.keys() for row in rows for test in row["tests"])


def test_a_rejected_row_shows_every_reason_and_is_a_finding(
    invoke, grades_as, hand_in, make_report, tmp_path: Path
):
    grades_as(make_report())
    folder = hand_in().parent
    (folder / "empty.py").write_text("")
    result = invoke("run", "tiny", folder)
    assert result.exit_code == 1
    assert "empty.py: rejected" in result.stdout
    assert "  - " in result.stdout
    assert "1 graded, 1 rejected." in result.stdout


def test_how_a_folder_was_read_is_told(invoke, grades_as, hand_in, make_report, tmp_path: Path):
    grades_as(make_report())
    hand_in("San Zhang_12_assignsubmission_file_")
    (hand_in("Si Li_13_assignsubmission_file_").parent / "grades.xlsx").write_bytes(b"")
    hand_in("../monday/ada")
    hand_in("../monday/bob")
    result = invoke("run", "tiny", tmp_path / "hand_ins", tmp_path)
    assert "Read as an export of Moodle." in result.stderr
    assert "Read as parts of the class: hand_ins, monday." in result.stderr
    assert "Left out, being no submissions: grades.xlsx, grades.xlsx." in result.stderr
    assert "6 graded." in result.stdout


def test_a_fault_of_ours_is_a_finding_and_told(invoke, grades_as, hand_in, faulty_report):
    grades_as(faulty_report)
    result = invoke("run", "tiny", hand_in())
    assert result.exit_code == 1
    assert "the sandbox did not start" in result.stdout


def test_a_run_without_a_sandbox_bears_the_banner(invoke, grades_as, hand_in, make_report):
    report = make_report()
    environment = report.environment.model_copy(update={"tier": 4})
    grades_as(report.model_copy(update={"environment": environment}))
    assert "NOT FOR GRADES" in invoke("run", "tiny", hand_in()).stdout


def test_every_format_is_written(invoke, grades_as, hand_in, make_report, tmp_path: Path):
    grades_as(make_report(), {"a" * 64: b"png"})
    options = ["--csv", tmp_path / "o.csv", "--junit", tmp_path / "o.xml"]
    options += ["--gradescope", tmp_path / "r.json", "--artifacts", tmp_path / "pictures"]
    assert invoke("run", "tiny", hand_in(), *options).exit_code == 0
    assert (tmp_path / "o.csv").read_text().splitlines()[1].startswith("ada,graded,2,6")
    assert "<testsuite " in (tmp_path / "o.xml").read_text()
    assert json.loads((tmp_path / "r.json").read_text())["score"] == 2.0
    assert (tmp_path / "pictures" / f"{'a' * 64}.png").read_bytes() == b"png"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["run", "nope", "."], "nope", id="unknown lab"),
        pytest.param(["run", "tiny"], "at least one PATH", id="no path"),
        pytest.param(["run", "tiny", "nowhere.zip"], "nowhere.zip", id="no such file"),
        pytest.param(["run", "tiny", ".", "--variant", "x"], "variant 'x'", id="variant"),
        pytest.param(["run", "tiny", ".", "--jobs", "0"], "--jobs", id="jobs"),
    ],
)
def test_a_wrong_call_exits_with_2_and_says_why(invoke, arguments: list[str], told: str):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert told in result.output
    assert "Traceback" not in result.output


def test_gradescope_takes_one_submission(invoke, grades_as, hand_in, make_report, tmp_path):
    grades_as(make_report())
    hand_in("bob")
    result = invoke("run", "tiny", hand_in().parent, "--gradescope", tmp_path / "r.json")
    assert result.exit_code == 2
    assert "one submission" in result.output


def test_a_name_cannot_command_the_terminal(invoke, grades_as, hand_in, make_report):
    grades_as(make_report())
    result = invoke("run", "tiny", hand_in("ada\x1b[2J[red]x"))
    assert "\x1b[2J" not in result.output
    assert "ada[red]x" in result.stdout


def test_a_stopped_batch_writes_what_is_done(
    invoke, hand_in, make_report, monkeypatch, tmp_path: Path
):
    first = GradedSubmission(make_report())
    monkeypatch.setattr("grader.cli.run.run_batch", lambda *args, **options: [first])
    hand_in("bob")
    out = tmp_path / "out.json"
    result = invoke("run", "tiny", hand_in().parent, "--json", out)
    assert result.exit_code == 1
    assert "Stopped: 1 of 2 are done." in result.stderr
    assert len(json.loads(out.read_text())) == 1


def test_a_batch_stopped_before_its_first_result_leaves_old_files(
    invoke, hand_in, monkeypatch, tmp_path: Path
):
    monkeypatch.setattr("grader.cli.run.run_batch", lambda *args, **options: [])
    out = tmp_path / "out.json"
    out.write_text("old")
    assert invoke("run", "tiny", hand_in(), "--json", out).exit_code == 1
    assert out.read_text() == "old"
