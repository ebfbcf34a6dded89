"""A filter finds those whose run that speaks is in its state, and says exactly how many."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from support.portal import START

from grader.lab.catalogue import Catalogue
from portal.courses.models import Offering
from portal.marking.finding import PAGE_SIZE, Filter, find, matching
from portal.marking.regrade import batch, batch_size
from portal.platform.db import read_session, write_session
from portal.runs.models import FRESH, OPEN_STATES, Event, GradingRun, Result, RunState, RunTest
from portal.runs.speaking import current_runs
from portal.runs.suites import digest_now
from portal.submissions.models import Submission

RUNS = st.lists(
    st.tuples(
        st.sampled_from(RunState),
        st.integers(0, 2),  # minutes: some at one instant
        st.booleans(),  # by today's suite
        st.booleans(),  # speaks; the first one does in any case
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture
def sent(site, classroom):
    """Four submissions, in two labs."""
    numbers = classroom.send(classroom.enrol("ada"), None, None, None, None)
    with write_session(site.engine) as session:
        second = session.scalars(select(Offering).where(Offering.position == 2)).one()
        second.assignment_slug = "demo"
        table = Submission.__table__
        moved = table.update().where(table.c.id == numbers[3]).values(offering_id=second.id)
        session.execute(moved)
    return numbers


def give_runs(site, runs, digest):
    with write_session(site.engine) as session:
        for table in (Event, RunTest, Result, GradingRun):
            session.execute(delete(table.__table__))
        for submission, some in runs.items():
            for number, (state, minutes, today, speaks) in enumerate(some):
                session.add(
                    GradingRun(
                        id=f"{submission[-4:]}-{number}",
                        submission_id=submission,
                        suite_digest=digest if today else "another",
                        reason_key=f"regrade:{number}" if number else FRESH,
                        queue="cpu",
                        priority=1,
                        state=state,
                        fence=0,
                        attempts=0,
                        created_at=START + timedelta(minutes=minutes),
                        speaks=speaks or not number,
                    )
                )


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(runs=st.tuples(RUNS, RUNS, RUNS, RUNS))
def test_states_and_regrades_follow_the_run_that_speaks(runs, site, sent, home):
    catalogue = Catalogue(home)
    digest = digest_now(catalogue, "demo")
    give_runs(site, dict(zip(sent, runs, strict=True)), digest)
    with read_session(site.engine) as session:
        speaking = current_runs(session, sent)
        for state in RunState:
            true = {number for number in sent if speaking[number].state is state}
            wanted = Filter(site.term.id, state=state)
            page = find(session, wanted)
            assert {one.submission.id for one in page.attempts} == true
            assert page.total == len(true)
            assert set(session.scalars(matching(wanted))) == true
        waiting = {
            number
            for number, some in zip(sent, runs, strict=True)
            for place, (state, _, _, speaks) in enumerate(some)
            if state in OPEN_STATES and (speaks or not place)
        }
        free = [number for number in sent if number not in waiting]
        outdated = [
            number
            for number in free
            if (speaking[number].state, speaking[number].suite_digest) != (RunState.GRADED, digest)
        ]
        for lab in (None, site.offering_id):
            wanted = Filter(site.term.id, lab)
            found, counts = (
                batch(session, catalogue, wanted),
                batch_size(session, catalogue, wanted),
            )
            here = set(session.scalars(matching(wanted)))
            assert list(found.all) == [number for number in free if number in here]
            assert list(found.outdated) == [number for number in outdated if number in here]
            assert (counts.all, counts.outdated) == (len(found.all), len(found.outdated))


def test_pages_hold_each_submission_once_the_newest_first(site, classroom, sent):
    for name in ("bob", "cyd"):
        classroom.send(classroom.enrol(name), *[3.0] * 45)
    with write_session(site.engine) as session:
        table = Submission.__table__
        second = select(Offering.id).where(Offering.position == 2).scalar_subquery()
        odd = table.c.attempt % 2 == 1
        session.execute(table.update().where(odd).values(offering_id=second))
        session.execute(table.update().where(table.c.attempt < 20).values(received_at=START))
    with read_session(site.engine) as session:
        assert session.scalar(select(func.count(Submission.id))) == 94
        for wanted in (Filter(site.term.id), Filter(site.term.id, state=RunState.GRADED)):
            pages = [find(session, wanted, number) for number in (1, 2)]
            found = [one.submission for page in pages for one in page.attempts]
            assert len(pages[0].attempts) == PAGE_SIZE
            assert len({one.id for one in found}) == len(found) == pages[0].total
            assert found == sorted(found, key=lambda one: (one.received_at, one.id), reverse=True)


def test_a_lab_of_another_term_has_nothing_to_find(site, sent):
    with read_session(site.engine) as session:
        assert find(session, Filter(site.term.id, 10**6)).attempts == ()
