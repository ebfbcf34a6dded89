"""What staff read of re-runs: the page that queues them, inbox, notices and history."""

import re

import pytest
from sqlalchemy import select
from support.reruns import beat, said

from grader.api import Verdict
from portal.audit.models import AuditEntry
from portal.competition import reruns
from portal.competition.models import CompetitionRerun
from portal.competition.reruns import Made
from portal.people.models import User
from portal.platform.db import read_session, write_session
from portal.platform.engine import GPU_QUEUE

STILL = "Grading stands still"


@pytest.fixture
def arena(ring):
    return ring


def test_a_cancelled_one_is_told_as_such_and_may_be_queued_again(over, tess, jobs):
    over.press(tess, count="1")
    over.cancel(tess)
    preview = tess.get(f"{over.staff_address}/{over.offering_id}/result").text
    assert "4 finals were not run again;" in preview and "cancelled</span>" in preview
    assert "Queue again" in tess.get(over.staff_address).text
    assert "Queued once more." in over.press(tess, entry=over.entries()[0].id)
    assert over.states() == ["cancelled", "queued"]
    assert [one.number for one in over.reruns()] == [1, 2]
    assert over.work(jobs, lambda *_: said(Verdict.HOLDS)) == [over.reruns()[1].id]


def test_cancelling_another_try_does_not_hide_what_the_one_before_found(over, tess, jobs):
    over.press(tess, count="1")
    over.work(jobs, lambda *_: said(Verdict.BELOW))
    over.press(tess, entry=over.entries()[0].id)
    address = f"{over.staff_address}/{over.offering_id}/result"
    against = "did not come to what they claim"
    assert against not in tess.get(address).text, "it is being made again"
    over.cancel(tess)
    assert against in tess.get(address).text and "below its claim" in tess.get(address).text
    page = tess.get(over.staff_address).text
    assert "Run again from source on fresh rows" in page, "the reason to disqualify"
    assert page.count("Queue again") == 1


def test_staff_and_whatever_watches_hear_when_no_worker_takes_reruns(
    over, tess, site, client, jobs
):
    assert client.get("/healthz").status_code == 200
    over.press(tess)
    site.clock.advance(minutes=3)
    health = client.get("/healthz")
    assert health.status_code == 503 and "3 runs wait and no worker" in health.json["reason"]
    assert STILL in tess.get("/").text and STILL not in site.log_in("ada").get("/").text
    beat(site, "w", site.clock())
    assert client.get("/healthz").status_code == 200 and STILL not in tess.get("/").text
    site.clock.advance(minutes=3)
    over.cancel(tess)
    assert client.get("/healthz").status_code == 200, "nothing waits"


def test_the_inbox_names_reruns_that_nobody_takes_and_not_those_behind_one_that_runs(
    over, tess, site, jobs
):
    inbox = f"/staff/{site.term.slug}/inbox"
    over.press(tess)
    site.clock.advance(minutes=20)
    assert "Waiting for long" not in tess.get(inbox).text
    site.clock.advance(minutes=20)
    page = tess.get(inbox).text
    assert "Waiting for long" in page and ": 3 re-runs for 40 minutes" in page
    first, second, _ = (one.id for one in over.reruns())
    with write_session(site.engine) as session:
        held = reruns.claim(session, jobs, first, executor="w", now=site.clock())
    site.clock.advance(minutes=50)
    assert "Waiting for long" not in tess.get(inbox).text, "one runs, the others wait for it"
    with write_session(site.engine) as session:
        assert reruns.finish(session, jobs, held, Made(said(Verdict.HOLDS)), now=site.clock())
    site.clock.advance(minutes=20)
    assert "Waiting for long" not in tess.get(inbox).text, "its turn came only then"
    site.clock.advance(minutes=20)
    assert ": 2 re-runs for 40 minutes" in tess.get(inbox).text
    over.cancel(tess, second)
    assert ": 1 re-run for 40 minutes" in tess.get(inbox).text
    over.cancel(tess)
    assert "Waiting for long" not in tess.get(inbox).text


def test_staff_hear_of_reruns_without_a_gpu_and_not_of_those_behind_one_that_runs(
    over, tess, site, jobs
):
    def told():
        page = tess.get(f"/staff/{site.term.slug}/submissions").text
        found = re.search(r"(\d+) runs? ha\w+ waited for a machine with a GPU", page)
        return int(found[1]) if found else 0

    over.press(tess)
    site.clock.advance(minutes=11)
    assert told() == 0, "they wait for a processor"
    with write_session(site.engine) as session:
        session.query(CompetitionRerun).update({"queue": GPU_QUEUE})
    assert told() == 3
    first = over.reruns()[0].id
    with write_session(site.engine) as session:
        held = reruns.claim(session, jobs, first, executor="w", now=site.clock())
    site.clock.advance(minutes=50)
    assert told() == 0, "one runs, the others wait for it"
    with write_session(site.engine) as session:
        assert reruns.finish(session, jobs, held, Made(said(Verdict.HOLDS)), now=site.clock())
    site.clock.advance(minutes=9)
    assert told() == 0, "the next one's turn came only then"
    site.clock.advance(minutes=2)
    assert told() == 2
    over.cancel(tess, over.reruns()[1].id)
    assert told() == 1, "what is cancelled was nobody's turn"


def test_the_page_says_when_no_worker_is_there(over, tess, site):
    assert "No worker is there" not in tess.get(over.staff_address).text
    assert "No worker is there" in over.press(tess)
    beat(site, "w", site.clock())
    assert "No worker is there" not in tess.get(over.staff_address).text


def test_the_history_says_who_queued_what(over, tess, site):
    over.press(tess, count="2")
    with read_session(site.engine) as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "competition.rerun")
        ).one()
        assert session.get_one(User, entry.actor_id).username == "tess"
        assert entry.detail["entries"] == [one.entry.number for one in over.reruns()]


def test_the_history_says_who_cancelled_what(over, tess, site):
    over.press(tess, count="2")
    over.cancel(tess)
    over.cancel(tess)
    with read_session(site.engine) as session:
        query = select(AuditEntry).where(AuditEntry.action == "competition.rerun_cancel")
        entry = session.scalars(query).one()
        assert session.get_one(User, entry.actor_id).username == "tess"
        assert entry.detail["entries"] == [one.entry.number for one in over.reruns()]
