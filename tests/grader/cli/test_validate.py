"""`grader validate` names one lab or all, says each claim, and ends with a table and a code."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.authoring.validate import Finding, Validation
from grader.authoring.validate.automatic import MutantProgress, Tally, file_mutants
from grader.cli import validate as command
from grader.cli.main import cli

HOME = Path(__file__).parents[2] / "home"
CLAIM = "a claim" + " of more words than a line of 80 columns has" * 3
CODE = b"def f(x):\n    # BEGIN SOLUTION\n    return x * 2\n    # END SOLUTION\n"


@pytest.fixture
def told(monkeypatch):
    """Return a function that runs the command with a validation that finds what it is told."""
    monkeypatch.setenv("GRADER_HOME", str(HOME))
    plans = []

    def run(*words, holds=True):
        def validate(lab, plan, *, on_finding, on_progress):
            plans.append(plan)
            finding = Finding(CLAIM, holds, "the figures\nbehind it")
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
    assert f":) {CLAIM}\n          the figures\n          behind it\n" in output
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
    rows = {line.split()[0]: line.split()[1:] for line in output.splitlines()[-3:]}
    assert rows["LAB"] == "CLAIMS SEEDS BY HAND KILLED EXPLAINED SURVIVE MIN CPU MIN".split()
    assert rows["tiny"] == ["1/1", "10", "7", "2", "0", "2", "1.2", "2.5"]
    assert rows.keys() == {"LAB", "scratch", "tiny"}


def test_options_reach_the_plan(told):
    _, output, plans = told(
        "--all", "--no-automatic", "--seeds", "2", "--repeats", "4", "--jobs", "3", "--fresh"
    )
    assert {(p.seeds, p.repeats, p.automatic, p.sample, p.jobs, p.fresh) for p in plans} == {
        (2, 4, False, None, 3, True)
    }
    assert " - " in output.splitlines()[-1]
    assert told("tiny", "--sample", "5")[2][-1].sample == 5
