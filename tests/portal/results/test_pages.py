import json
import re
import uuid
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from support.portal import START

from grader.report import (
    ItemReport,
    Outcome,
    PartReport,
    Report,
    RunStatus,
    TestReport,
    Visibility,
)
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
    assert status["chip"] == {"kind": "info", "word": "waiting"}
    with write_session(bench.engine) as session:
        run = current_runs(session, [receipt["id"]])[receipt["id"]]
        held = runs.claim(session, run.id, executor="w", now=clock())
        runs.progress(session, held, done=3, total=9, now=clock())
    status = json.loads(bench.client.get(receipt["url"] + "/progress").text)
    assert (status["state"], status["done"], status["total"]) == ("running", 3, 9)
    assert status["chip"] == {"kind": "info", "word": "being graded"}


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


def test_what_opens_with_published_grades_opens_with_the_marks_and_after_the_close(bench, report):
    opening = Visibility.AFTER_PUBLISHED
    tests = tuple(one.model_copy(update={"visibility": opening}) for one in report.tests)
    pictures = tuple(one.model_copy(update={"visibility": opening}) for one in report.artifacts)
    receipt = bench.receipt()
    changed = report.model_copy(update={"tests": tests, "artifacts": pictures})
    bench.grade(receipt["id"], changed)
    address = f"{receipt['url']}/artifacts/{pictures[0].sha256}.png"
    seen = {}
    for closed in (False, True):
        if closed:
            bench.site.clock.instant = START.replace(month=12)
        for published in (False, True):
            bench.change_offering(marks_published=published)
            in_page = pictures[0].caption in bench.client.get(receipt["url"]).text
            assert in_page is (bench.client.get(address).status_code == 200)
            seen[closed, published] = in_page
    assert [both for both, shown in seen.items() if shown] == [(True, True)]


def item(text, title):
    """Return what the page says of an item, in one line."""
    return re.search(rf'<details class="item card (\w+)"[^>]*>\s*<summary>\s*<span>{title}', text)


@pytest.mark.parametrize(
    ("score", "state", "said"),
    [(15, "full", "all points"), (5, "some", "points lost"), (0, "none", "no points")],
)
def test_an_item_says_at_a_glance_whether_it_lost_points(bench, report, score, state, said):
    (part,) = report.parts
    (first,) = part.items
    items = (first.model_copy(update={"score": score}),)
    parts = (part.model_copy(update={"items": items}),)
    receipt = bench.receipt()
    bench.grade(receipt["id"], report.model_copy(update={"parts": parts}))
    page = bench.client.get(receipt["url"]).text
    assert item(page, "The first thing")[1] == state
    assert [word for word in ("all points", "points lost", "no points") if word in page] == [said]


def test_the_result_leads_to_the_next_attempt_while_there_is_one(
    bench, graded, make_member, log_in
):
    again = f'href="/labs/{bench.offering_id}/#upload-title"'
    make_member("tom", Role.TA)
    assert again in bench.client.get(graded["url"]).text
    assert again not in log_in("tom").get(graded["url"]).text, "it is for the student"
    bench.change_offering(attempts_total=3)
    assert "2 attempts are left now" in bench.client.get(graded["url"]).text
    bench.change_offering(attempts_total=1)
    assert again not in bench.client.get(graded["url"]).text
    bench.change_offering(attempts_total=None)
    bench.site.clock.instant = START.replace(month=12)
    assert again not in bench.client.get(graded["url"]).text


THIRDS = (0.3333, 0.3333, 0.3334)


def explained(bench):
    """Grade a report whose points no two decimals hold, late; return the page that explains it."""
    bench.change_offering(
        due_at=START - timedelta(days=1),
        closes_at=START + timedelta(days=9),
        opens_at=START - timedelta(days=9),
        late_percent=Decimal("12.5"),
    )
    tests = tuple(
        TestReport(
            id=f"t{n}", item="i", title=f"Claim {n}", outcome=Outcome.PASSED, credit=1,
            score=score, max_score=score,
        )
        for n, score in enumerate(THIRDS)
    )  # fmt: skip
    names = tuple(one.id for one in tests)
    whole = round(sum(THIRDS), 4)
    found = ItemReport(id="i", title="Item", score=whole, max_score=1.5, tests=names)
    part = PartReport(id="p", title="Part", score=whole, max_score=1.5, items=(found,))
    receipt = bench.receipt()
    report = Report(
        assignment="demo",
        assignment_title="A demo lab",
        submission="answer.py",
        digest="0" * 64,
        status=RunStatus.GRADED,
        score=whole,
        max_score=1.5,
        parts=(part,),
        tests=tests,
    )
    bench.grade(receipt["id"], report)
    return bench.client.get(f"{receipt['url']}/explain").text


def numbers(text):
    return [Decimal(one) for one in re.findall(r'class="score"><b>([\d.]+)</b>', text)]


def test_explain_adds_up_to_the_official_points_to_the_last_hundredth(bench):
    page = explained(bench)
    lines, card = page.split('class="scorecard"')
    total, part, one_item, *of_tests = numbers(lines)
    assert total == part == one_item == sum(of_tests) == 1
    by_tests, *_, kept, official = numbers(card)
    assert by_tests == total
    (most,) = {Decimal(one) for one in re.findall(r"<tfoot>.*?/ ([\d.]+)</span>", card, re.S)}
    assert official == (kept * most / Decimal("1.5")).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert "rounded to hundredths" in card


def test_the_points_of_the_lab_turn_green_by_the_attempt_that_counts(bench, report):
    (part,) = report.parts
    items = tuple(one.model_copy(update={"score": 15}) for one in part.items)
    parts = (part.model_copy(update={"items": items}),)
    place = f"/labs/{bench.offering_id}/"
    assert 'class="done"' not in bench.client.get(place).text
    receipt = bench.receipt()
    bench.grade(receipt["id"], report.model_copy(update={"parts": parts}))
    assert bench.client.get(place).text.count('class="done"') == 1


def test_a_number_above_the_result_says_what_it_is_of(bench, report):
    first = bench.receipt()
    bench.grade(first["id"], report)
    whole = report.model_copy(update={"score": 15.0})
    best = bench.receipt(data=b"b = 2\n", key="upload-2")
    bench.grade(best["id"], whole)
    total = re.compile(r'<p class="total">.*?<b>([\d.]+)</b>.*?<small>(.*?)</small>', re.S)
    counted = total.search(bench.client.get(best["url"]).text)
    other = total.search(bench.client.get(first["url"]).text)
    assert counted[2].startswith("of the course") and other.groups() == ("5", "by tests")
