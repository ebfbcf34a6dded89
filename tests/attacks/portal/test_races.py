"""What several requests at the same instant, or at the very end, must not win. On each database."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from attacks.portal.rows import row
from attacks.portal.web import GOOD, send
from sqlalchemy import select
from support.portal import PASSWORD
from support.uploads import multipart, token_of

from portal.courses.models import AttemptPolicy, Offering
from portal.platform.db import read_session, write_session
from portal.platform.engine import DbosEngine
from portal.runs.models import GradingRun
from portal.submissions.models import Submission


@pytest.fixture
def database_url(each_database_url):
    return each_database_url


def at_once(number, act):
    """Let `act` run in so many threads at the same instant; return what they answered."""
    gate, answers = threading.Barrier(number), []

    def wait_and_act(place):
        gate.wait(60)
        answers.append(act(place))

    threads = [threading.Thread(target=wait_and_act, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(answers) == number
    return answers


def change(engine, offering_id, **values):
    with write_session(engine) as session:
        offering = session.get_one(Offering, offering_id)
        for name, value in values.items():
            setattr(offering, name, value)


def sent_by(engine, enrolment_id, key="upload%"):
    query = select(Submission).where(
        Submission.enrolment_id == enrolment_id, Submission.client_key.like(key)
    )
    with read_session(engine) as session:
        return session.scalars(query.order_by(Submission.attempt)).all()


@row("race-attempts")
@pytest.mark.parametrize("limit", ["attempts_per_day", "attempts_total"])
def test_uploads_at_one_instant_win_no_attempt_more(school, engine, limit):
    offering, enrolment = school.ids["offering_id"], school.ids["enrolment_id"]
    # One attempt is the school's own; three more are left.
    change(engine, offering, **{limit: 4}, policy=AttemptPolicy.BEST)
    browsers = [school.log_in("ada") for _ in range(8)]
    answers = at_once(
        8, lambda n: send(browsers[n], offering, f"x = {n}\n".encode(), key=f"upload-{n:04}")
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 5
    assert [one.attempt for one in sent_by(engine, enrolment)] == [2, 3, 4]
    refused = [answer.json for answer in answers if answer.status_code == 422]
    assert all("You have used" in one["reasons"][0] for one in refused)


@row("race-one-key")
def test_one_upload_at_one_instant_is_one_submission(school, engine, config):
    offering = school.ids["offering_id"]
    browsers = [school.log_in("ada") for _ in range(6)]
    answers = at_once(6, lambda n: send(browsers[n], offering, key="upload-same"))
    assert {answer.status_code for answer in answers} == {200, 201}
    assert len({answer.json["id"] for answer in answers}) == 1
    (one,) = sent_by(engine, school.ids["enrolment_id"])
    with read_session(engine) as session:
        runs = select(GradingRun).where(GradingRun.submission_id == one.id)
        assert len(session.scalars(runs).all()) == 1
    jobs = DbosEngine(config.database_url)
    assert len(jobs.pending_of()) == 1
    jobs.close()


@row("race-deadline")
def test_an_upload_counts_by_its_arrival_and_none_slips_in_after_the_end(school, engine, clock):
    offering, enrolment = school.ids["offering_id"], school.ids["enrolment_id"]
    due = clock().replace(second=0, microsecond=0)
    over = due + timedelta(minutes=1)  # the minute that is due is the last one
    change(engine, offering, due_at=due, closes_at=None, attempts_per_day=None)
    browsers = [school.log_in("ada") for _ in range(9)]

    def act(place):
        if place == 4:
            clock.instant = over + timedelta(seconds=1)
        return send(browsers[place], offering, f"x = {place}\n".encode(), key=f"upload-{place:04}")

    answers = at_once(9, act)
    taken = sent_by(engine, enrolment)
    assert {answer.status_code for answer in answers} <= {201, 422}
    assert len(taken) == sum(answer.status_code == 201 for answer in answers)
    assert all(one.received_at < over for one in taken)
    clock.instant = over
    late = send(browsers[0], offering, b"late = 1\n", key="upload-late")
    assert (late.status_code, "closed at" in late.json["reasons"][0]) == (422, True)
    clock.instant = over - timedelta(microseconds=1)
    assert send(browsers[0], offering, b"last = 1\n", key="upload-last").status_code == 201


@row("race-regrade")
def test_pressing_regrade_many_times_queues_one_run(school, engine):
    place = f"/staff/submissions/{school.ids['submission_id']}/regrade"
    form = {"key": str(uuid.uuid4())}
    browsers = [school.log_in("tess") for _ in range(6)]
    answers = at_once(6, lambda n: browsers[n].post(place, data=form))
    assert {answer.status_code for answer in answers} == {303}
    with read_session(engine) as session:
        runs = select(GradingRun).where(
            GradingRun.submission_id == str(school.ids["submission_id"])
        )
        assert len(session.scalars(runs).all()) == 2


@row("slow-arrival")
@pytest.mark.parametrize("late", [False, True], ids=["begun-in-time", "begun-late"])
def test_an_upload_counts_from_when_it_begins_however_long_its_body_takes(
    school, engine, clock, open_app, late
):
    """A slow line makes no upload late, and no quick one forgives a late beginning."""
    offering = school.ids["offering_id"]
    due = clock().replace(second=0, microsecond=0)
    change(engine, offering, due_at=due, closes_at=None)
    browser = open_app().test_client()
    form = {
        "username": "ada",
        "password": PASSWORD,
        "csrf_token": token_of(browser.get("/login").text),
    }
    assert browser.post("/login", data=form).status_code == 302
    token = token_of(browser.get(f"/labs/{offering}/").text)
    body = _SlowBody(clock, token)
    began = clock.instant = due + timedelta(minutes=1, microseconds=0 if late else -1)
    answer = browser.post(
        f"/labs/{offering}/submissions",
        headers={"Accept": "application/json"},
        environ_overrides={
            "wsgi.input": body,
            "CONTENT_LENGTH": str(len(body.data)),
            "CONTENT_TYPE": "multipart/form-data; boundary=edge",
        },
    )
    assert body.left == b"", "it was read to its end"
    if late:
        assert answer.status_code == 422, answer.text
        assert "closed at" in answer.json["reasons"][0]
    else:
        assert answer.status_code == 201, answer.text
        assert answer.json["received_at"] == began.isoformat()


class _SlowBody:
    """A body whose last byte comes ten seconds after the rest."""

    def __init__(self, clock, token):
        self.data = multipart([("answer.py", GOOD)], client_key="upload-0001", csrf_token=token)[
            "data"
        ]
        self.left, self._clock = self.data, clock

    def read(self, size=-1):
        half = max(1, len(self.left) // 2) if size < 0 or size > 1 else size
        part, self.left = self.left[:half], self.left[half:]
        if not self.left:
            self._clock.advance(seconds=10)
        return part
