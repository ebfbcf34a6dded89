"""A batch grades every submission it can, in order, whatever happens to one of them."""

from collections.abc import Callable
from pathlib import Path
from threading import Barrier

import pytest

from grader.grading import GradedSubmission
from grader.grading.batch import Settings, run_batch
from grader.intake.exports import HandIn
from grader.lab.catalogue import Catalogue, Lab
from grader.report import Report, RunStatus

HOME = Path(__file__).parents[2] / "home"
KEY = b"k" * 32


@pytest.fixture
def lab() -> Lab:
    return Catalogue(HOME).get("tiny")


@pytest.fixture
def hand_in(tmp_path: Path, lab: Lab) -> Callable[[str], Path]:
    """Return a writer of one submission folder below a common one."""

    def write(name: str) -> Path:
        for file in lab.assignment.files:
            target = tmp_path / "all" / name / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("answer = 1\n")
        return tmp_path / "all" / name

    return write


class Silent:
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.done: list[int] = []

    def on_progress(self, index, progress) -> None:
        pass

    def on_done(self, index, report) -> None:
        self.done.append(index)


def graded_as(report: Report):
    def grade(lab, submission, **options) -> GradedSubmission:
        return GradedSubmission(report.model_copy(update={"submission": submission.name}))

    return grade


def statuses(results: list[GradedSubmission]) -> list[str]:
    return [result.report.status.value for result in results]


@pytest.mark.parametrize("jobs", [1, 4])
def test_results_come_in_the_order_of_the_sources(hand_in, lab, make_report, jobs: int):
    sources = [HandIn(name, hand_in(name)) for name in "dabc"]
    watcher = Silent()
    results = run_batch(
        lab, sources, Settings(KEY, jobs), watcher=watcher, grade=graded_as(make_report())
    )
    assert [result.report.submission for result in results] == list("dabc")
    assert sorted(watcher.done) == [0, 1, 2, 3]


def test_a_bad_submission_stops_no_other(hand_in, lab: Lab, make_report, tmp_path: Path):
    empty = tmp_path / "empty.py"
    empty.write_text("")
    good = hand_in("good")

    def grade(lab, submission, **options) -> GradedSubmission:
        if submission.name == "bad":
            raise RuntimeError("disk full")
        return GradedSubmission(make_report())

    sources = [
        HandIn("bad", hand_in("bad")),
        HandIn("empty.py", empty),
        HandIn("gone", tmp_path / "gone"),
        HandIn("good", good),
    ]
    results = run_batch(lab, sources, Settings(KEY, 2), watcher=Silent(), grade=grade)
    assert statuses(results)[:2] == ["grader_error", "rejected"]
    assert statuses(results)[2] in {"grader_error", "rejected"}
    assert statuses(results)[3] == "graded"
    assert "disk full" in results[0].report.fault
    assert results[0].report.score is None
    assert results[1].report.messages


def test_submissions_are_graded_side_by_side(hand_in, lab: Lab, make_report):
    both = Barrier(2)

    def grade(lab, submission, **options) -> GradedSubmission:
        both.wait(timeout=20)
        return GradedSubmission(make_report())

    sources = [HandIn(name, hand_in(name)) for name in "ab"]
    results = run_batch(lab, sources, Settings(KEY, 2), watcher=Silent(), grade=grade)
    assert statuses(results) == ["graded", "graded"]


def test_the_settings_reach_the_grading(hand_in, lab: Lab, make_report):
    seen = {}

    def grade(lab, submission, **options) -> GradedSubmission:
        seen.update(options)
        return GradedSubmission(make_report())

    settings = Settings(KEY, 1, variant="spring")
    run_batch(lab, [HandIn("a", hand_in("a"))], settings, watcher=Silent(), grade=grade)
    assert (seen["key"], seen["variant"]) == (KEY, "spring")


def test_no_sources_are_no_results(lab: Lab):
    assert run_batch(lab, [], Settings(KEY, 2), watcher=Silent()) == []


def test_a_source_keeps_its_name_in_the_report(hand_in, lab: Lab, make_report):
    source = HandIn("monday/ada", hand_in("ada"))
    (result,) = run_batch(
        lab, [source], Settings(KEY), watcher=Silent(), grade=graded_as(make_report())
    )
    assert result.report.submission == "monday/ada"
    assert result.report.status is RunStatus.GRADED


def test_ctrl_c_keeps_what_is_done(hand_in, lab: Lab, make_report):
    class Impatient(Silent):
        def on_done(self, index, report) -> None:
            raise KeyboardInterrupt

    sources = [HandIn(name, hand_in(name)) for name in "ab"]
    results = run_batch(
        lab, sources, Settings(KEY, 1), watcher=Impatient(), grade=graded_as(make_report())
    )
    assert [result.report.submission for result in results] == ["a"]
