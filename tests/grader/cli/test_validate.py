"""`grader validate` names one lab or all, says each claim, and ends with a verdict and a code."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.authoring.validate import Finding, Validation
from grader.authoring.validate.automatic import MutantProgress, Tally, file_mutants
from grader.cli import validate as command
from grader.cli.main import cli
from grader.errors import GradingError

HOME = Path(__file__).parents[2] / "home"
CLAIM = "a claim" + " of more words than a line of 80 columns has" * 3
CODE = b"def f(x):\n    # BEGIN SOLUTION\n    return x * 2\n    # END SOLUTION\n"


@pytest.fixture
def told(monkeypatch):
    """Return a function that runs the command with a validation that finds what it is told."""
    monkeypatch.setenv("GRADER_HOME", str(HOME))
    plans = []

    def run(*words, holds=True, broken=()):
        def validate(lab, plan, *, on_finding, on_progress):
            if lab.assignment.slug in broken:
                raise GradingError("the suite has no tests")
            plans.append(plan)
            finding = Finding(CLAIM, holds, "the figures\nbehind a.py:train:drop")
            on_finding(finding)
            for done in range(1, 51):
                on_progress(MutantProgress(done, 50, 3))
            one, two, *others = file_mutants("a.py", CODE)
            return Validation(
                slug=lab.assignment.slug,
                plan=plan,
                findings=(finding,),
                mutants=7,
                automatic=Tally((one, two), (), tuple(others), (), ()) if plan.automatic else None,
                minutes=1.25,
                cpu_minutes=2.5,
            )

        monkeypatch.setattr(command, "validate", validate)
        result = CliRunner().invoke(cli, ["validate", *words])
        return result.exit_code, result.output, plans

    return run


@pytest.mark.parametrize("words", [[], ["tiny", "--all"]])
def test_one_lab_or_all(told, words):
    code, output, _ = told(*words)
    assert code == 2
    assert "Name one lab, or say --all." in output


def test_claims_are_said_with_their_figures_and_decide_the_code(told):
    code, output, _ = told("tiny")
    assert code == 0
    assert f":) {CLAIM}\n          the figures\n          behind a.py:train:drop\n" in output
    assert "claims hold." in output
    code, output, _ = told("tiny", holds=False)
    assert code == 1
    assert f":( {CLAIM}\n" in output and "1 of " in output


def test_mutants_are_reported_now_and_then_where_there_is_no_terminal(told):
    _, output, _ = told("tiny")
    assert "[25/50] mutants, 3 survive" in output
    assert "[50/50] mutants, 3 survive" in output
    assert "[26/50]" not in output


def test_all_ends_with_a_row_for_each_lab(told):
    code, output, _ = told("--all")
    assert code == 0
    rows = {line.split()[0]: line.split()[1:] for line in output.splitlines()[-6:-3]}
    assert rows["LAB"] == "CLAIMS SEEDS BY HAND KILLED EXPLAINED SURVIVE MIN CPU MIN".split()
    assert rows["tiny"] == ["1/1", "10", "7", "2", "0", "2", "1.2", "2.5"]
    assert rows.keys() == {"LAB", "scratch", "tiny"}
    assert output.splitlines()[-3:] == [
        ":) scratch: all 1 claims hold.",
        ":) tiny: all 1 claims hold.",
        "2 of 2 labs proven.",
    ]


def test_a_claim_that_does_not_hold_is_in_the_verdict(told):
    code, output, _ = told("--all", holds=False)
    assert code == 1
    assert output.splitlines()[-2:] == [
        ":( tiny: 1 of 1 claims do not hold.",
        "0 of 2 labs proven.",
    ]


@pytest.fixture
def home(tmp_path, monkeypatch, told):
    """A course whose lab `scratch` reads a set of data that is not here."""
    home = tmp_path / "home"
    shutil.copytree(HOME, home)
    manifest = home / "assignments" / "scratch" / "assignment.toml"
    text = manifest.read_text()
    assert text.count("\n[limits]") == 1
    top = text.replace("\n[limits]", '\ndefault_variant = "real"\n\n[limits]')
    manifest.write_text(f'{top}\n[variants.real]\nneeds = ["graphs"]\n\n[variants.toy]\n')
    monkeypatch.setenv("GRADER_HOME", str(home))
    monkeypatch.setenv("GRADER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return home


def test_of_all_labs_one_whose_data_are_missing_is_passed_over(home, told):
    code, output, plans = told("--all")
    assert code == 1
    assert len(plans) == 1
    unproven, proven, count = output.splitlines()[-3:]
    assert unproven == (
        ":( scratch: not validated. scratch (variant real) reads data that are not here: graphs. "
        f"Looked in {home.parent / 'data'} and {home.parent / 'cache' / 'proctor-data'}. Set "
        "GRADER_DATA to the folder that holds them; docs/data.md says how to get them."
    )
    assert (proven, count) == (":) tiny: all 1 claims hold.", "1 of 2 labs proven.")
    assert output.splitlines()[0] == unproven.removeprefix(":( ")  # as soon as it is known
    (home.parent / "data" / "graphs").mkdir(parents=True)
    assert told("--all")[0] == 0


def test_one_lab_whose_data_are_missing_is_an_error_before_anything_runs(home, told):
    code, output, plans = told("scratch")
    assert (code, plans) == (2, [])
    assert "reads data that are not here: graphs" in output
    assert told("tiny")[0] == 0


def test_a_lab_that_cannot_be_run_leaves_the_others_to_be_proven(told):
    code, output, plans = told("--all", broken={"scratch"})
    assert (code, len(plans)) == (1, 1)
    assert output.splitlines()[-3:] == [
        ":( scratch: not validated. the suite has no tests",
        ":) tiny: all 1 claims hold.",
        "1 of 2 labs proven.",
    ]
    assert told("scratch", broken={"scratch"})[0] == 2


def test_a_lab_whose_manifest_cannot_be_read_is_not_proven(home, told):
    (home / "assignments" / "scratch" / "assignment.toml").write_text("schema_version = 1\n")
    code, output, _ = told("--all")
    assert code == 1
    summary = output.partition(":) tiny: all 1 claims hold.\n")[2]
    assert summary.startswith(f":( {home}/assignments/scratch/assignment.toml: ")
    assert output.splitlines()[-1] == "1 of 2 labs proven."


def test_options_reach_the_plan(told):
    _, output, plans = told(
        "--all", "--no-automatic", "--seeds", "2", "--repeats", "4", "--jobs", "3", "--fresh"
    )
    assert {(p.seeds, p.repeats, p.automatic, p.sample, p.jobs, p.fresh) for p in plans} == {
        (2, 4, False, None, 3, True)
    }
    assert " - " in output.splitlines()[-4]
    assert told("tiny", "--sample", "5")[2][-1].sample == 5
