"""A comparison names who moves, how far and why; the other suite is found wherever it lies."""

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from grader.authoring.rescore import (
    changes,
    changes_to_csv,
    changes_to_json,
    moved,
    other_home,
    reports_in,
    summary,
    why,
)
from grader.errors import ProctorError
from grader.report.export import to_json

HOME = Path(__file__).parents[2] / "home"
ROWS, LARGE = "test_a.py::test_rows", "test_a.py::test_large"


@pytest.fixture
def report(make_report):
    """Return a maker of a submission's report with other outcomes and points of some tests."""

    def make(name, score=2.0, *, gone=(), **outcomes):
        tests = [test for test in make_report().tests if test.id not in gone]
        short = {f"test_{key}": value for key, value in outcomes.items()}
        tests = [
            test.model_copy(
                update=dict(
                    zip(("outcome", "score"), short[test.id.partition("::")[2]], strict=True)
                )
            )
            if test.id.partition("::")[2] in short
            else test
            for test in tests
        ]
        return make_report(submission=name, score=score, tests=tuple(tests))

    return make


def test_who_loses_most_comes_first_and_who_stays_last(report):
    before = [report(name) for name in ("ann", "bob", "cyd", "dan", "eve")]
    after = [
        report("ann"),
        report("bob", 3.0),
        report("cyd", 1.5),
        report("dan", 0.5),
        report("eve", 6.0),
    ]
    found = changes(before, after)
    assert [change.name for change in found] == ["dan", "cyd", "eve", "bob", "ann"]
    assert [change.points for change in found] == [-1.5, -0.5, 4.0, 1.0, 0.0]
    assert len(moved(found)) == 4


def test_a_change_names_the_tests_behind_it(report):
    (change,) = changes(
        [report("ann")], [report("ann", 2.0, rows=("failed", 0.0), large=("passed", 1.0))]
    )
    assert not change.moves
    assert {flip.test: (flip.before, flip.after, flip.points) for flip in change.flips} == {
        ROWS: ("passed", "failed", -1.0),
        LARGE: ("failed", "passed", 1.0),
    }
    assert "test_rows: passed -> failed" in why(change)


def test_new_and_lost_tests_are_told_as_such(report):
    (lost,) = changes([report("ann")], [report("ann", 1.0, gone={ROWS})])
    assert why(lost) == "test_rows: gone, was passed"
    (new,) = changes([report("ann", 1.0, gone={ROWS})], [report("ann")])
    assert why(new) == "test_rows: new, passed"
    assert f"  {ROWS} (new): 1 better, 0 worse" in list(summary([new]))


def test_other_points_for_the_same_outcomes_are_a_reason_too(report):
    (change,) = changes([report("ann")], [report("ann", 3.0)])
    assert change.moves
    assert why(change) == "other points for the same outcomes"


def test_who_has_no_score_on_one_side_leads(report, rejected_report, faulty_report):
    refused = rejected_report.model_copy(update={"submission": "bob"})
    found = changes([report("ann"), report("bob")], [report("ann", 0.0), refused])
    assert [change.name for change in found] == ["bob", "ann"]
    assert found[0].points is None
    assert "lab/layers.py is missing" in why(found[0])
    text = "\n".join(summary(found))
    assert "2 submissions, 2 would move." in text
    assert "1 would gain or lose a score as such" in text
    assert "1 would lose 2 points in all." in text


def test_who_is_refused_by_both_stays(rejected_report):
    (change,) = changes([rejected_report], [rejected_report])
    assert not change.moves


def test_a_submission_without_an_earlier_report_moves(report):
    (change,) = changes([], [report("ann")])
    assert change.moves
    assert change.points is None


def test_other_files_under_the_same_name_are_told(report):
    new = report("ann").model_copy(update={"digest": "f" * 64})
    assert "Other files than when the earlier reports were made: 1 submission." in "\n".join(
        summary(changes([report("ann")], [new]))
    )


def test_the_summary_counts_each_test(report):
    before = [report("ann"), report("bob")]
    after = [report(name, 1.0, rows=("failed", 0.0)) for name in ("ann", "bob")]
    text = list(summary(changes(before, after)))
    assert text[:2] == ["2 submissions, 2 would move.", "2 would lose 2 points in all."]
    assert text[-1] == f"  {ROWS}: 0 better, 2 worse"


def test_a_new_maximum_is_told(report):
    new = report("ann").model_copy(update={"max_score": 8.0})
    assert "The maximum would change from 6 to 8." in list(summary(changes([report("ann")], [new])))


def test_files_hold_everybody(report):
    found = changes(
        [report("=ann"), report("bob")], [report("=ann", 1.0, rows=("failed", 0.0)), report("bob")]
    )
    rows = list(csv.DictReader(io.StringIO(changes_to_csv(found))))
    assert [(row["name"], row["moves"], row["points"]) for row in rows] == [
        ("'=ann", "yes", "-1"),
        ("bob", "no", "0"),
    ]
    data = json.loads(changes_to_json(found))
    assert (data["submissions"], data["moved"]) == (2, 1)
    assert data["changes"][0]["flips"][0]["test"] == ROWS


def test_an_earlier_runs_file_is_read(report, tmp_path):
    (tmp_path / "reports.json").write_text(to_json([report("ann")]))
    assert [one.submission for one in reports_in(str(tmp_path / "reports.json"))] == ["ann"]
    assert reports_in("HEAD~1") is None
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ProctorError, match="run --json"):
        reports_in(str(tmp_path / "other.json"))


def git(folder, *arguments):
    settings = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *settings, *arguments], check=True)


@pytest.fixture(params=[".", "course/home"])
def repository(request, tmp_path):
    """Return a home in a git repository, at its top and below it, with one commit and an edit."""
    home = tmp_path / "repo" / request.param
    shutil.copytree(HOME, home)
    git(tmp_path, "init", "-q", "repo")
    git(home, "add", "-A")
    git(home, "commit", "-q", "-m", "one")
    suite = home / "reference" / "tiny" / "suite" / "test_maths.py"
    suite.write_text(suite.read_text().replace("error < 0.1", "error < 0.2"))
    return home


def text_of(catalogue):
    lab = catalogue.get("tiny")
    assert lab.assignment.slug == "tiny"
    return (lab.suite / "test_maths.py").read_text()


def test_a_revision_is_unpacked_for_as_long_as_it_is_needed(repository):
    with other_home(repository, "tiny", "HEAD") as other:
        assert "error < 0.1" in text_of(other)
        root = other.root
    assert not root.exists()


def test_another_folder_is_used_as_it_is(repository):
    with other_home(HOME, "tiny", str(repository)) as other:
        assert "error < 0.2" in text_of(other)


@pytest.mark.parametrize(
    ("against", "said"),
    [
        pytest.param("nonsense", "no git revision", id="no such thing"),
        pytest.param("--output=/tmp/x", "no git revision", id="option"),
        pytest.param("/", "holds no folder assignments/", id="folder without labs"),
    ],
)
def test_what_is_no_suite_is_refused(repository, against, said):
    with (
        pytest.raises(ProctorError, match=said),
        other_home(repository, "tiny", against),
    ):
        pass


def test_a_revision_without_the_lab_is_refused(repository):
    with (
        pytest.raises(ProctorError, match="has no assignments/later"),
        other_home(repository, "later", "HEAD"),
    ):
        pass
