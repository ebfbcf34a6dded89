"""Logging in and out, and what a stranger may not do meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from portal.audit.models import AuditEntry
from portal.people.models import User
from portal.platform.config import PasswordCost
from portal.platform.db import read_session
from portal.platform.passwords import Passwords

PASSWORD = "correct horse battery"
MakeUser = Callable[..., User]
OpenApp = Callable[..., Flask]


def send(client: FlaskClient, username: str, password: str, **more: str) -> int:
    form = {"username": username, "password": password, **more}
    return client.post("/login", data=form).status_code


def test_the_right_password_logs_in_and_is_recorded(
    client: FlaskClient, make_user: MakeUser, engine: Engine
) -> None:
    ada = make_user("ada")
    assert send(client, "  ADA ", PASSWORD) == 302
    assert "Hello, Ada" in client.get("/").text
    with read_session(engine) as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.actor_id) == ("login", ada.id)


@pytest.mark.parametrize("username", ["ada", "nobody", "", "' OR 1=1 --"])
def test_a_wrong_login_says_the_same_for_every_name(
    client: FlaskClient, make_user: MakeUser, username: str
) -> None:
    make_user("ada")
    answer = client.post("/login", data={"username": username, "password": "wrong"})
    assert answer.status_code == 401
    assert "The username or the password is wrong" in answer.text


def test_an_unknown_name_costs_a_hash_too(make_user: MakeUser, client: FlaskClient,
                                          monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    asked: list[bool] = []
    real = Passwords.matches

    def spy(self: Passwords, stored: str | None, password: str) -> bool:
        asked.append(stored is None)
        return real(self, stored, password)

    monkeypatch.setattr(Passwords, "matches", spy)
    send(client, "nobody", "wrong password")
    assert asked == [True]


def test_nothing_of_the_session_before_the_login_survives_it(
    client: FlaskClient, make_user: MakeUser
) -> None:
    make_user("ada")
    with client.session_transaction() as session:
        session["planted"] = "by an attacker"
        session["sid"] = "known to the attacker"
    send(client, "ada", PASSWORD)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session["sid"] != "known to the attacker"


def test_logging_out_ends_the_session(
    make_user: MakeUser, log_in: Callable[..., FlaskClient]
) -> None:
    make_user("ada")
    client = log_in("ada")
    assert client.post("/logout").status_code == 302
    assert client.get("/").status_code == 302


def test_logging_out_by_a_link_is_not_possible(client: FlaskClient) -> None:
    assert client.get("/logout").status_code == 405


@pytest.mark.parametrize(
    ("target", "lands"),
    [("/labs/1/", "/labs/1/"), ("//evil.example", "/"), ("https://evil.example/", "/")],
)
def test_after_the_login_only_local_pages_follow(
    client: FlaskClient, make_user: MakeUser, target: str, lands: str
) -> None:
    make_user("ada")
    form = {"username": "ada", "password": PASSWORD, "next": target}
    assert client.post("/login", data=form).location == lands


def test_guessing_at_one_account_is_slowed_down(open_app: OpenApp, make_user: MakeUser) -> None:
    make_user("ada")
    make_user("bo")
    app = open_app(limits={"people.login.username": "3 per minute"})
    client = app.test_client()
    assert [send(client, "ada", "wrong") for _ in range(4)] == [401, 401, 401, 429]
    assert send(client, "Ada ", PASSWORD) == 429
    assert send(client, "bo", PASSWORD) == 302


def test_nobody_locks_a_classmate_out(open_app: OpenApp, make_user: MakeUser) -> None:
    make_user("ada")
    app = open_app(limits={"people.login.pair": "3 per minute"})
    elsewhere, home = app.test_client(), app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "203.0.113.7"
    assert [send(elsewhere, "ada", "wrong") for _ in range(4)] == [401, 401, 401, 429]
    assert {send(elsewhere, "ada", "wrong") for _ in range(100)} == {429}
    assert send(home, "ada", PASSWORD) == 302


def test_guessing_from_one_address_is_slowed_down(open_app: OpenApp) -> None:
    app = open_app(limits={"people.login.address": "3 per minute"})
    client = app.test_client()
    answers = [send(client, f"user{number}", "wrong") for number in range(4)]
    assert answers == [401, 401, 401, 429]


def test_logging_in_rightly_often_is_not_guessing(open_app: OpenApp, make_user: MakeUser) -> None:
    make_user("ada")
    app = open_app(limits={"people.login.username": "2 per minute"})
    for _ in range(5):
        assert send(app.test_client(), "ada", PASSWORD) == 302


def test_a_hash_of_an_older_cost_is_renewed_at_login(
    open_app: OpenApp, engine: Engine, make_user: MakeUser
) -> None:
    before = make_user("ada").password_hash
    client = open_app(password_cost=PasswordCost(2, 16, 1)).test_client()
    assert send(client, "ada", PASSWORD) == 302
    with read_session(engine) as session:
        after = session.scalars(select(User.password_hash)).one()
    assert after != before and "m=16,t=2" in after
    assert client.get("/").status_code == 200


def change(client: FlaskClient, current: str, new: str, again: str = "") -> int:
    form = {"current": current, "new": new, "again": again or new}
    return client.post("/account/password", data=form).status_code


def test_a_new_password_ends_the_other_sessions(
    make_user: MakeUser, log_in: Callable[..., FlaskClient]
) -> None:
    make_user("ada")
    here, elsewhere = log_in("ada"), log_in("ada")
    assert change(here, PASSWORD, "another long password") == 302
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


@pytest.mark.parametrize(
    ("current", "new", "again"),
    [
        pytest.param("wrong", "another long password", "", id="current is wrong"),
        pytest.param(PASSWORD, "short", "", id="too short"),
        pytest.param(PASSWORD, "another long password", "a different one", id="typed twice unlike"),
        pytest.param(PASSWORD, PASSWORD, "", id="the same again"),
    ],
)
def test_a_password_is_not_changed_by_mistake(
    make_user: MakeUser, log_in: Callable[..., FlaskClient], current: str, new: str, again: str
) -> None:
    make_user("ada")
    assert change(log_in("ada"), current, new, again) == 422
    log_in("ada")


def test_an_initial_password_must_be_changed_first(
    make_user: MakeUser, log_in: Callable[..., FlaskClient]
) -> None:
    make_user("ada", must_change_password=True)
    client = log_in("ada")
    assert client.get("/").location == "/account/password"
    assert "Choose your own" in client.get("/account/password").text
    assert change(client, PASSWORD, "another long password") == 302
    assert client.get("/").status_code == 200


def test_a_forged_identity_is_nobody(app: Flask, make_user: MakeUser) -> None:
    ada = make_user("ada")
    for identity in ("", "x", f"{ada.id}", f"{ada.id}.", f"{ada.id}.é", "²", "99.abc"):
        client = app.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = identity
        assert client.get("/").status_code == 302, identity


@pytest.mark.parametrize("username", ["ada", "nobody-or-a-password"])
def test_a_failed_login_is_recorded_without_what_was_typed(
    client: FlaskClient, make_user: MakeUser, engine: Engine, username: str
) -> None:
    ada = make_user("ada")
    assert send(client, username, "a slip of the tongue") == 401
    with read_session(engine) as session:
        entry = session.scalars(select(AuditEntry)).one()
    meant = f"user:{ada.id}" if username == "ada" else "user:unknown"
    assert (entry.action, entry.actor_id, entry.subject) == ("login.failed", None, meant)
    assert entry.detail == {"address": "127.0.0.1"}
