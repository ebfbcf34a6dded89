"""A term is made from a course file on a page, by whoever leads one already."""

import base64
import re
from io import BytesIO

import pytest
from sqlalchemy import select

from portal.audit.models import AuditEntry
from portal.courses.models import Enrolment, Offering, Role, Term
from portal.platform.db import read_session
from portal.settings.coursefile import example, read_course

NEW = "/terms/new"
COURSE = """\
slug = "2027-spring"
title = "Deep Learning, spring 2027"
timezone = "Asia/Shanghai"

[[offering]]
title = "Lab 1: A demo lab"
assignment = "demo"
points = 14
opens = 2027-03-01T00:00:00
due = 2027-03-14T23:59:00
published = true
"""


@pytest.fixture
def lin(site):
    """The browser of somebody who leads a term."""
    site.make_member("lin", Role.INSTRUCTOR)
    return site.log_in("lin")


def preview(browser, text=COURSE):
    file = (BytesIO(text.encode()), "course.toml")
    return browser.post(f"{NEW}/preview", data={"file": file}, content_type="multipart/form-data")


def make(browser, text=COURSE):
    return browser.post(NEW, data={"course": base64.b64encode(text.encode()).decode()})


def terms(site):
    with read_session(site.engine) as session:
        return [one.slug for one in session.scalars(select(Term).order_by(Term.id))]


def test_a_previewed_file_becomes_a_term_that_its_maker_leads(site, lin):
    page = preview(lin).text
    assert "14 points, due 2027-03-14 23:59" in page
    assert terms(site) == ["2026-autumn"], "nothing is made by looking"
    course = re.search(r'name="course" value="([^"]+)"', page)[1]
    answer = lin.post(NEW, data={"course": course})
    assert (answer.status_code, answer.location) == (303, "/staff/2027-spring/roster")
    assert "The term is made." in lin.get(answer.location).text
    with read_session(site.engine) as session:
        made = session.scalars(select(Term).where(Term.slug == "2027-spring")).one()
        people = session.scalars(select(Enrolment).where(Enrolment.term_id == made.id)).all()
        assert [(one.user.username, one.role) for one in people] == [("lin", Role.INSTRUCTOR)]
        (offering,) = session.scalars(select(Offering).where(Offering.term_id == made.id))
        assert (offering.assignment_slug, offering.published) == ("demo", True)
        wanted = select(AuditEntry).where(AuditEntry.subject == "term:2027-spring")
        lin_herself = people[0].user_id
        assert {one.actor_id for one in session.scalars(wanted)} == {lin_herself}


def test_an_administrator_makes_the_first_term_and_takes_no_part_in_it(site):
    site.make_user("root", is_admin=True)
    root = site.log_in("root")
    home = root.get("/").text
    assert "There is none yet." in home and f'href="{NEW}"' in home
    assert make(root).status_code == 303
    with read_session(site.engine) as session:
        assert session.scalars(select(Enrolment)).all() == []
    assert root.get("/staff/2027-spring/settings").status_code == 200


@pytest.mark.parametrize("role", [Role.STUDENT, Role.TA])
def test_who_leads_no_term_makes_none(site, role):
    site.make_member("bo", role)
    bo = site.log_in("bo")
    assert NEW not in bo.get("/").text
    answers = (bo.get(NEW), preview(bo), make(bo))
    assert [one.status_code for one in answers] == [404, 404, 404]
    assert terms(site) == ["2026-autumn"]


def test_an_instructor_who_has_left_makes_none(site, lin):
    with site.engine.begin() as connection:
        connection.execute(Enrolment.__table__.update().values(active=False))
    assert make(lin).status_code == 404


def test_a_term_that_is_there_is_not_made_again(site, lin):
    same = COURSE.replace("2027-spring", "2026-autumn")
    for answer in (preview(lin, same), make(lin, same)):
        assert answer.status_code == 422
        assert "there is a term &#39;2026-autumn&#39; already" in answer.text
    assert terms(site) == ["2026-autumn"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no file was chosen, or it is empty"),
        ("slug =", "the file is not TOML"),
        (COURSE.replace("Asia/Shanghai", "Atlantis"), "&#39;Atlantis&#39; is not a time zone"),
        (COURSE.replace('"demo"', '"dem"'), "no assignment &#39;dem&#39;"),
    ],
)
def test_what_cannot_be_made_is_said(site, lin, text, message):
    answer = preview(lin, text)
    assert answer.status_code == 422 and message in answer.text
    assert "Make this term" not in answer.text
    assert make(lin, text).status_code == 422
    assert terms(site) == ["2026-autumn"]


def test_the_page_shows_a_file_that_could_be_imported(lin):
    page = lin.get(NEW).text
    assert "attempts_per_day = 20" in page
    assert read_course(example().encode()).offering[0].points == 14
