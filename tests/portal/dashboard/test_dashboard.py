"""The figures of a lab, and that the charts show the same as the tables."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from grader.lab.catalogue import Catalogue
from portal.courses.models import Offering
from portal.dashboard.charts import charts
from portal.dashboard.service import dashboard, distribution
from portal.platform.db import read_session


@pytest.fixture
def board(classroom, home):
    def read():
        with read_session(classroom.engine) as session:
            offering = session.get_one(Offering, classroom.offering_id)
            return dashboard(session, Catalogue(home), offering)

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
    assert [(one.passed, one.total) for one in board().tests] == [(1, 3), (3, 3)]


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
    assert len(drawn["tests"]["data"]["values"]) == len(found.tests)


@pytest.mark.parametrize("people", [2, 9])
def test_a_dashboard_takes_as_many_queries_for_nine_students_as_for_two(people, classroom, board):
    for number in range(people):
        classroom.send(classroom.enrol(f"student{number}"), 3.0, 7.0)
    statements = []
    event.listen(classroom.engine, "after_cursor_execute", lambda *args: statements.append(args[2]))
    board()
    assert sum(text.lstrip().startswith("SELECT") for text in statements) <= 7


def test_the_page_says_when_there_is_nothing_to_show(classroom, make_member, log_in):
    make_member("tess", "ta")
    page = log_in("tess").get(f"/staff/{classroom.term.slug}/dashboard").text
    assert "Nobody has a score yet." in page
    assert "data-chart" not in page
