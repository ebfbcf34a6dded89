"""Staff write on a line of code; its student reads it there once marks are published."""

import re

import pytest
from sqlalchemy import select

from portal.audit.models import AuditEntry
from portal.code.models import LineComment
from portal.platform.db import read_session

CODE = b"def answer():\n    x = '<script>alert(1)</script>'\n    return 42\n"
XSS = "<img src=x onerror=alert(2)> use a constant"


@pytest.fixture
def tess(site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


@pytest.fixture
def sent(classroom):
    (submission,) = classroom.send(classroom.enrol("ada"), 7.0, code=CODE)
    return submission


def write(browser, submission, **form):
    form = {"path": "demo/answer.py", "line": "2", "text": XSS, **form}
    return browser.post(f"/staff/submissions/{submission}/lines", data=form)


def lines_of(page):
    """Return each line of the shown file with what stands below it."""
    return re.findall(r'<li value="(\d+)">(.*?)</li>', page, re.DOTALL)


def actions(site):
    with read_session(site.engine) as session:
        found = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        return [one.action for one in found if one.action not in ("login", "roster.change")]


def test_a_comment_stands_below_its_line_as_text(site, tess, sent):
    answer = write(tess, sent)
    assert answer.status_code == 303
    page = tess.get(answer.location).text
    assert [number for number, below in lines_of(page) if "use a constant" in below] == ["2"]
    assert "<script>alert" not in page and "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_its_student_reads_it_once_marks_are_published(site, tess, sent):
    write(tess, sent)
    ada = site.log_in("ada")
    address = f"/submissions/{sent}/code"
    assert "use a constant" not in ada.get(address).text
    assert "with 1 comment" not in ada.get(f"/submissions/{sent}").text
    site.change_offering(marks_published=True)
    page = ada.get(address).text
    assert [number for number, below in lines_of(page) if "use a constant" in below] == ["2"]
    assert "by Tess" in page and "<img src=x" not in page and "<script>alert" not in page
    assert "with 1 comment" in ada.get(f"/submissions/{sent}").text


def test_nobody_else_reads_it_and_students_write_none(site, sent, tess, classroom):
    write(tess, sent)
    site.change_offering(marks_published=True)
    classroom.enrol("bo")
    for name in ("bo", "ada"):
        browser = site.log_in(name)
        assert write(browser, sent).status_code == 404
        assert browser.get(f"/submissions/{sent}/code").status_code == (
            200 if name == "ada" else 404
        )
    with read_session(site.engine) as session:
        assert session.query(LineComment).count() == 1


@pytest.mark.parametrize(
    ("form", "said"),
    [
        pytest.param({"line": "4"}, "has no line &#39;4&#39;; name one from 1 to 3", id="line"),
        pytest.param({"line": "two"}, "has no line", id="no number"),
        pytest.param({"line": "0"}, "has no line", id="zero"),
        pytest.param({"text": " \n "}, "write a comment of 1 to 4000", id="nothing"),
        pytest.param({"text": "x" * 4001}, "write a comment of 1 to 4000", id="too long"),
        pytest.param({"path": "demo/other.py"}, "no text file", id="another file"),
    ],
)
def test_what_cannot_be_said_there_is_told_and_stays_in_the_form(site, tess, sent, form, said):
    answer = write(tess, sent, **form)
    assert answer.status_code == 422 and said in answer.text
    if "line" in form:
        assert "use a constant</textarea>" in answer.text
    with read_session(site.engine) as session:
        assert session.query(LineComment).count() == 0


def test_a_comment_taken_back_stays_in_the_audit_log(site, tess, sent, classroom):
    write(tess, sent)
    (other,) = classroom.send(classroom.enrol("bo"), 7.0)
    with read_session(site.engine) as session:
        number = session.scalars(select(LineComment.id)).one()
    place = "/staff/submissions/{}/lines/take-back"
    assert tess.post(place.format(other), data={"comment": number}).status_code == 404
    assert tess.post(place.format(sent), data={"comment": number}).status_code == 303
    assert "use a constant" not in tess.get(f"/staff/submissions/{sent}").text
    with read_session(site.engine) as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "comment.take_back")
        ).one()
        assert entry.detail == {"place": "demo/answer.py:2", "comment": XSS}


@pytest.mark.parametrize(
    ("page", "action"),
    [("", "submission.view"), ("/code", "submission.view"), ("/upload", "submission.download")],
)
def test_staff_who_look_at_a_students_page_are_recorded_and_its_student_is_not(
    site, tess, sent, page, action
):
    assert site.log_in("ada").get(f"/submissions/{sent}{page}").status_code == 200
    assert action not in actions(site)
    assert tess.get(f"/submissions/{sent}{page}").status_code == 200
    assert actions(site)[-1] == action
