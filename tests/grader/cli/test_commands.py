"""The smaller commands, and what every command does with an error."""

import shutil
from pathlib import Path

import click
import pytest

from grader.cli.main import cli
from grader.errors import GradingError
from grader.report.export import to_json
from grader.sandbox import Check, DoctorReport

HOME = Path(__file__).parents[2] / "home"


def test_list_names_the_labs(invoke):
    result = invoke("list")
    assert result.exit_code == 0
    assert "tiny" in result.output


def test_list_reports_a_broken_manifest_and_the_other_labs(invoke, monkeypatch, tmp_path: Path):
    home = tmp_path / "home"
    (home / "assignments" / "broken").mkdir(parents=True)
    (home / "assignments" / "broken" / "assignment.toml").write_text("schema = 1")
    monkeypatch.setenv("GRADER_HOME", str(home))
    result = invoke("list")
    assert result.exit_code == 1
    assert "slug" in result.output


def test_show_tells_files_limits_and_points(invoke):
    output = invoke("show", "tiny").output
    assert "A tiny lab (tiny), 10 points" in output
    assert "20 CPU s in all" in output
    assert "A few words (marked by a person)" in output
    assert "(without torch)" in output


def test_show_tells_the_bars_where_staffs_half_is(invoke, monkeypatch, tmp_path: Path):
    shutil.copytree(HOME, tmp_path / "home")
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "home"))
    assert "Bars" not in invoke("show", "tiny").output
    bars = '[error]\ntitle = "an error"\nbetter = "lower"\nfull = 0.1\n'
    (tmp_path / "home" / "reference" / "tiny" / "bars.toml").write_text(bars)
    assert "error <= 0.1: an error" in invoke("show", "tiny").output
    shutil.rmtree(tmp_path / "home" / "reference")
    assert "Bars" not in invoke("show", "tiny").output


@pytest.fixture
def results(tmp_path: Path, make_report, rejected_report) -> Path:
    file = tmp_path / "out.json"
    file.write_text(to_json([make_report(), rejected_report]))
    return file


def test_explain_tells_one_submission_or_all(invoke, results: Path):
    assert "A lab: ada.zip" in invoke("explain", results, "ada").output
    assert "empty.py" not in invoke("explain", results, "ada").output
    assert "empty.py" in invoke("explain", results).output


def test_explain_can_be_limited_to_a_test_and_to_the_students_view(invoke, results: Path):
    output = invoke("explain", results, "ada", "--test", "large", "--as-student").output
    assert "Softmax survives" in output
    assert "Rows sum" not in output
    assert "3 of 4 values" not in output


def test_explain_names_the_submissions_there_are(invoke, results: Path):
    result = invoke("explain", results, "zoe")
    assert result.exit_code == 2
    assert "ada.zip" in result.output


def test_explain_refuses_a_file_of_something_else(invoke, tmp_path: Path):
    file = tmp_path / "x.json"
    file.write_text("{}")
    result = invoke("explain", file)
    assert result.exit_code == 2
    assert "run --json" in result.output


@pytest.mark.parametrize(("ok", "tier", "code"), [(True, 1, 0), (False, 1, 1), (True, 4, 1)])
def test_doctor_says_what_to_mend(invoke, monkeypatch, ok: bool, tier: int, code: int):
    lines = (Check("bubblewrap", ok, "looked at", "apt install bubblewrap"),)
    monkeypatch.setattr("grader.cli.doctor.look", lambda: DoctorReport(tier, "a tier", lines))
    result = invoke("doctor")
    assert result.exit_code == code
    assert ("apt install" in result.output) is not ok
    assert f"tier {tier} of 4" in result.output


def test_doctor_says_how_to_get_a_stronger_tier(invoke, monkeypatch):
    lines = (Check("Trial run", True, "answered"),)
    report = DoctorReport(3, "a tier", lines, ("apt install bubblewrap", "run it as root"))
    monkeypatch.setattr("grader.cli.doctor.look", lambda: report)
    said = invoke("doctor").output
    assert said.endswith(
        "run this command again:\n  - apt install bubblewrap\n  - run it as root\n"
    )


def test_doctor_wraps_what_it_found_but_nothing_that_is_to_be_copied(invoke, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    command = "sysctl -w " + "x" * 80
    lines = (Check("Namespaces", False, "refused " * 20, command), Check("Trial run", True, "ok"))
    monkeypatch.setattr("grader.cli.doctor.look", lambda: DoctorReport(3, "a tier", lines))
    said = invoke("doctor").output.splitlines()
    found = [line for line in said if "refused" in line]
    assert len(found) > 2 and all(len(line) <= 60 for line in found)
    assert all(line.startswith(" " * 15 + "refused") for line in found[1:])
    assert f"{'':15}-> {command}" in said


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Return a setter of the exception that the command ``fail`` raises."""

    def use(error: Exception) -> None:
        def fail() -> None:
            raise error

        monkeypatch.setitem(cli.commands, "fail", click.Command("fail", callback=fail))

    return use


def test_an_error_of_ours_is_one_message(invoke, failing):
    failing(GradingError("the manifest is gone; restore it"))
    result = invoke("fail")
    assert result.exit_code == 2
    assert result.output == "Error: the manifest is gone; restore it\n"


def test_an_unexpected_error_is_short_and_its_traceback_logged(invoke, failing, tmp_path: Path):
    failing(ZeroDivisionError("oops"))
    result = invoke("fail")
    assert result.exit_code == 2
    assert "ZeroDivisionError: oops" in result.output
    assert "Traceback" not in result.output
    assert "Traceback" in (tmp_path / "state" / "proctor" / "grader.log").read_text()


def test_every_command_has_help_that_fits_one_line(invoke):
    assert "..." not in invoke("--help").output.split("Commands:")[1]
