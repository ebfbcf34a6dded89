"""Sessions, logins and headers: nobody becomes somebody else, or is led elsewhere."""

from __future__ import annotations

import threading
from urllib.parse import urljoin, urlsplit

import pytest
from attacks.portal.rows import row
from attacks.portal.web import addresses, send
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import select
from support.portal import PASSWORD
from support.uploads import token_of

from portal.people.models import User
from portal.platform.db import read_session
from portal.platform.passwords import Passwords

AT_ONCE = 12
TARGETS = (
    "//evil.example", "///evil.example", "https://evil.example/", "http:evil.example",
    "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\r\n/evil.example",
    "javascript:alert(1)", "data:text/html,x", "//evil.example/%2f..", "/%09/evil.example",
    "https:/evil.example", "\u2028//evil.example", " //evil.example", "/\u00a0/evil.example",
    "//@evil.example", "https://localhost@evil.example", "/.//evil.example", "evil.example",
)  # fmt: skip


@pytest.fixture
def hashed(monkeypatch):
    """Count the passwords that are compared, and how many at the same time."""
    counts = {"all": 0, "now": 0, "most": 0}
    real, lock = Passwords.matches, threading.Lock()

    def spy(self, stored, password):
        with lock:
            counts["all"] += 1
        return real(self, stored, password)

    monkeypatch.setattr(Passwords, "matches", spy)
    return counts


def guess(client, username, password="wrong", **more):
    """Try to log in and return the status."""
    form = {"username": username, "password": password}
    return client.post("/login", data=form, **more).status_code


@row("session-fixation")
def test_nothing_planted_before_the_login_is_worth_anything_after_it(school, strict_app):
    victim, attacker = strict_app.test_client(), strict_app.test_client()
    token = token_of(attacker.get("/login").text)
    planted = attacker.get_cookie("proctor").value
    victim.set_cookie("proctor", planted)
    form = {"username": "ada", "password": PASSWORD, "csrf_token": token}
    assert victim.post("/login", data=form).status_code == 302
    assert victim.get_cookie("proctor").value != planted
    assert attacker.get("/").status_code == 302, "the attacker's session is still nobody's"
    known = attacker.post("/logout", data={"csrf_token": token})
    assert known.status_code == 302 and victim.get("/").status_code == 200
    assert victim.post("/logout", data={"csrf_token": token}).status_code == 400, "a new token"


@row("session-forged")
def test_a_cookie_that_is_signed_or_changed_without_the_key_is_nobodys(
    school, app, engine, open_app
):
    ada = school.log_in("ada")
    cookie = ada.get_cookie("proctor").value
    with read_session(engine) as session:
        staff = session.scalars(select(User).where(User.username == "ines")).one()
    forger = open_app(secret_key="1" * 64)
    signer = SecureCookieSessionInterface().get_signing_serializer(forger)
    forged = signer.dumps({"_user_id": staff.get_id(), "_fresh": True})
    head, _, tail = cookie.partition(".")
    for value in (
        forged,
        cookie[:-2] + "xx",
        "x" + cookie,
        f"{head[:-4]}AAAA.{tail}",
        "",
        ".",
        "a.b.c",
    ):
        client = app.test_client()
        client.set_cookie("proctor", value)
        assert client.get("/").status_code == 302, value
        assert client.get(f"/staff/{school.ids['slug']}/gradebook").status_code == 302
    with ada.session_transaction() as session:
        session["_user_id"] = staff.get_id().partition(".")[0] + ".0123456789abcdef"
    assert ada.get("/").status_code == 302, "an id without the password's fingerprint is nobody"


@row("session-after-password")
def test_a_stolen_session_ends_with_the_password(school, app):
    ada = school.log_in("ada")
    thief = app.test_client()
    thief.set_cookie("proctor", ada.get_cookie("proctor").value)
    assert thief.get("/").status_code == 200
    new = {"current": PASSWORD, "new": "another long password", "again": "another long password"}
    assert ada.post("/account/password", data=new).status_code == 302
    assert (thief.get("/").status_code, ada.get("/").status_code) == (302, 200)
    assert guess(app.test_client(), "ada", PASSWORD) == 401


@row("session-after-logout")
def test_a_stolen_session_ends_with_the_logout_and_others_go_on(school, app):
    ada, elsewhere = school.log_in("ada"), school.log_in("ada")
    thief = app.test_client()
    thief.set_cookie("proctor", ada.get_cookie("proctor").value)
    assert thief.get("/").status_code == 200
    assert ada.post("/logout").status_code == 302
    assert (thief.get("/").status_code, elsewhere.get("/").status_code) == (302, 200)


@row("open-redirect")
@pytest.mark.parametrize("target", TARGETS)
def test_nobody_is_led_elsewhere(school, app, whole, target):
    form = {"username": "ada", "password": PASSWORD}
    browser = app.test_client()
    answers = [
        app.test_client().post("/login", data=form | {"next": target}),
        browser.post("/login", query_string={"next": target}, data=form),
        browser.get("/login", query_string={"next": target}),
    ]
    slug, enrolment = school.ids["slug"], school.ids["enrolment_id"]
    place = f"/staff/{slug}/gradebook/{enrolment}/{whole}/marks"
    mark = {"item": "whole", "points": "1", "next": target}
    answers.append(school.log_in("tess").post(place, data=mark))
    for answer in answers:
        assert answer.status_code in (302, 303)
        there = urljoin("https://here.example/login", answer.location.replace("\\", "/"))
        assert urlsplit(there).netloc == "here.example", answer.location


@row("host-header")
def test_a_wrong_host_stands_in_no_address(school, app):
    for host in ("evil.example", "evil.example:80", "a@evil.example", "evil.example/x"):
        for who in ("ada", "tess", None):
            browser = school.log_in(who) if who else app.test_client()
            for endpoint, address in addresses(app, school.ids):
                if endpoint in ("static", "labs.skeleton", "marking.download"):
                    continue
                answer = browser.get(address, headers={"Host": host})
                said = [answer.get_data(as_text=True), answer.headers.get("Location", "")]
                assert not any("evil.example" in text for text in said), (endpoint, host)


@row("forwarded-headers")
def test_what_a_client_says_of_its_address_is_not_believed(open_app, make_user, app):
    make_user("ada")
    unlimited = open_app(limits={"people.login.address": "3 per minute"})
    client = unlimited.test_client()
    answers = [
        guess(client, f"user{n}", headers={"X-Forwarded-For": f"10.0.0.{n}",
                                           "X-Real-IP": f"10.1.1.{n}",
                                           "Forwarded": f"for=10.2.2.{n}"})
        for n in range(4)
    ]  # fmt: skip
    assert answers == [401, 401, 401, 429]
    forwarded = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https",
                 "X-Forwarded-Prefix": "/evil", "X-Forwarded-Server": "evil.example"}  # fmt: skip
    page = app.test_client().get("/login", headers=forwarded)
    assert "evil" not in page.text and "evil" not in page.headers.get("Location", "")
    behind = open_app(limits={"people.login.address": "3 per minute"}, trusted_proxies=1)
    client = behind.test_client()
    answers = [
        guess(client, f"user{n}", headers={"X-Forwarded-For": f"10.0.0.{n}, 192.0.2.7"})
        for n in range(4)
    ]
    assert answers == [401, 401, 401, 429], "only the last hop is the proxy's word"


@row("header-injection")
def test_a_line_break_ends_no_header(school, app):
    ada, tess = school.log_in("ada"), school.log_in("tess")
    evil = "x\r\nSet-Cookie: proctor=evil\r\n\r\n<script>"
    answers = [
        app.test_client().post(
            "/login", data={"username": "ada", "password": PASSWORD, "next": "/" + evil}
        ),
        app.test_client().get("/login", query_string={"next": "/" + evil}),
        ada.get("/labs/1/", query_string={"lang": evil}),
        ada.get("/%0d%0aSet-Cookie:%20proctor=evil"),
        tess.get("/staff/x%0d%0aSet-Cookie:%20a=b/gradebook.csv"),
        send(ada, school.ids["offering_id"], name="x/answer.py", key="k\r\nSet-Cookie: a=b"),
    ]
    for answer in answers:
        assert answer.status_code < 500
        for name, value in answer.headers:
            assert "\r" not in value and "\n" not in value
            assert "evil" not in value or name == "Location", name


@row("login-timing")
def test_a_known_and_an_unknown_name_cost_the_same_hashes(school, app, hashed):
    client, costs = app.test_client(), []
    for name in ("ada", "nobody", "", "tess", "' OR 1=1 --", "a" * 5000):
        before = hashed["all"]
        assert guess(client, name) == 401
        costs.append(hashed["all"] - before)
    assert costs == [1] * 6


@row("login-brute-force")
def test_guessing_at_one_account_ends_from_every_address(open_app, make_user, hashed):
    make_user("ada")
    app = open_app(limits={"people.login.username": "5 per minute"})
    answers = [
        guess(app.test_client(), name, environ_base={"REMOTE_ADDR": f"192.0.2.{n}"})
        for n, name in enumerate(["ada", "ADA", " ada ", "Ada", "ada\t", "ada", "aDa"])
    ]
    assert answers == [401] * 5 + [429] * 2
    assert hashed["all"] == 5
    other = app.test_client()
    make_user("bo")
    assert guess(other, "bo", PASSWORD, environ_base={"REMOTE_ADDR": "192.0.2.1"}) == 302


@row("login-spraying")
def test_guessing_at_many_accounts_ends_for_that_address(open_app, make_user, hashed):
    make_user("ada")
    app = open_app(limits={"people.login.address": "5 per minute"})
    assert [guess(app.test_client(), f"u{n}") for n in range(7)] == [401] * 5 + [429] * 2
    assert hashed["all"] == 5
    # Logging in rightly does not buy new guesses.
    assert guess(app.test_client(), "ada", PASSWORD) == 429
    away = {"environ_base": {"REMOTE_ADDR": "192.0.2.9"}}
    assert guess(app.test_client(), "ada", PASSWORD, **away) == 302


@row("login-parallel", "login-memory")
def test_guesses_at_the_same_instant_are_counted_before_they_are_answered(
    open_app, make_user, monkeypatch
):
    """One guess in the middle of its hash; the others must not all pass the limit meanwhile."""
    make_user("ada")
    app = open_app(limits={"people.login.username": "3 per minute"})
    compared = _slow_hashing(monkeypatch)
    statuses, threads = [], []
    for _ in range(AT_ONCE):
        threads.append(
            threading.Thread(target=lambda: statuses.append(guess(app.test_client(), "ada")))
        )
        threads[-1].start()
    compared["go"].set()
    for thread in threads:
        thread.join(60)
    assert len(statuses) == AT_ONCE
    assert statuses.count(401) <= 3, sorted(statuses)
    assert set(statuses) == {401, 429}
    assert compared["most"] <= HASHES, "each hash takes 64 MiB"


HASHES = 4


def _slow_hashing(monkeypatch):
    """Make every comparison wait until it is told to go on; count how many wait at a time."""
    seen = {"now": 0, "most": 0, "go": threading.Event()}
    lock = threading.Lock()
    hasher = Passwords.matches

    def slow(self, stored, password):
        with lock:
            seen["now"] += 1
            seen["most"] = max(seen["most"], seen["now"])
        seen["go"].wait(30)
        try:
            return hasher(self, stored, password)
        finally:
            with lock:
                seen["now"] -= 1

    monkeypatch.setattr(Passwords, "matches", slow)
    return seen


@row("password-brute-force")
def test_guessing_the_old_password_ends_too(school):
    ada = school.log_in("ada")
    new = {"new": "another long password", "again": "another long password"}
    answers = [
        ada.post("/account/password", data=new | {"current": f"guess{n}"}).status_code
        for n in range(22)
    ]
    assert answers == [422] * 20 + [429] * 2
    assert ada.post("/account/password", data=new | {"current": PASSWORD}).status_code == 429
