"""An instructor reads what was done in the term, in words, and nothing of other terms."""

import pytest
from support.portal import START

from portal.audit.service import record
from portal.platform.db import write_session

HISTORY = "/staff/2026-autumn/history"


@pytest.fixture
def lin(site):
    site.make_member("lin", "instructor")
    return site.log_in("lin")


def note(site, subject, action="test.act", **detail):
    with write_session(site.engine) as session:
        record(session, at=START, actor_id=None, action=action, subject=subject, **detail)


def test_acts_are_told_in_words_with_who_and_about_whom(site, lin, classroom):
    eve = classroom.enrol("eve")
    (sent,) = classroom.send(eve, 7.0)
    lin.get(f"/staff/submissions/{sent}")
    lin.get("/staff/2026-autumn/gradebook.csv")
    lin.post(f"/staff/2026-autumn/roster/{eve.id}", data={"role": "ta", "active": "on"})
    page = lin.get(HISTORY).text
    assert "submission: view" in page and "Eve, Lab 1: A demo lab, attempt 1" in page
    assert "gradebook: download" in page and "role: student → ta" in page
    assert page.index("roster: change") < page.index("submission: view"), "the newest first"
    assert (
        "submission: view" not in lin.get(f"{HISTORY}?action=roster.change").text.split("<table")[1]
    )


def test_nothing_of_another_term_or_of_logins_is_shown(site, lin):
    other = site.make_term("2027-spring")
    for subject in ("term:2027-spring", f"offering:{8}", "user:1", "enrolment:99999"):
        note(site, subject, said="SECRET-OF-OTHERS")
    note(site, "term:2026-autumn", said="<b>ours</b>")
    page = lin.get(HISTORY).text
    assert other.slug not in page and "SECRET-OF-OTHERS" not in page
    assert "&lt;b&gt;ours&lt;/b&gt;" in page and "on the server" in page


def test_failed_logins_of_the_terms_people_are_shown_with_the_address(site, lin):
    site.make_member("ada")
    site.make_user("stranger")
    browser = site.app.test_client()
    for name in ("ada", "stranger"):
        browser.post("/login", data={"username": name, "password": "wrong"})
    page = lin.get(HISTORY).text
    assert page.count("login: failed</td>") == 1
    assert ">Ada</td>" in page and "127.0.0.1" in page and "Stranger" not in page


def test_a_long_log_has_pages(site, lin):
    for number in range(205):
        note(site, "term:2026-autumn", said=f"act-{number}.")
    assert "Page 1 of 3" in lin.get(HISTORY).text and "act-204." in lin.get(HISTORY).text
    last = lin.get(f"{HISTORY}?page=99").text
    assert "Page 3 of 3" in last and "act-0." in last and "act-204." not in last


def test_tas_and_students_do_not_read_it(site, lin):
    for name, role in (("tess", "ta"), ("ada", "student")):
        site.make_member(name, role)
        assert site.log_in(name).get(HISTORY).status_code == 404
