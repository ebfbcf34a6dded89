"""What waits for staff stands on one page; when grading stops, everybody is told what is true."""

from datetime import timedelta

import pytest
from support.attempts import book, fault
from support.portal import START
from support.reports import SECRET, class_report

from portal.platform.db import write_session
from portal.runs import service

INBOX = "/staff/2026-autumn/inbox"
STILL = "Grading stands still"


@pytest.fixture
def tess(site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


def beat(site, *, at):
    with write_session(site.engine) as session:
        service.beat(session, executor="w", host="h", pid=1, now=at)


def test_an_empty_inbox_says_so_and_is_for_staff_alone(site, tess):
    assert "Nothing waits for you." in tess.get(INBOX).text
    site.make_member("ada")
    assert site.log_in("ada").get(INBOX).status_code == 404


def test_faults_of_ours_are_grouped_by_what_was_said(site, tess, classroom):
    for name in ("ada", "bo"):
        (sent,) = classroom.send(classroom.enrol(name), None)
        fault(site, sent, said="Traceback:\nOSError: the disk <is> full")
    (other,) = classroom.send(classroom.enrol("cy"), None)
    fault(site, other, said="MemoryError: sandbox")
    page = tess.get(INBOX).text
    assert "2 × <code>OSError: the disk &lt;is&gt; full</code>" in page
    assert "1 × <code>MemoryError: sandbox</code>" in page and "Traceback" not in page
    assert page.index("2 ×") < page.index("1 ×")
    assert f"/staff/submissions/{other}" in page


def test_a_fault_that_was_mended_by_a_later_run_waits_no_more(site, tess, classroom):
    (sent,) = classroom.send(classroom.enrol("ada"), None)
    fault(site, sent, said="OSError")
    assert "Could not be graded" in tess.get(INBOX).text
    site.clock.advance(hours=1)
    regraded = {"key": "00000000-0000-0000-0000-000000000000"}
    assert tess.post(f"/staff/submissions/{sent}/regrade", data=regraded).status_code == 303
    assert "Could not be graded" not in tess.get(INBOX).text


def test_tests_without_a_judgement_are_named_with_their_points(site, tess, classroom):
    report = class_report(7.0, SECRET).model_copy(update={"pending_score": 2.5})
    (sent,) = classroom.send(classroom.enrol("ada"), None)
    book(site, sent, report)
    assert "2.5 points open" in tess.get(INBOX).text


def test_what_waits_for_long_is_named_and_what_has_just_come_is_not(site, tess, classroom):
    classroom.send(classroom.enrol("ada"), None)
    site.clock.instant = START + timedelta(minutes=20)
    assert "Waiting for long" not in tess.get(INBOX).text
    site.clock.instant = START + timedelta(minutes=45)
    assert "Waiting for long" in tess.get(INBOX).text


def test_staff_and_student_are_told_when_no_worker_lives(site, tess, classroom, client):
    (sent,) = classroom.send(classroom.enrol("ada"), None)
    ada = site.log_in("ada")
    beat(site, at=START)
    site.clock.instant = START + timedelta(seconds=20)
    assert STILL not in tess.get("/").text
    site.clock.instant = START + timedelta(minutes=4)
    assert (
        STILL in tess.get("/").text and "since Mon 7 Sep 2026, 08:01 (UTC)" in tess.get(INBOX).text
    )
    assert STILL not in ada.get("/").text
    waiting = ada.get(f"/submissions/{sent}/progress").json
    assert "Nothing is being graded at the moment" in waiting["text"] and not waiting["final"]
    assert "Nothing is being graded" in ada.get(f"/submissions/{sent}").text
    health = client.get("/healthz")
    assert health.status_code == 503 and "1 run waits and no worker" in health.json["reason"]
    beat(site, at=site.clock.instant)
    assert STILL not in tess.get("/").text and client.get("/healthz").status_code == 200
    assert "next in line" in ada.get(f"/submissions/{sent}/progress").json["text"]


def test_without_runs_that_wait_nobody_is_alarmed(site, tess, classroom, client):
    classroom.send(classroom.enrol("ada"), 7.0)
    site.clock.instant = START + timedelta(days=3)
    assert STILL not in tess.get("/").text and client.get("/healthz").status_code == 200


def test_runs_that_wait_where_no_worker_ever_was_are_a_standstill_too(site, tess, classroom):
    classroom.send(classroom.enrol("ada"), None)
    site.clock.instant = START + timedelta(minutes=10)
    assert STILL in tess.get("/").text
