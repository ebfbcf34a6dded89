"""Text that people choose is shown as text: on pages, in logs, in files for spreadsheets."""

from __future__ import annotations

import base64
import csv
import io
import json
import logging
import re
import threading

import pytest
from attacks.portal.rows import row
from attacks.portal.web import GOOD, addresses, send, unseen
from sqlalchemy import select
from werkzeug.serving import make_server

from grader.report import Report
from grader.report.export import to_csv
from portal.courses.models import Offering, Term
from portal.courses.roster import InitialPassword, passwords_csv
from portal.people.models import User
from portal.platform.db import read_session, write_session
from portal.runs.models import Event, EventKind, GradingRun, Result
from portal.submissions.models import Submission

SCRIPTS = (
    "<script>document.title='PWNED'</script>",
    '"><img src=x onerror="document.title=\'PWNED\'">',
    "'-alert(1)-'</title><svg onload=document.title='PWNED'>",
    "{{ 7*7 }}{% raw %}javascript:document.title='PWNED'",
)
SCRIPT = "".join(SCRIPTS)
LIVE = re.compile(r"<script>document|<img src=x|<svg|onerror=\"doc|\}\}49")
TERMINAL = "\x1b[2J\x1b]0;PWNED\x07\x1b]8;;http://evil\x1b\\x\x9b31m\r\x08\x00"
TURNED = "a\u202ecod\u2066e\u2069\u200f"
FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "=cmd|' /C calc'!A0",
    "\uff1d1+1",
    "a;=1",
    "a\t=1",
)


def plant(engine, school, text):
    """Write a text everywhere that students, staff or their code can choose one."""
    with write_session(engine) as session:
        for user in session.scalars(select(User)):
            user.display_name = f"{text} {user.username}"
        for term in session.scalars(select(Term)):
            term.title = f"{text} {term.slug}"
        for offering in session.scalars(select(Offering)):
            offering.title = f"{text} {offering.position}"
        run = session.scalars(select(GradingRun)).first()
        result = session.scalars(select(Result).where(Result.run_id == run.id)).one()
        report = json.loads(result.report)
        for test in report["tests"]:
            test |= {"title": text, "detail": text, "output": text, "hint": text, "reason": text}
            test |= {"visibility": "visible", "outcome": "failed", "credit": 0}
        report |= {"submission": text, "messages": [text], "assignment_title": text}
        for part in report["parts"]:
            part["title"] = text
            for item in part["items"]:
                item["title"] = text
        # Rows that are never changed by the portal are changed here below it.
        update = Result.__table__.update().where(Result.__table__.c.run_id == run.id)
        session.execute(update.values(report=json.dumps(report)))
        intake = {"files": [{"path": text, "size": 1, "sha256": "0" * 64}],
                  "ignored": [text], "notices": [text]}  # fmt: skip
        sent = Submission.__table__.update().where(Submission.id == run.submission_id)
        session.execute(sent.values(filename=text[-200:], intake=json.dumps(intake)))
        for kind, data in ((EventKind.QUEUED, {}), (EventKind.FAULT, {"fault": text})):
            session.add(Event(run_id=run.id, kind=kind, data=json.dumps(data), at=run.created_at))


def comment(school, whole, text):
    """Let staff write a comment with a mark."""
    slug, enrolment = school.ids["slug"], school.ids["enrolment_id"]
    place = f"/staff/{slug}/gradebook/{enrolment}/{whole}/marks"
    form = {"item": "whole", "points": "1", "comment": text}
    assert school.log_in("tess").post(place, data=form).status_code == 303


def pages(school):
    """Yield every page of the student and of the staff, with its address."""
    for who in ("ada", "tess"):
        browser = school.log_in(who)
        for endpoint, address in addresses(school.app, school.ids):
            if endpoint not in ("static", "labs.skeleton"):
                answer = browser.get(address)
                if answer.mimetype != "application/zip":  # uploads as they came, to be saved
                    yield address, answer.get_data(as_text=True)
                answer.close()


@row("xss-stored")
def test_no_stored_text_becomes_markup(school, engine, whole):
    comment(school, whole, SCRIPT)
    plant(engine, school, SCRIPT)
    shown = dict(pages(school))
    html = {place: text for place, text in shown.items() if not place.endswith(".csv")}
    assert [place for place, text in html.items() if LIVE.search(text)] == []
    assert sum("PWNED" in text for text in shown.values()) >= 8, "the texts are shown, as text"


@row("xss-reflected")
def test_no_address_or_form_comes_back_as_markup(school):
    ada, tess, slug = school.log_in("ada"), school.log_in("tess"), school.ids["slug"]
    stranger = school.app.test_client()
    answers = [
        stranger.get("/login", query_string={"next": SCRIPT}),
        stranger.post("/login", data={"username": SCRIPT, "password": "x", "next": SCRIPT}),
        ada.get("/" + SCRIPT),
        ada.get(f"/labs/{school.ids['offering_id']}/", query_string={"lang": SCRIPT}),
        tess.get(f"/staff/{slug}/gradebook", query_string={"q": SCRIPT}),
        tess.get(f"/staff/{slug}/submissions", query_string={"student": SCRIPT, "state": SCRIPT}),
        tess.post(f"/staff/{slug}/gradebook/1/1/marks", data={"item": SCRIPT, "points": SCRIPT}),
        school.log_in("ines").post(
            f"/staff/{slug}/roster/preview",
            data={"file": (io.BytesIO(f"username,name,{SCRIPT}\n{SCRIPT},a".encode()), "r.csv")},
        ),
        send(ada, school.ids["offering_id"], b"x", SCRIPT + ".txt"),
    ]
    assert [
        a.request.path for a in answers if LIVE.search(a.text) and a.mimetype == "text/html"
    ] == []


@row("xss-notebook-output")
def test_outputs_of_a_notebook_reach_no_page(school):
    ada, offering = school.log_in("ada"), school.ids["offering_id"]
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": {kind: SCRIPT}}
        for kind in ("text/html", "image/svg+xml", "application/javascript", "text/plain")
    ]
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": outputs,
            "source": "# file: answer.py\n" + GOOD.decode()}  # fmt: skip
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    receipt = send(ada, offering, json.dumps(book).encode(), "answer.ipynb")
    assert receipt.status_code == 201
    ids = school.ids | {"submission_id": receipt.json["id"]}
    for who in ("ada", "tess"):
        browser = school.log_in(who)
        for endpoint, address in addresses(school.app, ids):
            if (
                "submission_id" in endpoint
                or "/submissions/" in address
                and "events" not in address
                and endpoint != "results.upload"  # the file itself, to save and not to show
            ):
                assert "PWNED" not in browser.get(address).get_data(as_text=True), address


@row("xss-figure")
def test_a_page_passed_off_as_a_figure_is_still_a_png_nobody_guesses_at(school, engine):
    store = school.app.extensions["portal"].store
    digest = store.put(f"<svg xmlns='http://www.w3.org/2000/svg'>{SCRIPT}</svg>".encode())
    with write_session(engine) as session:
        run = session.scalars(select(GradingRun)).first()
        result = session.scalars(select(Result).where(Result.run_id == run.id)).one()
        report = json.loads(result.report)
        picture = {"name": "x", "caption": SCRIPT, "sha256": digest, "visibility": "visible"}
        report["artifacts"] = [picture | {"test": report["tests"][0]["id"]}]
        update = Result.__table__.update().where(Result.__table__.c.run_id == run.id)
        session.execute(update.values(report=json.dumps(report)))
    place = f"/submissions/{school.ids['submission_id']}"
    ada = school.log_in("ada")
    answer = ada.get(f"{place}/artifacts/{digest}.png")
    assert (answer.status_code, answer.content_type) == (200, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not LIVE.search(ada.get(place).text)


@row("xss-browser")
def test_a_browser_runs_no_planted_script_on_any_page(school, engine, whole, chromium):
    comment(school, whole, SCRIPT)
    send(
        school.log_in("ada"),
        school.ids["offering_id"],
        GOOD,
        "<img src=x onerror=alert(1)>/answer.py",
    )
    plant(engine, school, SCRIPT)
    server = make_server("127.0.0.1", 0, school.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site = f"http://127.0.0.1:{server.port}"
    ran: list[object] = []

    def asked(dialog):
        ran.append(dialog.message)
        dialog.dismiss()

    try:
        for who in ("ada", "tess"):
            context = chromium.new_context(base_url=site, accept_downloads=False)
            page = context.new_page()
            page.on("dialog", asked)
            page.goto("/login")
            page.fill("[name=username]", who)
            page.fill("[name=password]", "correct horse battery")
            page.click("main button[type=submit]")
            page.wait_for_url(f"{site}/")
            ran += _opened(page, school, who)
            context.close()
    finally:
        server.shutdown()
        thread.join()
    assert ran == []


def _opened(page, school, who):
    """Open every page somebody may; return the addresses whose scripts or titles are not ours."""
    bad = []
    skip = {"static", "runs.events"} | {  # what is sent to be saved is no page
        "labs.skeleton", "standings.download", "settings.export", "results.upload",
        "marking.download",
    }  # fmt: skip
    for endpoint, address in addresses(school.app, school.ids):
        if endpoint in skip:
            continue
        page.goto(address)
        if page.title().startswith("PWNED") or page.evaluate("document.title") == "PWNED":
            bad.append((who, address))
        if page.evaluate("[...document.images].some(i => i.src.endsWith('/x'))"):
            bad.append((who, address, "an image was made"))
    return bad


@row("text-terminal", "text-bidi")
@pytest.mark.parametrize("text", [TERMINAL, TURNED], ids=["terminal", "bidi"])
def test_no_report_or_upload_brings_hidden_characters_to_a_page(school, engine, text):
    """Of what student code prints, raises and is called; names of people are cleaned on entry."""
    with write_session(engine) as session:
        run = session.scalars(select(GradingRun)).first()
        result = session.scalars(select(Result).where(Result.run_id == run.id)).one()
        report = json.loads(result.report)
        for test in report["tests"]:
            test |= {"detail": text, "output": text, "reason": text, "visibility": "visible"}
            test |= {"outcome": "failed", "credit": 0}
        report |= {"submission": text, "messages": [text]}
        update = Result.__table__.update().where(Result.__table__.c.run_id == run.id)
        session.execute(update.values(report=json.dumps(report)))
    code = f"# {text}\n".replace("\r", "").encode() + GOOD
    ada = school.log_in("ada")
    sent = send(ada, school.ids["offering_id"], code, f"{text}/answer.py".replace("\r", ""))
    assert sent.status_code == 201
    shown = dict(pages(school))
    newest = school.ids | {"submission_id": sent.json["id"]}
    for who in ("ada", "tess"):
        for endpoint, address in addresses(school.app, newest):
            if endpoint in ("results.show", "results.receipt", "marking.submission"):
                shown[address] = school.log_in(who).get(address).text
    assert {place: unseen(text) for place, text in shown.items() if unseen(text)} == {}


@row("log-forging")
def test_nothing_that_is_sent_forges_a_line_of_the_log(school, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    ada, tess = school.log_in("ada"), school.log_in("tess")
    forged = "x%0d%0a2026-01-01 INFO all is well%1b[2J%e2%80%ae"
    school.app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setitem(school.app.view_functions, "standings.show", lambda slug: 1 / 0)
    for place in (f"/{forged}", f"/staff/{forged}/gradebook", f"/submissions/{forged}"):
        tess.get(place)
        ada.get(place)
    send(ada, school.ids["offering_id"], b"", forged.replace("%", "\\x"))
    school.app.test_client().post("/login", data={"username": "a\r\nb\x1b[2J", "password": "x"})
    for record in caplog.records:
        said = record.getMessage()
        assert not unseen(said) and "\n2026-01-01" not in said and "\r" not in said, said


def rows_of_csv(text):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def computes(text):
    """Return the cells that a spreadsheet would compute, by either separator."""
    found = []
    for separator in (",", ";"):
        for line in csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=separator):
            found += [
                c for c in line if c.lstrip(" \u00a0").startswith(("=", "+", "@", "\uff1d", "\t"))
            ]
            found += [c for c in line if re.match(r"-(?!\d+(\.\d+)?$)", c)]
    return found


@row("csv-gradebook", "csv-separators")
@pytest.mark.parametrize("formula", FORMULAS)
def test_the_gradebook_holds_no_formula(school, engine, formula):
    with write_session(engine) as session:
        for user in session.scalars(select(User)):
            user.display_name = formula
        for offering in session.scalars(select(Offering)):
            offering.title = formula
    answer = school.log_in("tess").get(f"/staff/{school.ids['slug']}/gradebook.csv")
    text = answer.get_data(as_text=True)
    assert len(rows_of_csv(text)) == 3
    assert computes(text) == []


@row("csv-passwords")
@pytest.mark.parametrize("formula", FORMULAS)
def test_the_list_of_first_passwords_holds_no_formula(formula):
    name = " ".join(formula.split())  # as the roster cleans it
    text = passwords_csv([InitialPassword("eve", name, "abcdefghjkmn")])
    assert computes(text) == [] and "abcdefghjkmn" in text


@row("csv-grader")
@pytest.mark.parametrize("formula", FORMULAS)
def test_the_command_line_writes_no_formula(school, formula):
    with read_session(school.engine) as session:
        report = Report.model_validate_json(session.scalars(select(Result.report)).first())
    hostile = report.model_copy(update={"submission": formula, "messages": (formula,)})
    assert computes(to_csv([hostile])) == []


def test_the_roster_cleans_and_escapes_what_it_shows(school):
    ines, slug = school.log_in("ines"), school.ids["slug"]
    lines = f'username,name\neve,"{TURNED}=1+1 <script>alert(1)</script>"\n'
    preview = ines.post(
        f"/staff/{slug}/roster/preview", data={"file": (io.BytesIO(lines.encode()), "r.csv")}
    )
    assert preview.status_code == 200
    assert not unseen(preview.text) and "<script>alert" not in preview.text
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', preview.text))
    done = ines.post(f"/staff/{slug}/roster/import", data=fields)
    (encoded,) = re.findall(r"base64,([A-Za-z0-9+/=]+)", done.text)
    assert computes(base64.b64decode(encoded).decode()) == []
