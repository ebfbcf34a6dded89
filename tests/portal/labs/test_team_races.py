"""What members of a team must not win at the same instant. On each database."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select
from support.mates import Teammate

from portal.platform.db import read_session
from portal.standings.keeping import rebuild
from portal.standings.models import StudentStanding
from portal.submissions.models import Submission


@pytest.fixture
def database_url(each_database_url):
    return each_database_url


def at_once(acts):
    """Let every act run in a thread at the same instant; return their statuses, sorted."""
    gate, statuses = threading.Barrier(len(acts)), []

    def wait_and_act(act):
        gate.wait(60)
        statuses.append(act().status_code)

    threads = [threading.Thread(target=wait_and_act, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(statuses) == len(acts)
    return sorted(statuses)


def test_members_win_no_attempt_more_and_their_standings_agree(site, term):
    site.change_offering(team_size=2, attempts_per_day=3)
    ada, bo = (Teammate(site, name) for name in ("ada", "bo"))
    ada.team_with(bo)
    acts = [one.send for one in (ada, bo) for _ in range(4)]
    assert at_once(acts) == [201] * 3 + [422] * 5
    with read_session(site.engine) as session:
        sent = session.scalars(select(Submission).order_by(Submission.attempt)).all()
        standings = session.scalars(select(StudentStanding)).all()
        assert [one.attempt for one in sent] == [1, 2, 3]
        assert [one.attempts for one in standings] == [3, 3]
    assert rebuild(site.engine) == []


def test_who_leaves_while_the_other_sends_is_in_or_out_and_not_between(site, term):
    site.change_offering(team_size=2)
    ada, bo = (Teammate(site, name) for name in ("ada", "bo"))
    ada.team_with(bo)
    assert at_once([ada.send, lambda: bo.post("team/leave")]) == [201, 303]
    with read_session(site.engine) as session:
        (sent,) = session.scalars(select(Submission)).all()
        standings = session.scalars(select(StudentStanding)).all()
        members = {one.enrolment_id for one in sent.members}
    assert {one.enrolment_id for one in standings} == members >= {ada.enrolment.id}
    assert bo.sees(sent.id) is (bo.enrolment.id in members)
