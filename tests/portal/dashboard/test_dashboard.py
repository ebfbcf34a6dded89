"""The figures of a lab, and that the charts show the same as the tables."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, update

from grader.lab.catalogue import Catalogue
from portal.courses.anonymity import Veil
from portal.courses.models import Offering, Term
from portal.dashboard.charts import charts
from portal.dashboard.service import PassRate, by_item, dashboard, distribution
from portal.platform.db import read_session, write_session
from portal.submissions.models import Submission


@pytest.fixture
def board(classroom, home):
    def read():
        with read_session(classroom.engine) as session:
            offering = session.get_one(Offering, classroom.offering_id)
            veil = Veil(b"key", frozenset(), frozenset(), leads=False)
            return dashboard(session, Catalogue(home), offering, veil)

    return read


@given(st.lists(st.decimals(0, 15, places=2)))
def test_every_score_is_in_one_interval(scores):
    assert sum(one.students for one in distribution(scores, Decimal(14))) == len(scores)


def test_full_marks_are_in_the_last_interval():
    assert distribution([Decimal(14)], Decimal(14))[-1].students == 1


def test_failures_are_grouped_with_the_students_affected(classroom, board):
    for name, error in (("ada", 0.25), ("bob", 0.5)):
        classroom.send(classroom.enrol(name), 7.0, detail=f"relative error {error}")
    classroom.send(classroom.enrol("cyd"), 7.0, 14.0)
    (group,) = board().failures
    assert [one.name for one in group.students] == ["Ada", "Bob"]
    assert [
        (one.number, one.item, one.passed, one.total)
        for group in board().items
        for one in group.tests
    ] == [(1, "first", 3, 3), (2, "second", 1, 3)]


def test_progress_tries_and_mean(classroom, board):
    ada, bob = classroom.enrol("ada"), classroom.enrol("bob")
    classroom.enrol("cyd")
    classroom.send(ada, 7.0, 14.0)
    classroom.send(bob, 7.0, at=ada.user.created_at + timedelta(days=1))
    found = board()
    assert [(day.uploads, day.students) for day in found.days] == [(2, 1), (1, 2)]
    assert found.tries == ((2, 1),)
    assert (found.enrolled, found.submitted, found.scored) == (3, 2, 2)
    assert found.mean == Decimal("10.5")


def test_charts_hold_the_figures_of_the_tables(classroom, board):
    classroom.send(classroom.enrol("ada"), 7.0)
    found = board()
    drawn = charts(found)
    assert sum(row["students"] for row in drawn["distribution"]["data"]["values"]) == found.scored


def test_a_day_ends_at_midnight_of_the_courses_zone(site, classroom, board):
    """In Nepal that is a quarter to an hour; who sends more on the day before began there."""
    with write_session(site.engine) as session:
        session.get_one(Term, site.term.id).timezone = "Asia/Kathmandu"
    ada, bob = classroom.enrol("ada"), classroom.enrol("bob")
    midnight = datetime(2026, 9, 9, 18, 15, tzinfo=UTC)
    last = midnight - timedelta(milliseconds=1)
    sent = [*classroom.send(bob, 7.0, 7.0), *classroom.send(ada, 7.0, 7.0)]
    sent += classroom.send(ada, 7.0, mates=[bob])
    with site.engine.begin() as connection:
        for number, at in zip(sent, (midnight, midnight, last, midnight, midnight), strict=True):
            mine = update(Submission).where(Submission.id == number)
            connection.execute(mine.values(received_at=at))
    found = [(day.day.day, day.uploads, day.students) for day in board().days]
    assert found == [(9, 1, 1), (10, 4, 2)]


def test_days_and_due_date_are_drawn_as_the_courses_clock_shows_them(site, classroom, board):
    site.change_offering(due_at=datetime(2026, 9, 20, 15, 59, tzinfo=UTC))  # 23:59 in Shanghai
    sent = datetime(2026, 9, 7, 17, 0, tzinfo=UTC)  # the 8th there
    classroom.send(classroom.enrol("ada"), 7.0, at=sent)
    drawn = charts(board())["progress"]
    assert drawn["data"]["values"][0]["day"] == "2026-09-08T00:00:00+00:00"
    line, due = drawn["layer"]
    assert due["data"]["values"] == [{"day": "2026-09-20T23:59:00+00:00"}]
    assert {one["encoding"]["x"]["scale"]["type"] for one in (line, due)} == {"utc"}
    assert "Asia/Shanghai" in line["encoding"]["x"]["title"]


def test_tests_stand_by_item_the_hardest_first():
    rates = [
        PassRate("a", 1, "A", "loss", 9, 10),
        PassRate("b", 2, "B", "layers", 5, 10),
        PassRate("c", 3, "C", "loss", 1, 10),
    ]
    groups = by_item(rates)
    assert [group.item for group in groups] == ["loss", "layers"]
    assert [one.test for one in groups[0].tests] == ["c", "a"]
    assert groups[0].rate == 0.5


def test_a_test_leads_to_the_submissions_behind_its_figure(classroom, make_member, log_in):
    ada, bob = classroom.enrol("ada"), classroom.enrol("bob")
    (failing,) = classroom.send(ada, 7.0)
    (passing,) = classroom.send(bob, 14.0)
    make_member("tess", "ta")
    browser = log_in("tess")
    page = browser.get(f"/staff/{classroom.term.slug}/dashboard").text
    links = [unescape(one) for one in re.findall(r'href="([^"]*/test\?test=[^"]*)"', page)]
    assert len(links) == 2
    found = browser.get(links[1]).text
    assert "1 of 2 attempts that count pass" in found and "relative error" in found
    assert found.index(f"/staff/submissions/{failing}") < found.index(passing)
    assert browser.get(links[1] + "x").status_code == 404


@pytest.mark.parametrize("people", [2, 9])
def test_a_dashboard_takes_as_many_queries_for_nine_students_as_for_two(people, classroom, board):
    for number in range(people):
        classroom.send(classroom.enrol(f"student{number}"), 3.0, 7.0)
    statements = []
    event.listen(classroom.engine, "after_cursor_execute", lambda *args: statements.append(args[2]))
    board()
    assert sum(text.lstrip().startswith("SELECT") for text in statements) <= 8


def test_the_page_says_when_there_is_nothing_to_show(classroom, make_member, log_in):
    make_member("tess", "ta")
    page = log_in("tess").get(f"/staff/{classroom.term.slug}/dashboard").text
    assert "Nobody has a score yet." in page
    assert "data-chart" not in page
