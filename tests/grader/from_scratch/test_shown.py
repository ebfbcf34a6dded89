"""Findings are shown to staff, with file and line, and never to students."""

import pytest

from grader.cli.summary import closing_lines
from grader.report import FromScratchFinding
from grader.report.explain import explain, render_text
from grader.report.redaction import for_student

FINDING = {
    "path": "lab/MARKPATH.py",
    "line": 12,
    "source": "y = MARKSOURCE(x)",
    "name": "torch.MARKNAME",
    "how": "source",
    "sure": "certain",
}


@pytest.fixture
def report(make_report):
    ran = {**FINDING, "how": "run", "sure": "likely", "test": "test_MARKTEST.py::test_x"}
    return make_report(findings=(FromScratchFinding(**FINDING), FromScratchFinding(**ran)))


@pytest.mark.parametrize(
    ("due_passed", "published"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_no_student_ever_sees_a_finding(report, due_passed, published):
    seen = for_student(report, due_passed=due_passed, published=published)
    texts = (seen.model_dump_json(), render_text(explain(seen)))
    assert [word for word in ("MARK", "finding") for text in texts if word in text] == []


def test_findings_change_no_score(report, make_report):
    assert report.score == make_report().score


def test_staff_read_each_finding_with_file_and_line(report):
    text = render_text(explain(report))
    assert "For staff: 2 findings to look at." in text
    assert "  lab/MARKPATH.py:12  torch.MARKNAME  (source, certain)\n" in text
    assert "(run, in test_MARKTEST.py::test_x)\n    y = MARKSOURCE(x)\n" in text


def test_an_explanation_of_one_test_is_of_that_test_alone(report):
    assert "MARKPATH" not in render_text(explain(report, test="rows"))


def test_the_summary_of_a_batch_counts_them(report, make_report):
    assert "ada.zip: 2 findings to look at; grader explain lists them." in "\n".join(
        closing_lines([report, make_report()])
    )
    assert "finding" not in "\n".join(closing_lines([make_report()]))
