"""Trials on every kind of database: several people at the same instant, and going back."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, update

from grader.lab.catalogue import Catalogue
from portal.audit.models import AuditEntry
from portal.platform.db import read_session
from portal.platform.schema import alembic_config, upgrade
from portal.runs.models import GradingRun
from portal.runs.suites import digest_of
from portal.standings.keeping import rebuild

TRIALS = "/staff/2026-autumn/submissions/trials"


@pytest.fixture
def database_url(each_database_url):
    return each_database_url


@pytest.fixture
def staff(site):
    site.make_member("tess", "ta")
    site.make_member("toni", "ta")
    return [site.log_in(name) for name in ("tess", "toni") for _ in range(2)]


def at_once(staff, address, form):
    """Post a form by everybody at the same instant; return what they were answered."""
    gate = threading.Barrier(len(staff))

    def press(browser):
        gate.wait(60)
        return browser.post(address, data=form).status_code

    with ThreadPoolExecutor(len(staff)) as pool:
        return sorted(pool.map(press, staff))


def test_a_trial_that_several_let_count_at_once_counts_once(site, classroom, staff, home):
    ada, tim = classroom.enrol("ada"), classroom.enrol("tim", "ta")
    trial, _ = classroom.try_regrade(tim, *classroom.send(ada, 7.0, 3.0))
    with site.engine.begin() as connection:
        today = digest_of(Catalogue(home).get("demo"))
        connection.execute(update(GradingRun).values(suite_digest=today))
    form = {"which": "all", "count": "2", "reason": "Fine"}
    assert at_once(staff, f"/staff/trials/{trial}/count", form) == [303, 422, 422, 422]
    with read_session(site.engine) as session:
        speaking = select(func.count()).select_from(GradingRun).where(GradingRun.speaks)
        assert session.scalar(speaking) == 4
        applied = select(func.count()).where(AuditEntry.action == "trial.apply")
        assert session.scalar(applied) == 1
    assert rebuild(site.engine) == []


def test_a_trial_that_is_begun_twice_at_once_begins_once(site, classroom, staff):
    classroom.send(classroom.enrol("ada"), 7.0, 3.0)
    form = {"which": "all", "count": "2", "key": str(uuid.uuid4())}
    assert at_once(staff, TRIALS, form) == [303] * 4
    with read_session(site.engine) as session:
        silent = select(func.count()).select_from(GradingRun).where(~GradingRun.speaks)
        assert session.scalar(silent) == 2


def test_a_schema_without_trials_keeps_only_what_counts(site, classroom):
    from alembic import command

    tim = classroom.enrol("tim", "ta")
    sent = classroom.send(classroom.enrol("ada"), 7.0, 3.0)
    classroom.try_regrade(tim, *sent)
    with site.engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0022")
    upgrade(site.engine)
    with read_session(site.engine) as session:
        runs = session.scalars(select(GradingRun)).all()
        assert {run.submission_id for run in runs} == set(sent) and len(runs) == 2
        assert all(run.speaks for run in runs)
    assert rebuild(site.engine) == []
