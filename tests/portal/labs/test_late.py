"""What comes after a lab has closed is kept, not graded, and can be accepted: once, as it came."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select
from support.attempts import ANSWER
from support.portal import START
from support.uploads import upload

from portal.audit.models import AuditEntry
from portal.platform.db import read_session
from portal.runs.models import GradingRun
from portal.submissions.models import LateUpload, Submission

INBOX = "/staff/2026-autumn/inbox"
LATE = START + timedelta(days=15)


@pytest.fixture
def ada(site):
    site.make_member("ada")
    browser = site.log_in("ada")
    site.clock.instant = LATE
    return browser


@pytest.fixture
def tess(site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


def send(site, browser, code=ANSWER, **more):
    return upload(browser, site.offering_id, [("answer.py", code)], **more)


def rows(site, model):
    with read_session(site.engine) as session:
        return session.scalars(select(model)).all()


def test_a_late_upload_is_kept_and_said_to_be_and_costs_nothing(site, ada, tess):
    page = ada.get(f"/labs/{site.offering_id}/").text
    assert "is graded only if staff accept it" in page and 'type="file"' in page
    answer = send(site, ada, json=False)
    assert answer.status_code == 422 and "It is kept with the time it came" in answer.text
    (kept,) = rows(site, LateUpload)
    assert kept.received_at == LATE and site.store.get(kept.upload_sha256) == ANSWER
    assert rows(site, Submission) == [] and rows(site, GradingRun) == []
    assert "Came too late" in tess.get(INBOX).text


def test_an_accepted_one_is_graded_as_received_when_it_came(site, ada, tess):
    send(site, ada)
    (kept,) = rows(site, LateUpload)
    site.clock.advance(days=2)
    for _ in range(2):
        assert tess.post(f"/staff/late-uploads/{kept.id}/accept").status_code == 303
    (submission,) = rows(site, Submission)
    (run,) = rows(site, GradingRun)
    assert (submission.received_at, submission.attempt, run.state) == (LATE, 1, "queued")
    assert "Came too late" not in tess.get(INBOX).text
    receipt = ada.get(f"/submissions/{submission.id}/receipt").text
    assert "late</span>" in receipt and "Tue 22 Sep 2026, 16:00" in receipt
    actions = [one.action for one in rows(site, AuditEntry)]
    assert actions.count("submission.accept_late") == 1


def test_the_same_files_are_kept_once_and_not_without_end(site, ada):
    assert {send(site, ada, key=f"upload-000{number}").json["error"] for number in (1, 2)} == {
        "late"
    }
    assert len(rows(site, LateUpload)) == 1
    said = [
        send(site, ada, b"x = %d\n" % number, key=f"upload-1{number:03}").json["error"]
        for number in range(6)
    ]
    assert said == ["late"] * 4 + ["refused"] * 2 and len(rows(site, LateUpload)) == 5
    assert len([*site.config.store.glob("??/*")]) == 5, "what is not kept fills no disk"


def test_what_intake_rejects_is_not_kept_even_late(site, ada):
    answer = upload(ada, site.offering_id, [("other.exe", b"MZ")])
    assert answer.status_code == 422 and rows(site, LateUpload) == []


def test_used_up_attempts_and_too_early_uploads_are_refused_and_not_kept(site, ada):
    site.clock.instant = START
    site.change_offering(attempts_total=1)
    assert send(site, ada).status_code == 201
    assert send(site, ada, b"y = 1\n", key="upload-0002").json["error"] == "refused"
    site.change_offering(opens_at=START + timedelta(days=1))
    assert send(site, ada, b"z = 1\n", key="upload-0003").json["error"] == "refused"
    assert rows(site, LateUpload) == []


def test_students_and_strangers_accept_nothing(site, ada, tess):
    send(site, ada)
    (kept,) = rows(site, LateUpload)
    site.make_user("outsider")
    for browser in (ada, site.log_in("outsider")):
        assert browser.post(f"/staff/late-uploads/{kept.id}/accept").status_code == 404
    unknown = tess.post(f"/staff/late-uploads/{uuid.UUID(int=1)}/accept")
    assert unknown.status_code == 404
    assert rows(site, Submission) == []
