"""``grader rescore`` tells at once who moves, and keeps its contract with scripts."""

import json
import shutil
from pathlib import Path

import pytest

from grader.grading import GradedSubmission, ResultCache
from grader.grading.batch import run_batch
from grader.report import Outcome
from grader.report.export import to_json

HOME = Path(__file__).parents[2] / "home"


@pytest.fixture
def other(tmp_path, monkeypatch, invoke):
    """Return another home beside the tests' own."""
    shutil.copytree(HOME, tmp_path / "other")
    return tmp_path / "other"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "results"))


@pytest.fixture
def graded_by(monkeypatch):
    """Return a setter of the report that each home's lab gives to every submission."""

    def use(reports):
        def grade(lab, submission, **options):
            home = lab.public.parent.parent
            report = next(report for part, report in reports.items() if part in str(home))
            return GradedSubmission(report.model_copy(update={"submission": submission.name}))

        def batch(lab, sources, settings, *, watcher, grade=None):
            return run_batch(lab, sources, settings, watcher=watcher, grade=stand_in)

        stand_in = grade
        monkeypatch.setattr("grader.cli.rescore.run_batch", batch)

    return use


def worse(report):
    tests = tuple(
        test.model_copy(update={"outcome": Outcome.FAILED, "score": 0.0, "credit": 0.0})
        if test.id.endswith("test_rows")
        else test
        for test in report.tests
    )
    return report.model_copy(update={"score": 1.0, "tests": tests})


def test_somebody_who_moves_is_a_finding(invoke, graded_by, other, hand_in, make_report, tmp_path):
    graded_by({"other": make_report(), "tests/home": worse(make_report())})
    files = ["--json", tmp_path / "o.json", "--csv", tmp_path / "o.csv"]
    result = invoke("rescore", "tiny", hand_in(), "--against", other, *files)
    assert result.exit_code == 1
    assert "1 submission, 1 would move." in result.stdout
    assert "test_rows: passed -> failed" in " ".join(result.stdout.split())
    assert json.loads((tmp_path / "o.json").read_text())["moved"] == 1
    assert (tmp_path / "o.csv").read_text().splitlines()[1].startswith("ada,yes,-1,graded,2,")


def test_nobody_who_moves_is_exit_code_0(invoke, graded_by, other, hand_in, make_report):
    graded_by({"other": make_report(), "tests/home": make_report()})
    result = invoke("rescore", "tiny", hand_in(), "--against", other)
    assert result.exit_code == 0
    assert "1 submission, 0 would move." in result.stdout
    assert "SUBMISSION" not in result.stdout


def test_a_fault_of_ours_is_a_finding_even_if_nobody_moves(
    invoke, graded_by, other, hand_in, faulty_report
):
    graded_by({"other": faulty_report, "tests/home": faulty_report})
    assert invoke("rescore", "tiny", hand_in(), "--against", other).exit_code == 1


def test_an_earlier_runs_reports_are_the_other_side(
    invoke, graded_by, hand_in, make_report, tmp_path
):
    old = tmp_path / "reports.json"
    old.write_text(to_json([make_report(submission=name) for name in ("ada", "gone")]))
    graded_by({"tests/home": worse(make_report())})
    result = invoke("rescore", "tiny", hand_in(), "--against", old)
    assert result.exit_code == 1
    assert "1 submission, 1 would move." in result.stdout


def test_only_so_many_rows_are_shown(invoke, graded_by, other, hand_in, make_report):
    graded_by({"other": make_report(), "tests/home": worse(make_report())})
    for name in ("bob", "cyd"):
        hand_in(name)
    folder = hand_in().parent
    few = invoke("rescore", "tiny", folder, "--against", other, "--limit", "1").stdout
    assert "ada" in few and "bob" not in few
    assert "... and 2 more; --limit 0 shows all." in few
    every = invoke("rescore", "tiny", folder, "--against", other, "--limit", "0").stdout
    assert "cyd" in every and "more;" not in every


def test_what_is_no_suite_is_a_wrong_call(invoke, hand_in):
    result = invoke("rescore", "tiny", hand_in(), "--against", "no-such-revision")
    assert result.exit_code == 2
    assert "no git revision" in result.output


def test_the_cache_is_shown_and_cleared(invoke, make_report, tmp_path):
    cache = ResultCache(tmp_path / "results")
    cache.put("ab" * 32, make_report(), b"s" * 32)
    assert "1 results" in invoke("cache").stdout
    assert "Removed 0 results." in invoke("cache", "--keep", "100").stdout
    assert "Removed 1 results." in invoke("cache", "--clear").stdout
    assert "0 results" in invoke("cache").stdout


def test_a_run_tells_what_came_from_the_cache(invoke, monkeypatch, hand_in, make_report, tmp_path):
    report = make_report()
    tests = (report.tests[0].model_copy(update={"cached": True}), *report.tests[1:])
    known = report.model_copy(update={"tests": tests})
    used = []

    def batch(lab, sources, settings, **options):
        used.append(settings.cache)
        settings.cache and setattr(settings.cache, "unreadable", 3)
        return run_batch(
            lab, sources, settings, grade=lambda *words, **named: GradedSubmission(known), **options
        )

    monkeypatch.setattr("grader.cli.run.run_batch", batch)
    result = invoke("run", "tiny", hand_in())
    assert "1 of 4 tests were taken from earlier runs; --no-cache runs all." in result.stdout
    assert "3 kept results could not be used" in result.stderr
    invoke("run", "tiny", hand_in(), "--no-cache")
    assert used[0].folder == tmp_path / "results"
    assert used[1] is None
