import hashlib
import io
import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from support.uploads import multipart

from grader.api import pack_together
from portal.audit.models import AuditEntry
from portal.courses.models import AttemptPolicy, Role
from portal.platform.db import read_session, write_session
from portal.platform.engine import DbosEngine
from portal.runs.models import Event, GradingRun, RunState
from portal.submissions.models import Submission

GOOD = b"def answer():\n    return 42\n"


def count(bench, model):
    with read_session(bench.engine) as session:
        return session.scalar(select(func.count()).select_from(model))


def test_an_upload_becomes_a_submission_a_run_an_event_and_a_job(bench, config, clock):
    answer = bench.send()
    assert answer.status_code == 303
    [submission] = bench.submissions()
    assert answer.location == f"/submissions/{submission.id}"
    assert submission.upload_sha256 == hashlib.sha256(GOOD).hexdigest()
    assert submission.received_at == clock()
    assert (count(bench, GradingRun), count(bench, Event)) == (1, 1)
    assert len(DbosEngine(config.database_url).pending_of()) == 1


def test_the_stored_bytes_are_those_that_were_sent(bench):
    receipt = bench.receipt()
    assert bench.store.get(receipt["sha256"]) == GOOD


def test_a_receipt_names_time_and_digest(bench, clock):
    answer = bench.send(json=True)
    assert answer.status_code == 201
    receipt = answer.get_json()
    assert receipt["sha256"] == hashlib.sha256(GOOD).hexdigest()
    assert datetime.fromisoformat(receipt["received_at"]) == clock()
    page = bench.client.get(f"/submissions/{receipt['id']}/receipt").text
    assert receipt["id"] in page
    assert receipt["sha256"] in page
    assert clock().strftime("%Y-%m-%dT%H:%M:%SZ") in page
    assert "UTC+08:00" in page


def test_a_double_click_is_one_submission(bench, config):
    first, second = bench.send(json=True), bench.send(json=True)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.get_json() == second.get_json()
    assert (len(bench.submissions()), count(bench, GradingRun)) == (1, 1)
    assert len(DbosEngine(config.database_url).pending_of()) == 1


def test_retries_at_the_same_instant_are_one_submission(bench, log_in):
    answers = send_at_once(bench, [log_in("ada") for _ in range(6)], lambda _: "same-key-1")
    assert {answer.status_code for answer in answers} == {200, 201}
    assert len({answer.get_json()["id"] for answer in answers}) == 1


def test_new_files_under_the_key_of_an_old_page_are_a_new_submission(bench):
    first = bench.receipt()
    second = bench.receipt(data=b"def answer():\n    return 41\n")
    assert first["id"] != second["id"]
    again = bench.receipt(data=b"def answer():\n    return 41\n")
    assert again["id"] == second["id"]


def test_several_files_are_taken_together_and_a_retry_has_the_same_digest(bench):
    files = [("answer.py", GOOD), ("notes.txt", b"why it is 42")]
    first = bench.receipt(files=files)
    assert bench.receipt(files=files)["id"] == first["id"]
    page = bench.client.get(first["url"]).text
    assert "demo/answer.py" in page
    assert "notes.txt" in page


def test_a_zip_beside_other_files_is_opened_as_the_preview_says(bench):
    files = [("work.zip", pack_together([("demo/answer.py", GOOD)])), ("notes.txt", b"why")]
    foretold = bench.client.post(
        f"/labs/{bench.offering_id}/submissions/preview",
        data={"names": [name for name, _ in files]},
    ).get_json()
    assert foretold["opened"] == ["work.zip"]
    page = bench.client.get(bench.receipt(files=files)["url"]).text
    assert "demo/answer.py" in page and "notes.txt" in page


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([("answer.txt", b"42")], id="another kind of file"),
        pytest.param([("answer.py", b"")], id="an empty file"),
        pytest.param([("work.zip", b"PK not a zip")], id="a broken zip"),
    ],
)
def test_a_rejected_upload_leaves_nothing_but_an_audit_line(bench, files):
    answer = bench.send(files=files)
    assert answer.status_code == 422
    assert "cost you no attempt" in answer.text
    assert bench.submissions() == []
    assert list(bench.store.root.rglob("*")) == []
    with read_session(bench.engine) as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "submission.rejected")
        ).one()
        assert entry.detail["reasons"]


def test_before_sending_the_names_tell_what_will_be_taken(bench):
    answer = bench.client.post(
        f"/labs/{bench.offering_id}/submissions/preview",
        data={"names": ["answer.py", "notes.txt"]},
    ).get_json()
    assert answer["taken"] == [["answer.py", "demo/answer.py"]]
    assert answer["ignored"] == ["notes.txt"]
    assert bench.submissions() == []


@pytest.mark.parametrize(
    ("table", "problems", "notices"),
    [
        (b"seed\n1\n", [], []),
        (b"Seed\n1\n", [], ["results.csv has other letters in its header"]),
        (b"seed\none\n", ["results.csv line 2: seed is 'one'"], []),
    ],
)
def test_before_sending_a_table_that_came_along_is_read(bench, home, table, problems, notices):
    manifest = home / "assignments" / "demo" / "assignment.toml"
    asked = '{ path = "results.csv", columns = { seed = "whole" } }'
    manifest.write_text(manifest.read_text().replace('answer.py" }]', f'answer.py" }}, {asked}]'))
    foretold = bench.client.post(
        f"/labs/{bench.offering_id}/submissions/preview",
        data={
            "names": ["answer.py", "results.csv"],
            "contents": [(io.BytesIO(table), "results.csv")],
        },
    ).get_json()
    for said, expected in ((foretold["problems"], problems), (foretold["notices"], notices)):
        assert [text.startswith(start) for text, start in zip(said, expected, strict=True)] == [
            True for _ in expected
        ]


def test_sending_nothing_says_to_choose_a_file(bench):
    answer = bench.send(files=[("", b"")])
    assert answer.status_code == 422
    assert "Choose your files" in answer.text


def test_what_a_file_is_called_never_becomes_markup(bench):
    files = [("answer.py", GOOD), ("<img src=x onerror=alert(1)>.txt", b"x")]
    page = bench.client.get(bench.receipt(files=files)["url"]).text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_an_upload_after_the_close_is_refused_and_says_when_it_closed(bench, clock):
    bench.change_offering(due_at=clock(), closes_at=clock() + timedelta(hours=1))
    clock.advance(minutes=30)
    late = bench.receipt()
    assert "late" in bench.client.get(late["url"]).text
    clock.advance(hours=1)
    answer = bench.send(key="another-key")
    assert answer.status_code == 422
    assert "closed at" in answer.text
    assert "UTC+08:00" in answer.text
    assert len(bench.submissions()) == 1


class SlowBody(io.BytesIO):
    """A body that has arrived only when time has passed."""

    def __init__(self, data, clock, **passed):
        super().__init__(data)
        self._arrives = lambda: clock.advance(**passed)

    def read(self, *args):
        self._arrives()
        self._arrives = lambda: None
        return super().read(*args)


def send_slowly(bench, clock, **passed):
    form = multipart([("answer.py", GOOD)], client_key="slow-upload-1")
    return bench.client.post(
        f"/labs/{bench.offering_id}/submissions",
        headers={"Accept": "application/json", "Content-Length": str(len(form["data"]))},
        input_stream=SlowBody(form["data"], clock, **passed),
        content_type=form["content_type"],
    )


def test_what_was_begun_in_the_last_minute_is_on_time_however_long_it_takes(bench, clock):
    bench.change_offering(due_at=clock(), closes_at=None)
    clock.advance(seconds=59 - clock().second)
    sent_at = clock()
    answer = send_slowly(bench, clock, minutes=4)
    assert answer.status_code == 201
    assert answer.get_json()["received_at"] == sent_at.isoformat()
    assert "late" not in bench.client.get(answer.get_json()["url"]).text


def test_what_is_begun_a_minute_later_is_refused(bench, clock):
    bench.change_offering(due_at=clock(), closes_at=None)
    clock.advance(seconds=60 - clock().second)
    assert send_slowly(bench, clock, seconds=1).status_code == 422


def test_a_retry_after_the_close_still_finds_its_receipt(bench, clock):
    first = bench.receipt()
    clock.advance(days=100)
    assert bench.receipt() == first


def test_an_upload_before_the_lab_opens_is_refused(bench, clock):
    bench.change_offering(opens_at=clock() + timedelta(minutes=1))
    assert "opens at" in bench.send().text
    assert bench.submissions() == []


def test_attempts_of_a_day_are_limited_and_come_back_at_midnight_of_the_course(bench, clock):
    bench.change_offering(attempts_per_day=2)
    shanghai = ZoneInfo("Asia/Shanghai")
    clock.instant = datetime(2026, 9, 9, 23, 58, tzinfo=shanghai).astimezone(UTC)
    for number in range(2):
        bench.receipt(key=f"upload-{number}")
    answer = bench.send(key="upload-2")
    assert answer.status_code == 422
    assert "Thu 10 Sep 2026, 00:00 (UTC+08:00)" in answer.text
    clock.advance(minutes=3)
    bench.receipt(key="upload-3")


def test_attempts_in_all_are_limited(bench, clock):
    bench.change_offering(attempts_total=1)
    bench.receipt(key="upload-1")
    clock.advance(days=3)
    assert "all 1 attempts" in bench.send(key="upload-2").text


def test_a_refused_upload_stores_no_bytes(bench):
    bench.change_offering(attempts_total=1)
    bench.receipt(key="upload-1")
    before = list(bench.store.root.rglob("*"))
    assert bench.send(key="upload-2", data=b"other = 1\n").status_code == 422
    assert list(bench.store.root.rglob("*")) == before


def test_a_fault_of_ours_costs_no_attempt(bench, clock):
    bench.change_offering(attempts_total=1)
    first = bench.receipt(key="upload-1")
    bench.fault(first["id"])
    page = bench.client.get(first["url"]).text
    assert "fault is ours" in page
    assert "cost you no attempt" in page
    bench.receipt(key="upload-2")


def test_uploads_at_the_same_instant_cannot_pass_the_limit_together(bench, log_in):
    bench.change_offering(attempts_per_day=3, policy=AttemptPolicy.BEST)
    answers = send_at_once(bench, [log_in("ada") for _ in range(8)], lambda n: f"race-key-{n}")
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 5
    assert [submission.attempt for submission in bench.submissions()] == [1, 2, 3]


def test_where_the_last_counts_a_newer_upload_replaces_the_waiting_one(bench, config):
    bench.change_offering(policy=AttemptPolicy.LAST, attempts_total=1)
    first, second = (bench.receipt(key=f"upload-{n}") for n in range(2))
    with read_session(bench.engine) as session:
        states = {run.submission_id: run.state for run in session.scalars(select(GradingRun)).all()}
    assert states == {first["id"]: RunState.SUPERSEDED, second["id"]: RunState.QUEUED}
    assert len(DbosEngine(config.database_url).pending_of()) == 1
    assert "cost no attempt" in bench.client.get(first["url"]).text


def test_neither_dates_nor_limits_bind_staff(bench, make_member, log_in, clock):
    make_member("tom", Role.TA)
    bench.change_offering(attempts_total=0)
    clock.advance(days=400)
    assert bench.send(client=log_in("tom"), json=True).status_code == 201


def test_staff_are_graded_before_students(bench, make_member, log_in):
    bench.receipt()
    make_member("tom", Role.TA)
    bench.send(client=log_in("tom"))
    with read_session(bench.engine) as session:
        student, staff = session.scalars(
            select(GradingRun.priority).join(Submission).order_by(Submission.enrolment_id)
        )
    assert staff < student


def test_who_is_not_in_the_term_finds_no_lab(bench, make_user, log_in):
    make_user("eve")
    assert bench.send(client=log_in("eve")).status_code == 404


def test_whoever_is_not_logged_in_is_sent_to_the_login(bench, client):
    answer = bench.send(client=client)
    assert answer.status_code == 302
    assert "/login" in answer.location


def test_if_the_transaction_fails_nothing_is_left_of_it(bench, config, monkeypatch):
    def broken(*_args, **_options):
        raise RuntimeError("the engine is gone")

    monkeypatch.setattr(DbosEngine, "enqueue_in", broken)
    with pytest.raises(RuntimeError):
        bench.send()
    assert bench.submissions() == []
    assert count(bench, GradingRun) == 0


def test_a_submission_cannot_be_changed_once_it_is_written(bench):
    bench.receipt()
    [before] = bench.submissions()
    with write_session(bench.engine) as session, pytest.raises(ValueError, match="never changed"):
        session.get_one(Submission, before.id).received_at = before.received_at + timedelta(1)
        session.flush()


def send_at_once(bench, clients, key_of):
    """Send one upload from each browser at the same instant and return the answers."""
    gate = threading.Barrier(len(clients))
    answers = []

    def send(number, client):
        gate.wait(20)
        answers.append(bench.send(client=client, key=key_of(number), json=True))

    threads = [
        threading.Thread(target=send, args=(number, client))
        for number, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == len(clients)
    return answers


def test_too_many_uploads_are_told_as_that_and_not_as_passwords(bench):
    answers = [bench.send(files=[("", b"")]) for _ in range(31)]
    assert {answer.status_code for answer in answers[:-1]} == {422}
    assert answers[-1].status_code == 429
    assert "Too many uploads" in answers[-1].text and "cost no attempt" in answers[-1].text
    assert "forgot your password" not in answers[-1].text


def test_a_refusal_is_kept_in_english_and_said_in_the_reader_s_language(bench, clock):
    bench.change_offering(opens_at=clock() + timedelta(minutes=1))
    said = bench.client.get(f"/labs/{bench.offering_id}/", headers={"Accept-Language": "zh"})
    assert "2026年9月7日" in said.text
    bench.client.post(
        f"/labs/{bench.offering_id}/submissions",
        headers={"Accept-Language": "zh"},
        **multipart([("answer.py", GOOD)]),
    )
    with read_session(bench.engine) as session:
        entry = session.scalars(select(AuditEntry)).all()[-1]
    assert entry.detail["reasons"] == [
        "This lab opens at Mon 7 Sep 2026, 16:01 (UTC+08:00). Come back then."
    ]
