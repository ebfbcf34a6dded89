"""Marks by hand on what a team sent: given once, for all of them; for one alone with a reason."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from sqlalchemy import select
from support.labs import mark_by_hand

from portal.courses.models import AttemptPolicy, Role, Term
from portal.inbox.service import inbox
from portal.platform.db import read_session, write_session
from portal.standings.keeping import rebuild
from portal.standings.models import AttemptChoice, ManualMark, StudentStanding


@pytest.fixture
def tess(site):
    site.make_member("tess", Role.TA)
    return site.log_in("tess")


@pytest.fixture
def people(home, site, term, classroom):
    """Three students of the lab `demo`, of whose points a person gives four."""
    mark_by_hand(home)
    site.change_offering(team_size=3, marks_published=True)
    return [classroom.enrol(name) for name in ("ada", "bo", "cy")]


def mark(tess, submission_id, points):
    form = {"item": "report", "points": points}
    return tess.post(f"/staff/submissions/{submission_id}/marks", data=form)


def points_of(site):
    """Return everybody's points by hand, by enrolment."""
    with read_session(site.engine) as session:
        rows = session.scalars(select(StudentStanding)).all()
        return {row.enrolment_id: row.marks.get("report") for row in rows}


def test_a_mark_on_a_teams_attempt_is_given_once_and_is_everybodys(site, tess, people, classroom):
    ada, bo, cy = people
    (sent,) = classroom.send(ada, 7.0, mates=[bo])
    (other,) = classroom.send(cy, 9.0)
    with read_session(site.engine) as session:
        home = site.app.extensions["portal"].catalogue
        here = session.get_one(Term, site.term.id)
        waiting = inbox(session, home, here, reader_id=0, now=site.clock())
    assert [one.attempts for one in waiting.to_mark] == [2], "of the team one attempt waits"
    page = tess.get(f"/staff/submissions/{sent}").text
    assert "goes to its whole team" in page
    assert mark(tess, sent, "3").status_code == 303
    assert points_of(site) == {ada.id: "3", bo.id: "3", cy.id: None}
    assert "Nobody else is left" in tess.get(f"/staff/submissions/{other}").text
    assert rebuild(site.engine) == []


def test_each_of_a_team_has_the_points_by_item(site, people, classroom):
    ada, bo, _ = people
    classroom.send(ada, 7.0, mates=[bo])
    with read_session(site.engine) as session:
        rows = session.scalars(select(StudentStanding)).all()
        items = {row.enrolment_id: row.items for row in rows}
    assert items[ada.id] == items[bo.id] != {}


@pytest.mark.parametrize("second", ["2.5", "0.5"], ids=["agree", "settled"])
def test_what_two_people_come_to_is_the_whole_teams(site, tess, people, classroom, second):
    ada, bo, _ = people
    (sent,) = classroom.send(ada, 7.0, mates=[bo])
    site.change_offering(two_marks_within=Decimal("0.5"))
    site.make_member("toni", Role.TA)
    toni = site.log_in("toni")
    mark(tess, sent, "3")
    assert set(points_of(site).values()) <= {None}, "one of two counts for nothing"
    mark(toni, sent, second)
    if second == "0.5":
        form = {"item": "report", "points": "2.75", "reason": "We talked"}
        assert toni.post(f"/staff/submissions/{sent}/marks/settle", data=form).status_code == 303
    found = points_of(site)
    assert found[ada.id] == found[bo.id] == "2.75"
    assert rebuild(site.engine) == []


def test_without_names_a_teams_attempt_names_nobody_of_it(site, tess, people, classroom):
    ada, bo, _ = people
    (sent,) = classroom.send(ada, 7.0, mates=[bo])
    site.change_offering(anonymous=True, marks_published=False)
    for address in (f"/staff/submissions/{sent}", f"/staff/{site.term.slug}/submissions"):
        page = tess.get(address).text
        assert "Ada" not in page and "Bo" not in page, address
    page = tess.get(f"/staff/submissions/{sent}").text
    # Not how many they are: Teams tells of all, by name, and one of that size might be alone.
    assert "goes to its whole team." in page


def test_one_alone_is_marked_with_a_reason_that_only_they_read(
    site, tess, people, classroom, log_in
):
    ada, bo, _ = people
    (sent,) = classroom.send(ada, 7.0, mates=[bo])
    mark(tess, sent, "3")
    place = f"/staff/2026-autumn/gradebook/{bo.id}/{site.offering_id}/marks"
    answer = tess.post(place, data={"item": "report", "points": "1"})
    assert answer.status_code == 422 and "say why Bo alone gets these points" in answer.text
    form = {"item": "report", "points": "1", "reason": "wrote none of it"}
    assert tess.post(place, data=form).status_code == 303
    assert points_of(site) == {ada.id: "3", bo.id: "1"}
    for name, theirs in (("ada", False), ("bo", True)):
        browser = log_in(name)
        for page in ("", "/explain", "/receipt"):
            found = browser.get(f"/submissions/{sent}{page}").text
            assert theirs or "wrote none of it" not in found, page
        assert ("wrote none of it" in browser.get(f"/submissions/{sent}").text) is theirs


def test_who_has_gone_on_with_others_keeps_the_mark_of_what_counts_for_them(
    site, tess, people, classroom
):
    ada, bo, cy = people
    (first,) = classroom.send(ada, 7.0, mates=[bo])
    (second,) = classroom.send(bo, 9.0, mates=[cy])
    mark(tess, second, "4")
    mark(tess, first, "1")
    assert points_of(site) == {ada.id: "1", bo.id: "4", cy.id: "4"}


def test_an_attempt_that_counts_for_nobody_any_more_is_not_marked(site, tess, people, classroom):
    ada, bo, cy = people
    (first,) = classroom.send(ada, 7.0, mates=[bo])
    classroom.send(bo, 9.0, mates=[cy])
    classroom.send(ada, 9.0)
    answer = mark(tess, first, "1")
    assert answer.status_code == 422 and "counts for nobody any more" in answer.text
    with read_session(site.engine) as session:
        assert session.scalars(select(ManualMark)).all() == []


def test_each_member_chooses_which_of_their_attempts_counts(site, people, classroom, log_in):
    ada, bo, cy = people
    site.change_offering(policy=AttemptPolicy.CHOSEN)
    first, second = classroom.send(ada, 7.0, 9.0, mates=[bo])
    place = f"/labs/{site.offering_id}/counts"
    assert log_in("bo").post(place, data={"attempt": first}).status_code == 303
    assert log_in("cy").post(place, data={"attempt": first}).status_code == 422
    with read_session(site.engine) as session:
        counts = {
            one.enrolment_id: one.submission_id
            for one in session.scalars(select(StudentStanding)).all()
        }
        assert len(session.scalars(select(AttemptChoice)).all()) == 1
    assert counts == {ada.id: second, bo.id: first}


def test_the_lists_of_staff_name_the_team_once_and_find_it_by_each(site, tess, people, classroom):
    ada, bo, _ = people
    (sent,) = classroom.send(ada, 7.0, mates=[bo])
    for name in ("ada", "bo"):
        page = tess.get(f"/staff/2026-autumn/submissions?student={name}").text
        assert page.count(f"/staff/submissions/{sent}") == 1 and "Bo" in page
    assert "/staff/submissions/" not in tess.get("/staff/2026-autumn/submissions?student=cy").text
    book = re.sub("<[^>]*>", " ", tess.get("/staff/2026-autumn/gradebook").text)
    assert "Ada" in book and "Bo" in book
    with write_session(site.engine) as session:
        standings = session.scalars(select(StudentStanding)).all()
        assert [one.by_tests for one in standings] == [Decimal(7), Decimal(7)]
