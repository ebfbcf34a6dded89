"""Staff see, as text, what a file used of what it was to do without; its student never does."""

import pytest
from support.reports import class_report

from grader.report import FromScratchFinding

XSS = "<script>alert('x')</script>"


@pytest.fixture
def found(classroom):
    """A submission of Ada's whose report has a finding of each kind."""
    source = FromScratchFinding(
        path="demo/answer.py",
        line=12,
        source=f"y = MARKSOURCE(x)  # {XSS}",
        name="torch.MARKNAME",
        how="source",
        sure="certain",
    )
    ran = source.model_copy(update={"how": "run", "sure": "likely", "test": "test_MARKTEST.py::t"})
    report = class_report(7.0, "wrong").model_copy(update={"findings": (source, ran)})
    (submission,) = classroom.send_reports(classroom.enrol("ada"), report)
    return submission


def test_staff_see_each_finding_with_its_line_as_text(found, make_member, log_in):
    make_member("tess", "ta")
    page = log_in("tess").get(f"/staff/submissions/{found}").text
    assert "2 findings to look at" in page
    assert "<code>demo/answer.py:12</code> <b>torch.MARKNAME</b>" in page
    assert "in the source, certain" in page
    assert "while test_MARKTEST.py::t ran" in page
    assert "MARKSOURCE(x)  # &lt;script&gt;alert" in page
    assert XSS not in page


@pytest.mark.parametrize("place", ["", "/explain", "/receipt", "/progress"])
def test_no_page_of_a_student_holds_a_finding(found, log_in, place):
    answer = log_in("ada").get(f"/submissions/{found}{place}")
    assert answer.status_code == 200
    page = answer.text
    assert "MARK" not in page
    assert "finding" not in page


def test_a_report_without_findings_says_nothing_of_them(classroom, make_member, log_in):
    (submission,) = classroom.send(classroom.enrol("ada"), 7.0)
    make_member("tess", "ta")
    assert "finding" not in log_in("tess").get(f"/staff/submissions/{submission}").text
