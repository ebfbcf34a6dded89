"""Criteria that are ticked: their sum is the mark, and a changed rubric changes it openly."""

import re
from decimal import Decimal

import pytest
from sqlalchemy import select
from support.labs import mark_by_hand
from support.reports import class_report

from grader.report import ItemReport, PartReport
from portal.audit.models import AuditEntry
from portal.marking.models import SavedComment
from portal.platform.db import read_session
from portal.standings.keeping import rebuild
from portal.standings.models import Criterion, ManualMark, StudentStanding
from portal.standings.ticks import moved, together

ROWS = (("Plots read well", "1.5", "Axes have names"), ("Says why", "2", ""), ("Late", "-0.5", ""))


@pytest.fixture(autouse=True)
def _with_report(home):
    mark_by_hand(home)


@pytest.fixture
def tess(site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


def rubric_form(rows, ids=()):
    form = {}
    for number, (title, points, description) in enumerate(rows):
        form |= {
            f"item-{number}": "report",
            f"id-{number}": str(ids[number]) if number < len(ids) else "",
            f"title-{number}": title,
            f"points-{number}": points,
            f"description-{number}": description,
        }
    return form


@pytest.fixture
def rubric(site, tess):
    """The address of a rubric with three criteria, and their ids."""
    address = f"/staff/2026-autumn/rubrics/{site.offering_id}"
    assert tess.post(address, data=rubric_form(ROWS)).status_code == 303
    with read_session(site.engine) as session:
        ids = session.scalars(select(Criterion.id).order_by(Criterion.position)).all()
    return address, list(ids)


def waiting_for_a_person():
    """A run's report of the lab `demo`: 6 by tests, and an item that a person marks."""
    items = (
        ItemReport(id="first", title="The first thing", score=6, max_score=6),
        ItemReport(id="report", title="The second thing", score=None, max_score=4, manual=True),
    )
    part = PartReport(id="p", title="All", score=6, max_score=6, items=items)
    return class_report(6.0, "").model_copy(
        update={"max_score": 6.0, "manual_max_score": 4.0, "parts": (part,)}
    )


def give(browser, submission, **form):
    return browser.post(f"/staff/submissions/{submission}/marks", data={"item": "report", **form})


def last_marks(site):
    with read_session(site.engine) as session:
        marks = session.scalars(select(ManualMark).order_by(ManualMark.id))
        return {one.enrolment_id: (one.points, one.comment, one.reason) for one in marks}


def standing_marks(site):
    with read_session(site.engine) as session:
        return {one.enrolment_id: one.marks for one in session.scalars(select(StudentStanding))}


@pytest.mark.parametrize(
    ("points", "total"),
    [(["1.5", "2"], "3.5"), (["3", "2"], "4"), (["-1"], "0"), ([], "0"), (["2", "-0.5"], "1.5")],
)
def test_ticks_add_up_within_the_item(points, total):
    assert together(map(Decimal, points), Decimal(4)) == Decimal(total)


def test_an_adjustment_stays_when_ticks_come_to_something_else():
    assert moved(Decimal(3), Decimal("3.5"), Decimal(2), Decimal(4)) == Decimal("1.5")
    assert moved(Decimal(1), Decimal("3.5"), Decimal(2), Decimal(4)) == 0


def test_the_sum_of_what_is_ticked_is_the_mark(site, tess, classroom, rubric):
    ada = classroom.enrol("ada")
    (sent,) = classroom.send(ada, 7.0)
    _, ids = rubric
    page = tess.get(f"/staff/submissions/{sent}").text
    assert "<kbd>3</kbd>" in page and "−0.5" in page
    assert give(tess, sent, ticked=[ids[0], ids[2]]).status_code == 303
    assert standing_marks(site) == {ada.id: {"report": "1"}}
    page = tess.get(f"/staff/submissions/{sent}").text
    checked = re.findall(r'name="ticked" value="(\d+)"[^>]*checked', page)
    assert checked == [str(ids[0]), str(ids[2])]
    with read_session(site.engine) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "mark.give")).one()
        assert entry.detail["criteria"] == ["Plots read well", "Late"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        pytest.param({}, "nothing is ticked", id="an empty form is no zero"),
        pytest.param({"points": "3"}, "comes to 0 and not to 3; say why", id="no reason"),
        pytest.param({"points": "9", "reason": "Good"}, "outside the scale", id="too much"),
        pytest.param({"points": "many"}, "is not a number", id="no number"),
        pytest.param({"ticked": "999"}, "the rubric was changed meanwhile", id="another rubric"),
    ],
)
def test_a_mark_that_cannot_be_given_is_mended_where_it_was_typed(
    site, tess, classroom, rubric, form, said
):
    (sent,) = classroom.send(classroom.enrol("ada"), 7.0)
    answer = give(tess, sent, comment="Typed with <care>", **form)
    assert answer.status_code == 422
    assert said in answer.text and "Typed with &lt;care&gt;</textarea>" in answer.text
    assert f'value="{form.get("points", "")}"' in answer.text
    assert last_marks(site) == {}


def test_the_gradebook_keeps_what_was_typed_too(site, tess, classroom):
    ada = classroom.enrol("ada")
    place = f"/staff/2026-autumn/gradebook/{ada.id}/{site.offering_id}/marks"
    answer = tess.post(place, data={"item": "report", "points": "4.5", "comment": "Long words"})
    assert answer.status_code == 422
    assert 'value="4.5" required aria-invalid="true"' in answer.text
    assert "Long words</textarea>" in answer.text and "from 0 to 4" in answer.text


def test_an_adjusted_mark_says_why_to_its_student_once_published(site, tess, classroom, rubric):
    ada = classroom.enrol("ada")
    (sent,) = classroom.send(ada, 7.0)
    form = {"ticked": rubric[1][:2], "points": "3", "reason": "Agreed in class"}
    assert give(tess, sent, comment="Well done", **form).status_code == 303
    browser = site.log_in("ada")
    words = ("Plots read well", "Axes have names", "Agreed in class", "Well done", "Tess")
    page = browser.get(f"/submissions/{sent}").text
    assert not [word for word in words if word in page]
    site.change_offering(marks_published=True)
    page = browser.get(f"/submissions/{sent}").text
    assert [word for word in words if word not in page] == []
    assert "Adjusted to 3" in page


def test_a_mark_that_is_published_is_no_longer_called_to_come(site, tess, classroom):
    ada = classroom.enrol("ada")
    (sent,) = classroom.send_reports(ada, waiting_for_a_person())
    browser = site.log_in("ada")
    to_come, later = "up to 4 more", "marked by a person later"
    page = browser.get(f"/submissions/{sent}").text
    assert to_come in page and later in page
    give(tess, sent, points="2.5", comment="Well done")
    page = browser.get(f"/submissions/{sent}").text
    assert to_come in page and later in page, "nothing is told before marks are published"
    site.change_offering(marks_published=True)
    page = browser.get(f"/submissions/{sent}").text
    assert to_come not in page and later not in page
    item = re.search(r"<summary>(?:(?!</summary>).)*The second thing.*?</summary>", page, re.S)
    assert item is not None and "by hand" in item[0] and "2.5" in item[0]


def test_a_changed_criterion_tells_whose_marks_move_before_they_do(site, tess, classroom, rubric):
    address, ids = rubric
    ada, bo, cy = (classroom.enrol(name) for name in ("ada", "bo", "cy"))
    sent = [classroom.send(one, 7.0)[0] for one in (ada, bo, cy)]
    give(tess, sent[0], ticked=ids[:2], comment="Kept")
    give(tess, sent[1], ticked=ids[1:2], points="3", reason="Agreed")
    give(tess, sent[2], ticked=ids[:1])
    before = last_marks(site)
    rows = [ROWS[0], ("Says why", "1", "In words"), ROWS[2]]
    preview = tess.post(address, data=rubric_form(rows, ids))
    assert "2 marks would change." in preview.text
    assert [name for name in ("Ada", "Bo", "Cy") if f">{name}</a>" in preview.text] == ["Ada", "Bo"]
    assert last_marks(site) == before
    seen = re.search(r'name="seen" value="(\w+)"', preview.text)[1]
    answer = tess.post(address, data={**rubric_form(rows, ids), "seen": seen})
    assert answer.status_code == 303
    assert last_marks(site) == {
        ada.id: (Decimal("2.5"), "Kept", ""),
        bo.id: (Decimal(2), "", "Agreed"),
        cy.id: (Decimal("1.5"), "", ""),
    }
    assert standing_marks(site)[ada.id] == {"report": "2.5"}
    assert rebuild(site.engine) == []
    with read_session(site.engine) as session:
        logged = select(AuditEntry).where(AuditEntry.action == "mark.by_rubric")
        assert {one.detail["after"] for one in session.scalars(logged)} == {"2.5", "2"}


def test_what_was_confirmed_is_done_or_asked_again(site, tess, classroom, rubric):
    address, ids = rubric
    ada, bo = classroom.enrol("ada"), classroom.enrol("bo")
    give(tess, classroom.send(ada, 7.0)[0], ticked=ids[:1])
    form = rubric_form(ROWS[1:], ids[1:])
    seen = re.search(r'name="seen" value="(\w+)"', tess.post(address, data=form).text)[1]
    give(tess, classroom.send(bo, 7.0)[0], ticked=ids[:2])
    again = tess.post(address, data={**form, "seen": seen})
    assert "Meanwhile marks were given" in again.text and "2 marks would change." in again.text
    assert last_marks(site)[ada.id][0] == Decimal("1.5")
    seen = re.search(r'name="seen" value="(\w+)"', again.text)[1]
    assert tess.post(address, data={**form, "seen": seen}).status_code == 303
    assert {points for points, *_ in last_marks(site).values()} == {Decimal(0), Decimal(2)}


def test_new_words_and_new_criteria_move_no_mark(site, tess, classroom, rubric):
    address, ids = rubric
    (sent,) = classroom.send(classroom.enrol("ada"), 7.0)
    give(tess, sent, ticked=ids[:1])
    rows = [("Plots can be read", "1.5", ""), *ROWS[1:], ("Short", "0.5", "")]
    assert tess.post(address, data=rubric_form(rows, ids)).status_code == 303
    with read_session(site.engine) as session:
        assert session.query(ManualMark).count() == 1
    assert "Plots can be read" in tess.get(f"/staff/submissions/{sent}").text


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("", "1", "words"), "has no title"),
        (("Long way", "five", ""), "is no number of points"),
        (("Long way", "4.5", ""), "are more than its item has"),
        (("Says why", "1", ""), "Two criteria are called"),
        (("Long way", "0.001", ""), "is no number of points"),
    ],
)
def test_a_rubric_that_cannot_be_keeps_what_was_typed(tess, rubric, row, said):
    address, ids = rubric
    answer = tess.post(address, data=rubric_form([*ROWS, row], ids))
    assert answer.status_code == 422
    assert said in answer.text and f'value="{row[1]}"' in answer.text


def test_a_rubric_is_for_staff_of_the_term(site, tess, rubric):
    address, ids = rubric
    site.make_member("ada")
    for browser in (site.log_in("ada"), site.app.test_client()):
        assert browser.get(address).status_code in (302, 404)
        assert browser.post(address, data=rubric_form(ROWS[:1], ids)).status_code in (302, 404)
    with read_session(site.engine) as session:
        assert session.query(Criterion).where(~Criterion.removed).count() == 3


def test_a_comment_is_kept_once_and_used_again(site, tess, classroom):
    ada, bo = classroom.enrol("ada"), classroom.enrol("bo")
    mine, theirs = classroom.send(ada, 7.0)[0], classroom.send(bo, 7.0)[0]
    for _ in range(2):
        give(tess, mine, points="3", comment="Name the axes.", keep="1")
    page = tess.get(f"/staff/submissions/{theirs}").text
    number = re.search(r'<option value="(\d+)" data-text="Name the axes\."', page)[1]
    give(tess, theirs, points="2", comment="Nearly.", kept=number)
    assert last_marks(site)[bo.id][1] == "Nearly.\nName the axes."
    tess.post(f"/staff/submissions/{mine}/comments/forget", data={"comment": number})
    with read_session(site.engine) as session:
        assert session.query(SavedComment).count() == 0
    assert last_marks(site)[ada.id][1] == "Name the axes."
