"""Late days as a bank: spent by themselves, in the order of the due dates, and shown."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.courses.models import AttemptPolicy, Offering, Term
from portal.courses.policy import conditions
from portal.platform.db import read_session, write_session
from portal.runs.models import RunState
from portal.standings.counting import PointsByTests, Tried, counted
from portal.standings.keeping import rebuild
from portal.standings.models import StudentStanding

DAY = timedelta(days=1)


@pytest.fixture
def late_term(site, classroom):
    """Two labs that take late uploads at a tenth a day, and three late days, two a lab."""
    with write_session(site.engine) as session:
        term = session.get_one(Term, classroom.term.id)
        term.late_days, term.late_days_a_lab = 3, 2
        for lab in term.offerings[:2]:
            lab.assignment_slug, lab.published = "demo", True
            lab.late_percent = Decimal(10)
            lab.closes_at = lab.due_at + 20 * DAY
        return [(lab.id, lab.due_at) for lab in term.offerings[:2]]


def send_late(classroom, who, lab, days, score=14.0):
    classroom.offering_id, due = lab
    return classroom.send(who, score, at=due + days * DAY - timedelta(hours=12))


def spent(engine):
    with read_session(engine) as session:
        order = select(StudentStanding).order_by(StudentStanding.offering_id)
        return [(one.days_late, one.days_spent, one.late_factor) for one in session.scalars(order)]


def test_the_lab_that_is_due_first_takes_them_first_whatever_came_first(
    late_term, classroom, engine
):
    ada = classroom.enrol("ada")
    send_late(classroom, ada, late_term[1], 2)
    assert spent(engine) == [(2, 2, 1)]
    send_late(classroom, ada, late_term[0], 3)
    assert spent(engine) == [(3, 2, Decimal("0.9")), (2, 1, Decimal("0.9"))]
    assert rebuild(engine) == []


def test_another_number_of_late_days_holds_at_once(late_term, classroom, engine, site):
    send_late(classroom, classroom.enrol("ada"), late_term[0], 3)
    with write_session(engine) as session:
        session.get_one(Term, classroom.term.id).late_days_a_lab = 3
    assert spent(engine) == [(3, 3, 1)]


def tried(number, score, received, own):
    graded = PointsByTests.of(score, 14.0, 0.0)
    return Tried(str(number), number, received, str(number), RunState.GRADED, graded, own)


def test_of_equal_attempts_the_one_that_takes_fewer_late_days_counts(late_term, engine):
    number, due = late_term[0]
    with read_session(engine) as session:
        own = conditions(session.get_one(Offering, number))
    in_time, late = tried(1, 12, due, own), tried(2, 12, due + DAY, own)
    nothing = tried(3, 0, due + 2 * DAY, own)
    best = counted([in_time, late, nothing], AttemptPolicy.BEST, 2)
    assert (best.tried.attempt, best.days_spent) == (1, 0)
    last = counted([in_time, late], AttemptPolicy.LAST, 2)
    assert (last.tried.attempt, last.days_spent) == (2, 1)
    assert counted([nothing], AttemptPolicy.BEST, 2).days_spent == 0


def test_the_page_the_gradebook_and_the_csv_tell_of_them(late_term, classroom, site, log_in):
    ada = classroom.enrol("ada")
    send_late(classroom, ada, late_term[0], 2)
    site.make_member("lin", "instructor")
    own, staff = log_in("ada"), log_in("lin")
    assert "1 of your 3 late days are left." in own.get("/").text
    lab = own.get(f"/labs/{late_term[0][0]}/").text
    assert "2 late days spent" in lab and "of 2 days late" in lab
    slug = classroom.term.slug
    assert "Late days" in staff.get(f"/staff/{slug}/gradebook").text
    header, line = staff.get(f"/staff/{slug}/gradebook.csv").text.splitlines()
    assert "late days spent (3)" in header and line.endswith(",2,14.00")


def test_a_line_of_the_card_is_not_rounded_before_the_next_one(late_term, classroom, log_in):
    ada = classroom.enrol("ada")
    send_late(classroom, ada, late_term[0], 3, score=7.35)
    lab = log_in("ada").get(f"/labs/{late_term[0][0]}/").text
    assert "<b>6.615</b>" in lab, "what stays of 7.35 after one day"
    assert "<b>6.62</b>" in lab, "the course's points"


def test_the_form_says_what_an_upload_would_take(late_term, classroom, site, log_in):
    classroom.enrol("ada")
    site.clock.instant = late_term[0][1] + DAY
    page = log_in("ada").get(f"/labs/{late_term[0][0]}/").text
    assert "It takes 1 of your late days, if it counts." in page
    assert "marked as late" in page


def test_an_instructor_sets_them_on_the_page_and_bad_numbers_are_refused(site, classroom, log_in):
    site.make_member("lin", "instructor")
    lin, address = log_in("lin"), f"/staff/{classroom.term.slug}/settings"
    answer = lin.post(f"{address}/term", data={"late_days": "5", "late_days_a_lab": "2"})
    assert answer.status_code == 303
    assert "Late days: 0 → 5" in lin.get(address).text
    wrong = lin.post(f"{address}/term", data={"late_days": "-1", "late_days_a_lab": "x"})
    assert wrong.status_code == 422 and "Late days" in wrong.text
    assert "late_days = 5" in lin.get(f"{address}/course.toml").text
