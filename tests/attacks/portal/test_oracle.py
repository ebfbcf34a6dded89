"""What a student may not know yet can be read off no page, header or event."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from functools import partial

import pytest
from attacks.portal.rows import row
from attacks.portal.web import STREAM, addresses, send
from sqlalchemy import select
from support.uploads import multipart

from grader.report import Outcome, Report, TestReport, Visibility
from portal.courses.models import Offering
from portal.platform.db import read_session, write_session
from portal.runs import service as runs
from portal.runs.models import GradingRun, Result
from portal.runs.speaking import current_runs

INPUT = "HIDDEN-INPUT-4c1e"


def book(engine, submission_id, make):
    """Put another report into a result; the portal itself never changes one."""
    with write_session(engine) as session:
        run = session.scalars(
            select(GradingRun).where(
                GradingRun.submission_id == str(submission_id), GradingRun.speaks
            )
        ).one()
        result = session.scalars(select(Result).where(Result.run_id == run.id)).one()
        report = make(Report.model_validate_json(result.report))
        table = Result.__table__
        session.execute(
            table.update().where(table.c.run_id == run.id).values(report=report.model_dump_json())
        )


def closed(report, detail, visibility=Visibility.HIDDEN, seconds=0.25):
    """Return the report with every test closed and full of what nobody may see."""
    tests = tuple(
        TestReport(
            id=f"{test.id}[{detail}]",
            item=test.item,
            title=f"Claim {number}",
            visibility=visibility,
            outcome=Outcome.FAILED,
            credit=0,
            score=0,
            max_score=test.max_score,
            hint="Look again.",
            reason=detail,
            detail=detail,
            output=detail,
            cpu_seconds=seconds,
            wall_seconds=seconds,
        )
        for number, test in enumerate(report.tests)
    )
    names = {old.id: new.id for old, new in zip(report.tests, tests, strict=True)}
    parts = tuple(
        part.model_copy(
            update={
                "items": tuple(
                    item.model_copy(update={"tests": tuple(names[one] for one in item.tests)})
                    for item in part.items
                )
            }
        )
        for part in report.parts
    )
    return report.model_copy(
        update={"tests": tests, "parts": parts, "cpu_seconds": seconds * 2, "wall_seconds": seconds}
    )


def seen(browser, school, ids=None):
    """Return every answer of one submission to a browser: status, text and headers."""
    answers = {}
    for endpoint, address in addresses(school.app, ids or school.ids):
        if "/submissions/" in address or endpoint.startswith("courses."):
            answer = browser.get(address)
            text = re.sub(r'csrf_token" value="[^"]+|Token": "[^"]+|client_key" value="[^"]+', "",
                          answer.get_data().decode("utf-8", "replace"))  # fmt: skip
            kept = ("Content-Length", "ETag", "Last-Modified", "Content-Type", "Cache-Control")
            headers = {name: answer.headers.get(name) for name in kept}
            if endpoint == "labs.skeleton":
                text = ""
            answers[endpoint] = (answer.status_code, text, headers)
            answer.close()
    return answers


@row("oracle-report")
@pytest.mark.parametrize(
    "kind", [Visibility.HIDDEN, Visibility.AFTER_DUE_DATE, Visibility.AFTER_PUBLISHED]
)
def test_no_hidden_input_is_in_any_answer(school, engine, kind):
    book(engine, school.ids["submission_id"], lambda report: closed(report, INPUT, kind))
    for place, (status, text, _) in seen(school.log_in("ada"), school).items():
        assert INPUT not in text, place
        assert status in (200, 404), place
    assert INPUT in school.log_in("tess").get(
        f"/staff/submissions/{school.ids['submission_id']}"
    ).text, "the staff see it"  # fmt: skip


@row("oracle-headers")
def test_answers_do_not_differ_by_what_is_hidden(school, engine):
    """Two results that differ in hidden details and durations only look the same to the byte."""
    ada, looks = school.log_in("ada"), []
    for detail, seconds in (("short", 0.01), (INPUT * 500, 9.75)):
        hidden = partial(closed, detail=detail, seconds=seconds)
        book(engine, school.ids["submission_id"], hidden)
        looks.append(seen(ada, school))
    assert looks[0] == looks[1]
    assert all(headers["ETag"] is None for _, _, headers in looks[0].values())


@row("oracle-unpublished")
def test_what_is_not_published_is_shut_for_students_in_every_way(school, engine):
    ada = school.log_in("ada")
    assert ada.get(f"/submissions/{school.ids['submission_id']}").status_code == 200
    with write_session(engine) as session:
        session.get_one(Offering, school.ids["offering_id"]).published = False
    for verb in ("GET", "POST"):
        for endpoint, address in addresses(school.app, school.ids, verb):
            if "/labs/" in address or "/submissions/" in address:
                answer = ada.open(address, method=verb, data={} if verb == "POST" else None)
                assert answer.status_code == 404, endpoint
                answer.close()
    home = ada.get("/").text
    assert "A demo lab" not in home and "7" not in re.findall(r"<b>([\d.]+)</b>", home)
    assert school.log_in("tess").get(
        f"/staff/submissions/{school.ids['submission_id']}"
    ).status_code == 200  # fmt: skip


@row("oracle-unopened")
def test_a_lab_that_is_not_open_yet_names_none_of_its_files(school, engine, clock):
    ada, offering = school.log_in("ada"), school.ids["offering_id"]
    with write_session(engine) as session:
        lab = session.get_one(Offering, offering)
        lab.opens_at, lab.due_at = clock() + timedelta(days=1), clock() + timedelta(days=2)
    names = {"names": ["answer.py", "x.py"]}
    answers = [
        ada.get(f"/labs/{offering}/"),
        ada.get(f"/labs/{offering}/skeleton.zip"),
        ada.post(f"/labs/{offering}/submissions/preview", data=names),
        send(ada, offering, b"x", "x.py"),
        send(ada, offering, b"PK", "x.zip"),
        ada.post(f"/labs/{offering}/submissions", **multipart([("x.py", b"x")])),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 404, 422, 422, 422]
    for answer in answers:
        assert "answer.py" not in answer.text and "Return" not in answer.text
    tess = school.log_in("tess")
    assert tess.post(f"/labs/{offering}/submissions/preview", data=names).status_code == 200


@row("oracle-progress")
def test_progress_tells_how_far_and_never_how_well(school, engine, clock):
    ada = school.log_in("ada")
    sent = send(ada, school.ids["offering_id"]).json
    states = []
    with write_session(engine) as session:
        run = current_runs(session, [sent["id"]])[sent["id"]]
        held = runs.claim(session, run.id, executor="w", now=clock())
    for done in range(4):
        with write_session(engine) as session:
            runs.progress(session, held, done=done, total=4, now=clock())
        states.append(json.loads(ada.get(f"{sent['url']}/progress").text))
    keys = {"run_id", "event", "state", "text", "position", "done", "total", "final"}
    keys |= {"still", "again"}  # whether anybody takes runs, and whether a fault of ours stopped it
    keys |= {"chip"}  # the state once more, as it looks
    assert all(set(state) == keys for state in states)
    assert [state["text"] for state in states] == [
        "Being graded: the first tests are running.",
        *(f"Being graded: about {percent} % done." for percent in (25, 50, 75)),
    ]
    with read_session(engine) as session:
        report = Report.model_validate_json(session.scalars(select(Result.report)).first())
    with write_session(engine) as session:
        assert runs.finish(session, held, closed(report, INPUT), now=clock())
    heard = ada.get(f"{sent['url']}/events").get_data(as_text=True)
    assert INPUT not in heard and '"state": "graded"' in heard
    assert "score" not in heard and "failed" not in heard
    assert STREAM == "runs.events"


@row("oracle-others")
def test_nobody_reads_anothers_score_anywhere(school, engine):
    """Bo's 11 points stand on no page of Ada's, and Ada's queue tells only a position."""
    book(engine, school.ids["bo"], lambda report: report.model_copy(update={"score": 12.75}))
    ada = school.log_in("ada")
    his = school.ids | {"submission_id": school.ids["bo"]}
    for ids in (school.ids, his):
        for endpoint, address in addresses(school.app, ids):
            answer = ada.get(address)
            text = answer.get_data().decode("utf-8", "replace")
            assert "12.75" not in text and "Bo" not in text.split(), endpoint
            assert str(school.ids["bo"]) not in text.replace(address, ""), endpoint
            answer.close()
