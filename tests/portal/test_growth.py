"""What the database does for a page does not grow with the term: steps of SQLite, counted."""

from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select

from portal.audit.service import record
from portal.platform.db import write_session
from portal.runs.models import GradingRun, Result
from portal.submissions.models import Submission, SubmissionMember

STAFF = "/staff/2026-autumn"
PAGE = 60  # submissions of which a page shows some
MORE = 800  # then
STEPS = 10  # counted at a time
PAGES = [  # with the steps that each submission of somebody else may add
    pytest.param("ada", "/labs/{lab}/", 0, id="a lab"),
    pytest.param("ada", "/submissions/{sent}", 0, id="a result"),
    pytest.param("ada", "/submissions/{sent}/receipt", 0, id="a receipt"),
    pytest.param("tess", f"{STAFF}/inbox", 0, id="the inbox"),
    pytest.param("tess", f"{STAFF}/submissions?state=needs_human", 0, id="those of one state"),
    pytest.param("tess", f"{STAFF}/submissions?student=ada", 0, id="those of one student"),
    pytest.param("ines", f"{STAFF}/history", 0, id="the history"),
    pytest.param("tess", f"{STAFF}/submissions", 5, id="submissions, counted"),
    pytest.param("tess", f"{STAFF}/submissions?state=graded", 5, id="the graded, counted"),
    pytest.param("tess", f"{STAFF}/submissions/regrade", 60, id="a regrade, counted"),
]


@pytest.fixture
def sent(site, classroom):
    """The newest of a student's three attempts; another one has one."""
    ada, bob = classroom.enrol("ada"), classroom.enrol("bob")
    (*_, newest) = classroom.send(ada, 7.0, 3.0, 5.0)
    (other,) = classroom.send(bob, 5.0)
    site.make_member("tess", "ta")
    ines = site.make_member("ines", "instructor")
    with write_session(site.engine) as session:
        for number in (newest, other):
            did = {"actor_id": ines.user_id, "action": "submission.view"}
            record(session, at=site.clock.instant, subject=f"submission:{number}", **did)
    return newest


def add_others(site, numbers):
    """Add submissions of the other student, each older than the one before."""
    with write_session(site.engine) as session:
        known = session.scalars(select(Submission).order_by(Submission.received_at.desc())).first()
        run = session.scalars(select(GradingRun).where(GradingRun.submission_id == known.id)).one()
        keys = {
            Submission: {"id": known.id},
            SubmissionMember: {"submission_id": known.id},
            GradingRun: {"id": run.id},
            Result: {"run_id": run.id},
        }
        for model, key in keys.items():
            row = dict(session.execute(select(model.__table__).filter_by(**key)).mappings().one())
            session.execute(insert(model), [copied(row, number) for number in numbers])


def copied(row, number):
    """Return a row with keys of its own."""
    changes = {
        key: f"more-{number}"
        for key in ("id", "submission_id", "run_id", "client_key")
        if key in row
    }
    if "attempt" in row:
        changes["attempt"] = number + 2
        changes["received_at"] = row["received_at"] - timedelta(seconds=number + 1)
    return row | changes


def steps_of(site, browser, address):
    """Return how many steps the database makes for a page, to the next ten, once it was opened."""
    assert browser.get(address).status_code == 200
    seen = 0

    def tick():
        nonlocal seen
        seen += STEPS

    def watch(connection, *_):
        connection.set_progress_handler(tick, STEPS)

    event.listen(site.engine, "checkout", watch)
    assert browser.get(address).status_code == 200
    event.remove(site.engine, "checkout", watch)
    return seen


@pytest.mark.parametrize(("who", "address", "each"), PAGES)
def test_what_others_hand_in_adds_little_to_a_page(who, address, each, site, sent):
    browser = site.log_in(who)
    address = address.format(lab=site.offering_id, sent=sent)
    add_others(site, range(PAGE))
    before = steps_of(site, browser, address)
    add_others(site, range(PAGE, PAGE + MORE))
    after = steps_of(site, browser, address)
    assert before > 100, "nothing was counted"
    assert after - before <= each * MORE + before / 10
