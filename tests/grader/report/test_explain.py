"""An explanation leads from the rules to every point of the score."""

from collections.abc import Callable

import pytest

from grader.report import Outcome, Report
from grader.report.explain import LineKind, explain, points, render_text, smiley
from grader.report.redaction import for_student

MakeReport = Callable[..., Report]


def test_the_total_is_the_sum_that_is_shown(make_report: MakeReport):
    (total,) = explain(make_report()).of(LineKind.TOTAL)
    assert (total.score, total.max_score) == (2.0, 6.0)
    assert total.text == "= 1 (Mechanics) + 1 (Model)"


def test_every_test_stands_below_its_item(make_report: MakeReport):
    lines = [(line.kind.value, line.text.split("  [")[0]) for line in explain(make_report()).lines]
    rows = [text.split(" - ")[0] for kind, text in lines if kind in {"item", "test"}]
    assert rows[:3] == ["Softmax", "Rows sum to one", "Softmax survives large logits"]
    assert rows[3] == "Fitting"


def test_a_lost_point_says_why_and_how_to_win_it(make_report: MakeReport):
    text = render_text(explain(for_student(make_report(), due_passed=False, published=False)))
    assert ":( 0/1  Softmax survives large logits - failed" in text
    assert "the usual mistake: Subtract the row maximum first." in text
    assert "First mend: Softmax survives large logits" in text
    assert "Passed in part" in text


def test_a_student_reads_no_detail_of_a_hidden_test(make_report: MakeReport):
    text = render_text(explain(for_student(make_report(), due_passed=False, published=False)))
    assert "3 of 4 values" not in text
    assert "test_large" not in text


def test_staff_read_ids_and_details(make_report: MakeReport):
    text = render_text(explain(make_report()))
    assert "[test_a.py::test_large]" in text
    assert "3 of 4 values differ" in text


def test_staff_alone_read_what_a_test_measured(make_report: MakeReport):
    report = make_report()
    assert "For staff: measured error 0.25" in render_text(explain(report))
    seen = for_student(report, due_passed=True, published=True)
    assert "measured" not in render_text(explain(seen))


def test_items_left_to_a_person_are_told(make_report: MakeReport):
    text = render_text(explain(make_report()))
    assert "marked by a person: up to 3." in text
    assert "-/3  Report (a person marks it)" in text


@pytest.mark.parametrize("wanted", ["large", "SURVIVES", "test_a.py::test_large"])
def test_one_test_can_be_asked_for(make_report: MakeReport, wanted: str):
    lines = explain(make_report(), test=wanted).of(LineKind.TEST)
    assert [line.test for line in lines] == [2]


def test_an_all_or_nothing_item_explains_its_lost_tests(make_report: MakeReport):
    report = make_report()
    lost = report.tests[0].model_copy(update={"score": 0.0})
    text = render_text(explain(report.model_copy(update={"tests": (lost, *report.tests[1:])})))
    assert "only when all of its tests pass in full" in text


def test_a_rejected_upload_has_reasons_and_no_points(rejected_report: Report):
    explanation = explain(rejected_report)
    assert "layers.py is missing" in render_text(explanation)
    assert not explanation.of(LineKind.TEST)
    assert explanation.of(LineKind.TOTAL)[0].score is None


def test_only_staff_read_what_our_fault_was(faulty_report: Report):
    student = for_student(faulty_report, due_passed=False, published=False)
    assert "did not start" in render_text(explain(faulty_report))
    assert "did not start" not in render_text(explain(student))


@pytest.mark.parametrize(
    ("value", "written"), [(0.0, "0"), (1.0, "1"), (0.3334, "0.3334"), (2.5, "2.5"), (10.0, "10")]
)
def test_points_are_written_without_noise(value: float, written: str):
    assert points(value) == written


def test_outcomes_can_be_told_apart_without_colour():
    assert smiley(Outcome.PASSED) == ":)"
    assert smiley(Outcome.FAILED) == smiley(Outcome.TIMEOUT) == ":("
    assert smiley(Outcome.MISSING) == ":|"
