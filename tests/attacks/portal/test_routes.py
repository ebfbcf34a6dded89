"""Every address of the portal, by everybody who should not get through it."""

from __future__ import annotations

import re
import uuid

import pytest
from attacks.portal.rows import row
from attacks.portal.web import STREAM, addresses, send
from sqlalchemy import select
from support.uploads import multipart, token_of

from portal.app import FEATURES
from portal.audit.models import AuditEntry
from portal.courses.models import Enrolment, Offering, Role
from portal.grants.models import Grant
from portal.platform.db import read_session, write_session
from portal.platform.feature import Audience
from portal.runs.models import GradingRun, Result
from portal.standings.models import AttemptChoice, ManualMark
from portal.submissions.models import Submission

OPEN = {"static", "system.health"} | {
    f"people.{name}"
    for name in ("login", "log_in", "logout", "speak", "sign_on_there", "signed_on")
}
ANYBODYS = (
    OPEN
    | {"labs.home"}
    | {f"people.{name}" for name in ("password", "set_password", "account", "set_account")}
)
STAFFS = tuple(
    f"{name}."
    for name in "marking standings dashboard courses grants settings inbox history "
    "competition_staff rubric trial lab_teams_staff late_uploads".split()
)
TERMS = {"labs.lab", "labs.skeleton", "uploads.upload", "uploads.preview", "choice.choose"} | {
    f"competition.{name}"
    for name in ("show", "enter", "choose", "rename", "invite", "answer", "leave")
}
LAB_TEAMS = {f"lab_teams.{name}" for name in ("invite", "again", "answer", "rename", "leave")}
TERMS |= LAB_TEAMS
LEADERS = {"terms.begin", "terms.preview", "terms.make"}  # whoever leads any term
CHANGED = (Submission, GradingRun, Result, ManualMark, AttemptChoice, Grant, Offering)
VERBS = ("GET", "POST")


@pytest.fixture
def count(rows_of):
    return lambda: [rows_of(model) for model in CHANGED]


@row("csrf-every-route")
def test_no_route_takes_a_post_without_a_token(school, strict_app, count):
    before = count()
    for who in ("tess", "ada", None):
        browser = strict_app.test_client()
        if who:
            page = browser.get("/login").text
            form = {"username": who, "password": "correct horse battery"}
            assert browser.post("/login", data=form).status_code == 400, "the login has one too"
            sent = browser.post("/login", data=form | {"csrf_token": token_of(page)})
            assert sent.status_code == 302
        posts = list(addresses(strict_app, school.ids, "POST"))
        assert len(posts) >= 9
        for endpoint, address in posts:
            for body in ({"data": {"item": "whole", "points": "1"}}, {"json": {}}, multipart()):
                answer = browser.post(address, **body)
                assert (answer.status_code, "no valid token" in answer.text) == (400, True), (
                    endpoint
                )
    assert count() == before


@row("csrf-foreign-token")
def test_a_token_of_another_session_opens_nothing(school, strict_app, count):
    foreign = token_of(strict_app.test_client().get("/login").text)
    browser = strict_app.test_client()
    own = token_of(browser.get("/login").text)
    form = {"username": "tess", "password": "correct horse battery", "csrf_token": own}
    assert browser.post("/login", data=form).status_code == 302
    before = count()
    for endpoint, address in addresses(strict_app, school.ids, "POST"):
        for token in (foreign, own, "", "x"):  # the own one is of the session before the login
            answer = browser.post(
                address, data={"csrf_token": token}, headers={"X-CSRFToken": token}
            )
            assert answer.status_code == 400, endpoint
    assert count() == before


@row("method-override", "methods-unlisted")
def test_a_method_is_what_the_request_line_says(school, count):
    tess, before = school.log_in("tess"), count()
    mark = f"/staff/{school.ids['slug']}/gradebook/{school.ids['enrolment_id']}"
    mark += f"/{school.ids['offering_id']}/marks"
    for headers in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        assert tess.get(mark, headers={headers: "POST"}).status_code == 405
    assert tess.get(mark + "?_method=POST&item=whole&points=1").status_code == 405
    for verb in ("PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "CONNECT"):
        for endpoint, address in addresses(school.app, school.ids):
            assert tess.open(address, method=verb).status_code in (400, 405), (verb, endpoint)
    assert count() == before


def everything(school):
    """Yield every GET address as staff, as the student and as nobody, and what fails."""
    people = {"tess": school.log_in("tess"), "ada": school.log_in("ada")}
    people["nobody"] = school.app.test_client()
    for name, browser in people.items():
        for endpoint, address in addresses(school.app, school.ids):
            yield name, endpoint, browser.get(address)
    yield "nobody", "404", people["nobody"].get("/nothing")
    yield "nobody", "405", people["nobody"].get("/logout")
    yield "ada", "422", send(people["ada"], school.ids["offering_id"], b"", "x.zip")
    yield "ada", "400", people["ada"].get("/?x=%00")
    yield "nobody", "401", people["nobody"].post("/login", data={"username": "x"})
    school.app.config["MAX_CONTENT_LENGTH"] = 10
    yield "ada", "413", people["ada"].post("/login", data={"username": "x" * 100})
    school.app.config["MAX_CONTENT_LENGTH"] = None
    school.app.config["PROPAGATE_EXCEPTIONS"] = False
    school.app.view_functions["labs.home"] = lambda: 1 / 0
    yield "ada", "500", people["ada"].get("/")


@row("clickjacking", "sniffing", "cache-private")
def test_every_answer_forbids_frames_guessing_and_caching(school):
    seen = set()
    for who, endpoint, answer in everything(school):
        where = (who, endpoint, answer.status_code)
        seen.add(answer.status_code)
        headers = answer.headers
        assert headers["X-Frame-Options"] == "DENY", where
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], where
        assert "unsafe" not in headers["Content-Security-Policy"], where
        assert headers["X-Content-Type-Options"] == "nosniff", where
        assert headers["Content-Type"].partition(";")[0] in TYPES, where
        if endpoint != "static":
            assert "no-store" in headers["Cache-Control"], where
            assert "public" not in headers["Cache-Control"], where
            assert "ETag" not in headers and "Last-Modified" not in headers, where
        if endpoint in ("labs.skeleton", "standings.download") and answer.status_code == 200:
            assert headers["Content-Disposition"].startswith("attachment; "), where
        answer.close()
    assert {200, 302, 400, 401, 404, 405, 413, 422, 500} <= seen


TYPES = {
    "text/html", "text/css", "text/csv", "application/json", "application/toml", "application/zip",
    "text/event-stream", "image/png",
    "application/octet-stream",  # an upload as it came, to save and not to show
}  # fmt: skip


def refused(browser, app, ids, allowed, verbs=VERBS):
    """Return the routes that answered somebody with anything but 'there is nothing here'."""
    through = []
    for verb in verbs:
        for endpoint, address in addresses(app, ids, verb):
            if endpoint in allowed:
                continue
            answer = browser.open(address, method=verb, data={} if verb == "POST" else None)
            if answer.status_code != 404:
                through.append((verb, endpoint, answer.status_code))
            answer.close()
    return through


@row("idor-anonymous")
def test_without_an_account_every_address_leads_to_the_login(school, client, count):
    before = count()
    for verb in VERBS:
        for endpoint, address in addresses(school.app, school.ids, verb):
            if endpoint in OPEN:
                continue
            answer = client.open(address, method=verb)
            assert answer.status_code == 302, endpoint
            assert answer.location.startswith("/login?next="), endpoint
    assert count() == before


@row("idor-student")
def test_a_student_opens_nothing_of_another_one_or_of_the_staff(school, count):
    before, ada = count(), school.log_in("ada")
    his = school.ids | {"submission_id": school.ids["bo"]}
    mine = ANYBODYS | {name for name in _endpoints(school) if name.startswith("labs.")}
    own = {"uploads.upload", "uploads.preview", "choice.choose"} | LAB_TEAMS
    assert refused(ada, school.app, his, mine | own) == []
    theirs = {name for name in _endpoints(school) if not name.startswith(STAFFS)}
    assert refused(ada, school.app, school.ids, theirs - LEADERS) == []
    assert count() == before


@row("idor-student")
def test_an_assistant_opens_nothing_that_is_for_instructors(school, count):
    before, tess = count(), school.log_in("tess")
    instructors = _said(Audience.INSTRUCTOR)
    instructors |= _said(Audience.LEADER)
    settings = {name for name in _endpoints(school) if name.startswith("settings.")}
    roster = {name for name in _endpoints(school) if name.startswith("courses.")}
    assert settings and instructors == (
        (roster - {"courses.show"})
        | settings
        | LEADERS
        | {"history.show", "marking.tell_name", "late_uploads.tell_name"}
    )
    assert refused(tess, school.app, school.ids, _endpoints(school) - instructors) == []
    assert count() == before


def test_what_features_say_of_their_pages_is_what_is_tried_here(school):
    everything = _endpoints(school)
    staffs = {name for name in everything if name.startswith(STAFFS)}
    assert _said(Audience.ANYBODY) | {"static"} == OPEN
    assert _said(Audience.ACCOUNT) | OPEN == ANYBODYS
    assert _said(Audience.TERM) == TERMS
    assert _said(Audience.STAFF, Audience.INSTRUCTOR) == staffs
    assert _said(Audience.LEADER) == LEADERS
    assert _said(Audience.OWNER) == everything - ANYBODYS - TERMS - staffs - LEADERS


@row("idor-other-term")
def test_staff_of_another_term_and_strangers_open_nothing_of_this_one(school, count):
    before = count()
    for who in ("otto", "zoe", "outsider"):
        assert refused(school.log_in(who), school.app, school.ids, ANYBODYS) == [], who
    assert count() == before


@row("idor-demoted")
def test_who_is_no_longer_staff_opens_nothing(school, engine, count):
    tess, before = school.log_in("tess"), count()
    assert tess.get(f"/staff/{school.ids['slug']}/gradebook").status_code == 200
    with write_session(engine) as session:
        tests = select(Enrolment).where(Enrolment.role == Role.TA, Enrolment.term_id == 1)
        session.scalars(tests).one().role = Role.STUDENT
    theirs = {name for name in _endpoints(school) if not name.startswith(STAFFS)}
    assert refused(tess, school.app, school.ids, theirs - LEADERS) == []
    own = {"uploads.upload", "uploads.preview", "choice.choose"} | LAB_TEAMS
    others = {name for name in _endpoints(school) if name.startswith("labs.")}
    assert refused(tess, school.app, school.ids, ANYBODYS | others | own) == []
    assert count() == before


@row("idor-tell-tale")
def test_an_id_that_is_somebody_elses_looks_like_one_that_is_nobodys(school):
    ada = school.log_in("ada")
    unknown = school.ids | {
        "submission_id": uuid.uuid4(), "enrolment_id": 4711, "slug": "1999-spring"
    }  # fmt: skip
    his = school.ids | {"submission_id": school.ids["bo"]}
    for verb in VERBS:
        there = dict(addresses(school.app, his, verb))
        for endpoint, address in addresses(school.app, unknown, verb):
            if endpoint in ANYBODYS or there[endpoint] == address:
                continue
            pages = [_bare(ada.open(place, method=verb)) for place in (there[endpoint], address)]
            assert pages[0] == pages[1], endpoint


def _bare(answer):
    """Return an answer without what is drawn anew for each, or repeats the address."""
    # The language's form leads back to the address, which its reader has typed themselves.
    drawn = r'nonce-[^\']+|csrf_token" value="[^"]+|name="next" value="[^"]+'
    varying = ("Set-Cookie", "Content-Security-Policy", "Content-Length")
    headers = {name: value for name, value in answer.headers if name not in varying}
    text = re.sub(drawn, "", answer.text)
    return answer.status_code, text, headers


@row("idor-crossed-ids")
def test_ids_of_two_terms_make_no_pair(school, whole, count):
    before, tess, otto = count(), school.log_in("tess"), school.log_in("otto")
    form = {"item": "whole", "points": "1"}
    mine, other = school.ids, school.other
    for browser, slug in ((tess, mine["slug"]), (otto, other["slug"])):
        for enrolment, offering in (
            (mine["enrolment_id"], other["whole"]),
            (other["enrolment_id"], whole),
        ):
            place = f"/staff/{slug}/gradebook/{enrolment}/{offering}/marks"
            assert browser.post(place, data=form).status_code == 404
    assert otto.get(f"/staff/{other['slug']}/gradebook/{mine['enrolment_id']}").status_code == 404
    board = f"/staff/{other['slug']}/dashboard?offering={mine['offering_id']}"
    assert otto.get(board).status_code == 404
    listed = otto.get(f"/staff/{other['slug']}/submissions?offering={mine['offering_id']}").text
    assert "Ada" not in listed and str(mine["submission_id"]) not in listed
    zoe = school.log_in("zoe")
    assert send(zoe, mine["offering_id"]).status_code == 404
    assert count() == before


@row("idor-mass-assignment")
def test_fields_that_no_form_has_change_nothing(school, engine, whole):
    ada, tess = school.log_in("ada"), school.log_in("tess")
    lies = {
        "score": "14", "max_score": "14", "attempt": "99", "enrolment_id": "2", "is_staff": "1",
        "received_at": "2000-01-01", "role": "instructor", "is_admin": "1", "author_id": "1",
        "suite_digest": "x", "state": "graded", "published": "1", "id": "1",
    }  # fmt: skip
    receipt = send(ada, school.ids["offering_id"], **lies)
    assert (receipt.status_code, receipt.json["attempt"]) == (201, 2)
    place = f"/staff/{school.ids['slug']}/gradebook/{school.ids['enrolment_id']}/{whole}/marks"
    form = {"item": "whole", "points": "2"}
    assert tess.post(place, data=lies | form).status_code == 303
    ada.post("/account/password", data=lies | {"current": "wrong"})
    with read_session(engine) as session:
        sent = session.get_one(Submission, receipt.json["id"])
        assert sent.enrolment_id == school.ids["enrolment_id"]
        assert session.scalars(select(Result.run_id).join(GradingRun).where(
            GradingRun.submission_id == sent.id)).all() == []  # fmt: skip
        assert session.scalars(select(ManualMark)).one().author.username == "tess"
        roles = select(Enrolment.role).where(Enrolment.id == school.ids["enrolment_id"])
        assert session.scalars(roles).one() is Role.STUDENT
    assert tess.get("/staff/2027-spring/gradebook").status_code == 404


@row("path-injection")
def test_no_address_climbs_out_of_its_folder(school, config):
    ada, tess = school.log_in("ada"), school.log_in("tess")
    lab = f"/labs/{school.ids['offering_id']}/"
    own = f"/submissions/{school.ids['submission_id']}/artifacts/"
    climbs = ("../", "..%2f", "..%5c", "%2e%2e/", "....//", "/", "%00")
    for climb in climbs:
        for target in ("secret.key", "instance/secret.key", "etc/passwd", "answer.py"):
            for start in ("/static/", own, lab, "/"):
                answer = ada.get(start + climb * 3 + target)
                assert answer.status_code in (400, 404, 308, 302), (start, climb)
                assert "STAFF-CANARY" not in answer.text and config.secret_key not in answer.text
    for language in ("../../reference/demo/answer.py", "en/../..", "\0"):
        page = ada.get(lab, query_string={"lang": language})
        assert "STAFF-CANARY" not in page.text
    assert tess.get(f"/staff/{school.ids['slug']}%2f..%2f2027-spring/gradebook").status_code == 404


def _said(*audiences):
    """Return the endpoints that features say these audiences may open."""
    return {
        endpoint
        for feature in FEATURES
        for endpoint, audience in feature.permissions.items()
        if audience in audiences
    }


def _endpoints(school):
    return {rule.endpoint for rule in school.app.url_map.iter_rules()}


def test_an_honest_upload_is_taken_and_recorded_afterwards(school, rows_of):
    ada = school.log_in("ada")
    assert send(ada, school.ids["offering_id"]).status_code == 201
    assert rows_of(Offering) == 14
    assert rows_of(AuditEntry) >= 1
    assert STREAM in _endpoints(school)
