"""People come, leave, change what they are and forget their passwords; who may do what about it."""

import re

import pytest
from sqlalchemy import select
from support.portal import PASSWORD

from portal.audit.models import AuditEntry
from portal.courses.models import Enrolment
from portal.people.models import User
from portal.platform.db import read_session, write_session

TERM = "2026-autumn"
ROSTER = f"/staff/{TERM}/roster"


@pytest.fixture
def lin(site):
    """An instructor's browser."""
    site.make_member("lin", "instructor")
    return site.log_in("lin")


@pytest.fixture
def ada(site):
    return site.make_member("ada")


def place(site, enrolment):
    with read_session(site.engine) as session:
        return session.get_one(Enrolment, enrolment.id)


def change(browser, enrolment, **fields):
    form = {"role": "student", "student_number": "", "active": "on"} | fields
    return browser.post(f"{ROSTER}/{enrolment.id}", data=form)


def log_in(site, username, password):
    answer = site.app.test_client().post(
        "/login", data={"username": username, "password": password}
    )
    return answer.status_code == 302


def test_who_leaves_sees_nothing_and_keeps_everything(site, lin, classroom):
    eve = classroom.enrol("eve")
    (sent,) = classroom.send(eve, 7.0)
    browser = site.log_in("eve")
    pages = (f"/labs/{site.offering_id}/", f"/submissions/{sent}", f"/submissions/{sent}/receipt")
    assert all(browser.get(page).status_code == 200 for page in pages)
    assert change(lin, eve, active="").status_code == 303
    assert all(browser.get(page).status_code == 404 for page in pages)
    assert "You are in no term yet" in browser.get("/").text
    assert ">Eve<" not in lin.get(f"/staff/{TERM}/gradebook").text
    assert "has left" in lin.get(ROSTER).text
    assert lin.get(f"/submissions/{sent}").status_code == 200
    assert change(lin, eve, active="on").status_code == 303
    assert all(browser.get(page).status_code == 200 for page in pages)
    assert ">Eve<" in lin.get(f"/staff/{TERM}/gradebook").text


def test_staff_who_leave_are_staff_no_longer(site, lin):
    tess = site.make_member("tess", "ta")
    browser = site.log_in("tess")
    assert browser.get(f"/staff/{TERM}/gradebook").status_code == 200
    change(lin, tess, role="ta", active="")
    assert browser.get(f"/staff/{TERM}/gradebook").status_code == 404
    assert ">Staff<" not in browser.get("/").text


def test_an_import_that_names_who_left_brings_them_back(site, lin, ada):
    change(lin, ada, active="")
    page = lin.post(
        f"{ROSTER}/add", data={"username": "ada", "name": "Ada", "role": "student"}
    ).text
    assert "has left" in page
    field = dict(re.findall(r'name="(roster|encoding|fingerprint)" value="([^"]*)"', page))
    assert lin.post(f"{ROSTER}/import", data=field).status_code == 200
    assert place(site, ada).active


def test_one_person_is_added_as_by_a_file_of_one_line(site, lin):
    form = {"username": "Zoë", "name": "Zoë, of Köln", "email": "", "role": "ta"}
    refused = lin.post(f"{ROSTER}/add", data=form)
    assert refused.status_code == 422 and "cannot be used" in refused.text
    page = lin.post(f"{ROSTER}/add", data=form | {"username": "zoe"}).text
    assert "Zoë, of Köln" in page and "new account" in page
    field = dict(re.findall(r'name="(roster|encoding|fingerprint)" value="([^"]*)"', page))
    imported = lin.post(f"{ROSTER}/import", data=field).text
    (password,) = re.findall(r"<td><code>([^<]+)</code>", imported)
    assert log_in(site, "zoe", password)


def test_a_change_is_said_and_recorded_and_an_unchanged_form_is_nothing(site, lin, ada):
    page = lin.post(
        f"{ROSTER}/{ada.id}",
        data={"role": "ta", "student_number": " 7 ", "active": "on"},
        follow_redirects=True,
    ).text
    assert "role: student → ta; number: none → 7" in page
    change(lin, ada, role="ta", student_number="7")
    with read_session(site.engine) as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "roster.change")
        ).all()
    assert [one.detail["changes"] for one in entries] == [
        {"role": ["student", "ta"], "number": ["", "7"]}
    ]


def test_nobody_changes_their_own_place_or_takes_a_number(site, lin, ada):
    with read_session(site.engine) as session:
        own = session.scalars(select(Enrolment).join(User).where(User.username == "lin")).one()
    for fields in ({"role": "ta"}, {"role": "instructor", "active": ""}):
        answer = change(lin, own, **fields)
        assert answer.status_code == 422 and "your own place" in answer.text
    change(lin, ada, student_number="7")
    bo = site.make_member("bo")
    assert "is ada&#39;s" in change(lin, bo, student_number="7").text
    assert "choose a role" in change(lin, bo, role="dean").text
    assert "longer than 40" in change(lin, bo, student_number="1" * 41).text
    assert place(site, bo).student_number == ""


def test_a_forgotten_password_is_replaced_once_and_ends_every_session(site, lin, ada):
    old = site.log_in("ada")
    answer = lin.post(f"{ROSTER}/{ada.id}/password")
    assert answer.headers["Cache-Control"] == "no-store"
    (password,) = re.findall(r"with <code>([^<]+)</code>", answer.text)
    assert password not in lin.get(f"{ROSTER}/{ada.id}").text
    assert old.get("/").status_code == 302, "whoever was logged in is out"
    assert not log_in(site, "ada", PASSWORD) and log_in(site, "ada", password)
    fresh = site.app.test_client()
    fresh.post("/login", data={"username": "ada", "password": password})
    assert fresh.get("/").location == "/account/password"


@pytest.mark.parametrize(
    ("role", "elsewhere", "is_admin", "allowed"),
    [
        ("student", None, False, True),
        ("ta", None, False, True),
        ("student", "student", False, True),
        ("instructor", None, False, False),
        ("student", "ta", False, False),
        ("ta", "instructor", False, False),
        ("student", None, True, False),
    ],
)
def test_an_instructor_resets_only_whom_they_have_power_over(
    site, lin, role, elsewhere, is_admin, allowed
):
    """A password is everything its person may do: it must not lead to another term."""
    someone, other = site.make_member("someone", role), site.make_term("2027-spring")
    with write_session(site.engine) as session:
        session.get_one(User, someone.user_id).is_admin = is_admin
        if elsewhere:
            session.add(Enrolment(term_id=other.id, user_id=someone.user_id, role=elsewhere))
    answer = lin.post(f"{ROSTER}/{someone.id}/password")
    assert answer.status_code == (200 if allowed else 404)
    assert ("Make a new password" in lin.get(f"{ROSTER}/{someone.id}").text) == allowed


def test_tas_and_students_change_nobody(site, lin, ada):
    site.make_member("tess", "ta")
    for name in ("tess", "ada"):
        browser = site.log_in(name)
        assert browser.get(f"{ROSTER}/{ada.id}").status_code == 404
        assert change(browser, ada, role="instructor").status_code == 404
        assert browser.post(f"{ROSTER}/{ada.id}/password").status_code == 404
        assert browser.post(f"{ROSTER}/add", data={"username": "x"}).status_code == 404
    assert place(site, ada).role == "student"


def test_a_closed_account_is_out_at_once_and_stays_out(site, ada):
    browser = site.log_in("ada")
    with write_session(site.engine) as session:
        session.get_one(User, ada.user_id).active = False
    assert browser.get("/").status_code == 302
    assert not log_in(site, "ada", PASSWORD)
