import json
import uuid

import pytest

from portal.courses.models import Role
from portal.platform.db import read_session, write_session
from portal.runs import service as runs
from portal.runs.models import RunState
from portal.runs.speaking import current_runs

SECRET = "HIDDEN-INPUT-CANARY"


@pytest.fixture
def graded(bench, report, clock):
    """A submission of ada's with a result."""
    receipt = bench.receipt()
    bench.grade(receipt["id"], report)
    return receipt


def digests(report):
    return {picture.name: picture.sha256 for picture in report.artifacts}


def test_the_lab_page_offers_the_form_and_lists_the_attempts(bench, graded):
    page = bench.client.get(f"/labs/{bench.offering_id}/").text
    assert 'name="files"' in page
    assert 'name="client_key"' in page
    assert "demo/answer.py" in page
    assert "Attempt 1" in page
    assert "counts" in page


def test_a_waiting_submission_shows_its_place_and_reads_without_scripts(bench):
    receipt = bench.receipt()
    page = bench.client.get(receipt["url"]).text
    assert "next in line" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "demo/answer.py" in page


def test_a_result_shows_score_outcomes_in_words_and_hints(bench, graded):
    page = bench.client.get(graded["url"]).text
    assert "1 of 3 tests passed" in page
    for text in ("wrong answer", "took too long", "Hint number 2.", "Mechanics"):
        assert text in page
    assert "Hint number 1." not in page, "a passed test needs no hint"
    assert "expected 42, got 41" in page, "details of an open test are shown"
    assert "&lt;b&gt;holds&lt;/b&gt;" in page
    assert "<b>holds</b>" not in page


@pytest.mark.parametrize(
    ("query", "browser", "language"),
    [
        ("", "en-GB,en;q=0.9", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "fr", "en"),
        ("?lang=zh", "en", "zh"),
        ("?lang=en", "zh-CN", "en"),
        ("?lang=<b>", "en", "en"),
    ],
)
def test_causes_are_told_in_the_language_that_is_asked_for(bench, graded, query, browser, language):
    told = {"en": "took more CPU time", "zh": "用的 CPU 时间超过"}
    for address in ("", "/explain"):
        headers = {"Accept-Language": browser}
        page = bench.client.get(graded["url"] + address + query, headers=headers).text
        assert {name for name, words in told.items() if words in page} == {language}


def test_a_hint_is_the_author_s_and_comes_after_the_cause(bench, graded):
    page = bench.client.get(graded["url"] + "?lang=en").text
    assert page.index("its answer is not right") < page.index("mistake:</strong> Hint number 2.")


def test_nothing_of_a_closed_test_but_outcome_and_hint_reaches_the_student(bench, graded):
    for address in ("", "/explain", "/receipt", "/progress"):
        assert SECRET not in bench.client.get(graded["url"] + address).text


def test_the_score_is_explained(bench, graded):
    page = bench.client.get(graded["url"] + "/explain").text
    assert "The first thing" in page
    assert "Only a test that passed earns points" in page


def test_there_is_nothing_to_explain_before_the_result(bench):
    assert bench.client.get(bench.receipt()["url"] + "/explain").status_code == 404


def test_pictures_are_png_for_those_who_may_see_them(bench, graded, report):
    answer = bench.client.get(f"{graded['url']}/artifacts/{digests(report)['open']}.png")
    assert answer.status_code == 200
    assert answer.content_type == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.data.endswith(b"open")


def test_pictures_of_closed_tests_are_for_staff(bench, graded, report, make_member, log_in):
    address = f"{graded['url']}/artifacts/{digests(report)['closed']}.png"
    assert bench.client.get(address).status_code == 404
    make_member("tom", Role.TA)
    assert log_in("tom").get(address).status_code == 200


def test_no_other_file_of_the_store_can_be_fetched_as_a_picture(bench, graded):
    address = f"{graded['url']}/artifacts/{graded['sha256']}.png"
    assert bench.client.get(address).status_code == 404


@pytest.mark.parametrize("page", ["", "/explain", "/receipt", "/events", "/progress"])
def test_nobody_but_the_student_and_staff_sees_a_submission(
    bench, graded, make_member, log_in, page
):
    make_member("bo")
    make_member("tom", Role.TA)
    assert log_in("bo").get(graded["url"] + page).status_code == 404
    assert log_in("tom").get(graded["url"] + page).status_code == 200
    unknown = f"/submissions/{uuid.uuid4()}"
    assert bench.client.get(unknown + page).status_code == 404


def test_progress_tells_the_state_to_pages_that_poll(bench, clock, report):
    receipt = bench.receipt()
    status = json.loads(bench.client.get(receipt["url"] + "/progress").text)
    assert (status["state"], status["final"], status["position"]) == ("queued", False, 1)
    with write_session(bench.engine) as session:
        run = current_runs(session, [receipt["id"]])[receipt["id"]]
        held = runs.claim(session, run.id, executor="w", now=clock())
        runs.progress(session, held, done=3, total=9, now=clock())
    status = json.loads(bench.client.get(receipt["url"] + "/progress").text)
    assert (status["state"], status["done"], status["total"]) == ("running", 3, 9)


def test_a_fault_that_is_tried_again_is_told_as_ours(bench, clock):
    receipt = bench.receipt()
    bench.fault(receipt["id"], times=1)
    page = bench.client.get(receipt["url"]).text
    assert "A fault of ours" in page
    assert "disk full" not in page, "what failed is for the staff"
    with read_session(bench.engine) as session:
        run = current_runs(session, [receipt["id"]])[receipt["id"]]
        assert run.state is RunState.QUEUED


def test_sending_the_same_files_again_is_pointed_out(bench):
    bench.receipt(key="upload-1")
    again = bench.receipt(key="upload-2")
    assert "same files as in attempt 1" in bench.client.get(again["url"]).text


def test_the_stream_ends_with_the_result(bench, graded):
    answer = bench.client.get(graded["url"] + "/events")
    assert answer.mimetype == "text/event-stream"
    assert '"state": "graded"' in answer.text
    assert '"final": true' in answer.text


def test_a_page_without_a_stream_is_told_to_poll(bench):
    bench.app.config["LIVE_STREAMS"] = 0
    receipt = bench.receipt()
    assert bench.client.get(receipt["url"] + "/events").status_code == 503
    assert bench.client.get(receipt["url"] + "/progress").status_code == 200
