"""Two people mark independently; their mean counts if they are near, and else they settle it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from support.labs import mark_by_hand

from portal.audit.models import AuditEntry
from portal.platform.db import read_session
from portal.standings.keeping import rebuild
from portal.standings.models import ManualMark, Opinion
from portal.standings.opinions import mean
from portal.submissions.models import Submission

STAFF = "/staff/2026-autumn"


class Marking:
    """Ada's attempt, three who mark, and an instructor."""

    def __init__(self, site, submission):
        self.site, self.address = site, f"/staff/submissions/{submission}"
        for name, role in (("tess", "ta"), ("toni", "ta"), ("una", "ta"), ("ines", "instructor")):
            site.make_member(name, role)
        self.browsers = {name: site.log_in(name) for name in ("tess", "toni", "una", "ines")}

    def give(self, who, points, comment=""):
        form = {"item": "report", "points": points, "comment": comment}
        return self.browsers[who].post(f"{self.address}/marks", data=form)

    def settle(self, who, points="3", reason="We talked"):
        form = {"item": "report", "points": points, "reason": reason}
        return self.browsers[who].post(f"{self.address}/marks/settle", data=form)

    def page(self, who):
        return self.browsers[who].get(self.address).text

    def inbox(self, who):
        return self.browsers[who].get(f"{STAFF}/inbox").text

    def marks(self):
        with read_session(self.site.engine) as session:
            return session.scalars(select(ManualMark).order_by(ManualMark.id)).all()

    def actions(self):
        with read_session(self.site.engine) as session:
            entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [one.action for one in entries if one.action.startswith("mark.")]


@pytest.fixture
def marking(site, classroom, home):
    mark_by_hand(home)
    (sent,) = classroom.send(classroom.enrol("ada"), 7.0)
    site.change_offering(two_marks_within=Decimal("0.5"), published=True)
    return Marking(site, sent)


def test_the_second_reads_the_first_mark_once_their_own_is_given(marking):
    assert marking.give("tess", "1.75", "The proof is missing").status_code == 303
    assert marking.marks() == [], "one of two counts for nothing"
    assert "1.75" in marking.page("tess") and "waits for that of a second" in marking.page("tess")
    for who in ("toni", "ines"):
        page = marking.page(who)
        assert "1.75" not in page and "The proof is missing" not in page, who
        assert "independently" in page
    marking.give("toni", "3.5", "Well argued")
    for who in ("tess", "toni", "ines"):
        page = marking.page(who)
        assert "1.75" in page and "Well argued" in page, who
    assert "1.75" not in marking.page("una") and "are apart" in marking.page("una")


def test_until_the_second_is_given_the_first_can_be_given_again(marking):
    for points in ("1", "4"):
        marking.give("tess", points)
    marking.give("toni", "3.5")
    (mark,) = marking.marks()
    assert mark.points == Decimal("3.75")


def test_near_marks_become_their_mean_with_both_comments(site, marking):
    marking.give("tess", "3", "Clear")
    answer = marking.give("toni", "3.25", "Short")
    assert answer.status_code == 303
    (mark,) = marking.marks()
    assert mark.points == Decimal("3.13"), "half up to hundredths"
    assert mark.comment == "Clear\n\nShort" and mark.reason == "mean of two marks, 3 and 3.25"
    assert marking.actions() == ["mark.opinion", "mark.opinion", "mark.give"]
    assert rebuild(site.engine) == []
    site.change_offering(marks_published=True)
    with read_session(site.engine) as session:
        ada = session.scalars(select(Submission)).one()
    page = site.log_in("ada").get(f"/submissions/{ada.id}").text
    assert "3.13" in page and "mean of two marks, 3 and 3.25" in page
    assert "10.13" in page, "seven by tests and this"


def test_equal_marks_count_as_they_are(marking):
    for who in ("tess", "toni"):
        marking.give(who, "2")
    (mark,) = marking.marks()
    assert mark.points == 2 and mark.reason == ""


@pytest.mark.parametrize("who", ["ines", "tess", "toni"])
def test_marks_apart_are_settled_with_a_reason(site, marking, who):
    marking.give("tess", "1")
    marking.give("toni", "3")
    assert marking.marks() == []
    assert "Marked by two who are apart" in marking.inbox("ines")
    assert "Settle" in marking.page(who)
    for wrong in ({"reason": " "}, {"points": ""}, {"points": "5"}):
        assert marking.settle(who, **wrong).status_code == 422
    assert marking.settle(who, points="2.5").status_code == 303
    (mark,) = marking.marks()
    assert (mark.points, mark.reason) == (Decimal("2.5"), "We talked")
    assert marking.actions()[-1] == "mark.settle"
    assert "apart" not in marking.inbox("ines")
    assert marking.settle(who).status_code == 422, "there is nothing left to settle"
    assert rebuild(site.engine) == []


def test_nobody_else_settles_or_adds_a_third(site, marking):
    marking.give("tess", "1")
    marking.give("toni", "3")
    assert marking.settle("una").status_code == 422
    for who in ("una", "tess"):
        assert marking.give(who, "2").status_code == 422, "they have read one another's"
    ada = site.log_in("ada").post(f"{marking.address}/marks/settle", data={"points": "4"})
    assert ada.status_code == 404 and marking.marks() == []


def test_what_somebody_has_marked_waits_for_others(marking):
    assert "To mark" in marking.inbox("tess")
    marking.give("tess", "1")
    assert "To mark" not in marking.inbox("tess") and "To mark" in marking.inbox("toni")
    marking.give("toni", "3")
    assert "To mark" not in marking.inbox("una"), "it is to be settled"


def test_a_newer_attempt_asks_for_two_new_marks(site, marking, classroom):
    marking.give("tess", "3")
    with read_session(site.engine) as session:
        ada = session.scalars(select(Submission)).one().enrolment
    (newer,) = classroom.send(ada, 8.0)
    form = {"item": "report", "points": "3"}
    marking.browsers["toni"].post(f"/staff/submissions/{newer}/marks", data=form)
    assert marking.marks() == [], "they have marked different work"
    marking.browsers["tess"].post(f"/staff/submissions/{newer}/marks", data=form)
    (mark,) = marking.marks()
    assert mark.submission_id == newer


def test_no_single_mark_is_given_on_the_students_page(site, marking):
    with read_session(site.engine) as session:
        ada = session.scalars(select(Submission)).one().enrolment_id
    form = {"item": "report", "points": "3"}
    place = f"{STAFF}/gradebook/{ada}"
    answer = marking.browsers["ines"].post(f"{place}/{site.offering_id}/marks", data=form)
    assert answer.status_code == 422 and "Two people mark this lab" in answer.text
    assert "Two people mark this lab" in marking.browsers["ines"].get(place).text


def test_switched_off_one_mark_counts_and_what_waited_is_done_with(site, marking):
    marking.give("tess", "1")
    site.change_offering(two_marks_within=None)
    marking.give("toni", "4")
    (mark,) = marking.marks()
    assert mark.points == 4
    with read_session(site.engine) as session:
        assert session.scalars(select(Opinion)).one().mark_id == mark.id


@given(*[st.decimals(0, 100, places=2)] * 2)
def test_the_mean_is_rounded_half_up_and_lies_between(first, second):
    found = mean(first, second)
    exact = Fraction(first + second) / 2
    assert found == mean(second, first) and min(first, second) <= found <= max(first, second)
    assert Fraction(0) <= Fraction(found) - exact <= Fraction(1, 200)


class TestAtOnce:
    """On every kind of database."""

    @pytest.fixture
    def database_url(self, each_database_url):
        return each_database_url

    def test_two_who_mark_at_the_same_instant_find_one_another(self, site, marking):
        gate = threading.Barrier(2)

        def press(who):
            gate.wait(60)
            return marking.give(who, "2").status_code

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(press, ("tess", "toni"))) == [303, 303]
        assert [one.points for one in marking.marks()] == [2]
        assert rebuild(site.engine) == []
