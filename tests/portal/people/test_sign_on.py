"""Signing in with an account elsewhere, at a provider that really runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from support.identity import CLIENT, SECRET, Provider, identity_provider
from werkzeug.test import TestResponse

from portal.audit.models import AuditEntry
from portal.people.models import User
from portal.platform.db import read_session, write_session
from portal.platform.errors import ConfigError
from portal.platform.signon import FILE, SignOn, read_sign_on

MakeUser = Callable[..., User]
OpenApp = Callable[..., Flask]
RETURN = "http://localhost/login/provider/return"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # the provider, on loopback without TLS
    with identity_provider() as running:
        running.redirects.append(RETURN)
        running.claims = {"preferred_username": "ada"}
        yield running


@pytest.fixture
def browser(provider: Provider, open_app: OpenApp) -> Callable[..., FlaskClient]:
    def opened(**more: str) -> FlaskClient:
        there = SignOn(provider.issuer, CLIENT, SECRET, title="Example University", **more)
        return open_app(sign_on=there).test_client()

    return opened


def walk(client: FlaskClient, start: str = "/login/provider") -> TestResponse:
    """Click the button, be known there, and come back: the answer to coming back."""
    there = client.get(start)
    assert there.status_code == 302, there.text
    back = requests.get(there.location, allow_redirects=False, timeout=10)
    assert back.status_code == 302, back.text
    return client.get(back.headers["Location"].removeprefix("http://localhost"))


def test_who_is_known_there_is_logged_in_here(
    browser: Callable[..., FlaskClient], make_user: MakeUser, engine: Engine, provider: Provider
) -> None:
    ada, client = make_user("ada"), browser()
    assert "Log in at Example University" in client.get("/login").text
    answer = walk(client, "/login/provider?next=/account")
    assert (answer.status_code, answer.location) == (302, "/account")
    assert "Log out" in client.get("/account").text
    with read_session(engine) as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "login"))
        assert (entry.actor_id, entry.detail) == (ada.id, {"by": provider.issuer})


def test_nobody_is_asked_for_a_new_password_they_do_not_use(
    browser: Callable[..., FlaskClient], make_user: MakeUser
) -> None:
    make_user("ada", must_change_password=True)
    client = browser()
    walk(client)
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_sent_to_another_site(
    browser: Callable[..., FlaskClient], make_user: MakeUser, elsewhere: str
) -> None:
    make_user("ada")
    assert walk(browser(), f"/login/provider?next={elsewhere}").location == "/"


def refused(answer: TestResponse, status: int, words: str) -> bool:
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    return "Log out" not in answer.text


def test_who_has_no_account_here_gets_none(
    browser: Callable[..., FlaskClient], provider: Provider, engine: Engine
) -> None:
    provider.claims = {"preferred_username": "<b>eve</b>\x1b[31m"}
    answer = walk(browser())
    assert refused(answer, 403, "There you are &lt;b&gt;eve")
    assert "\x1b" not in answer.text
    with read_session(engine) as session:
        assert session.scalars(select(User)).all() == []


def test_a_closed_account_stays_closed(
    browser: Callable[..., FlaskClient], make_user: MakeUser, engine: Engine
) -> None:
    ada = make_user("ada")
    with write_session(engine) as session:
        session.get_one(User, ada.id).active = False
    assert refused(walk(browser()), 403, "no account here has that name")


def test_a_provider_makes_nobody_an_administrator(
    browser: Callable[..., FlaskClient], make_user: MakeUser
) -> None:
    make_user("ada", is_admin=True)
    assert refused(walk(browser()), 403, "Administrators log in with their password")


@pytest.mark.parametrize(
    ("claims", "known"),
    [
        ({"email": "Ada@Example.org", "email_verified": True}, True),
        ({"email": "ada@example.org", "email_verified": False}, False),
        ({"email": "ada@example.org"}, False),
        ({"email": "ada@example.org", "email_verified": "true"}, False),
        ({"email": "two@example.org", "email_verified": True}, False),
        ({"email": ["ada@example.org"], "email_verified": True}, False),
        ({"preferred_username": "ada"}, False),
    ],
)
def test_an_address_counts_if_it_is_verified_and_belongs_to_one_account(
    browser: Callable[..., FlaskClient],
    make_user: MakeUser,
    provider: Provider,
    claims: dict[str, object],
    known: bool,
) -> None:
    make_user("ada", email="ada@example.org")
    make_user("bob", email="two@example.org")
    make_user("cy", email="Two@example.org")
    provider.claims = claims
    assert walk(browser(claim="email")).status_code == (302 if known else 403)


@pytest.mark.parametrize(
    "wrong",
    [
        {"signed_as": "https://other.example"},
        {"nonce": "of another login"},
        {"strange_key": True},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_token_that_is_not_for_this_login_is_refused(
    browser: Callable[..., FlaskClient],
    make_user: MakeUser,
    provider: Provider,
    wrong: dict[str, object],
) -> None:
    make_user("ada")
    for name, value in wrong.items():
        setattr(provider, name, value)
    assert refused(walk(browser()), 502, "does not answer as it should")


def test_a_return_that_this_browser_did_not_begin_is_refused(
    browser: Callable[..., FlaskClient], make_user: MakeUser
) -> None:
    """Else a link could log somebody in under the account of whoever made it."""
    make_user("ada")
    client, victim = browser(), browser()
    there = client.get("/login/provider")
    back = requests.get(there.location, allow_redirects=False, timeout=10)
    path = back.headers["Location"].removeprefix("http://localhost")
    assert refused(victim.get(path), 403, "was not finished")
    assert client.get(path).status_code == 302
    assert refused(victim.get("/login/provider/return?code=x&state=y"), 403, "was not finished")


def test_who_says_no_there_reads_what_to_do(
    browser: Callable[..., FlaskClient], make_user: MakeUser, provider: Provider
) -> None:
    make_user("ada")
    provider.refuses = True
    assert refused(walk(browser()), 403, "was not finished. Try it again.")


def test_a_provider_that_is_down_leaves_the_password(
    browser: Callable[..., FlaskClient], make_user: MakeUser, provider: Provider
) -> None:
    make_user("ada")
    client = browser()
    provider.broken = True
    assert refused(client.get("/login/provider"), 502, "or log in with a password of this site")
    provider.broken = False
    assert walk(client).status_code == 302


def test_without_a_provider_there_is_no_such_page(client: FlaskClient) -> None:
    assert client.get("/login/provider").status_code == 404
    assert client.get("/login/provider/return?code=x&state=y").status_code == 404
    assert "Log in at" not in client.get("/login").text


GOOD = 'issuer = "https://login.example.edu"\nclient_id = "proctor"\nclient_secret = "s"\n'


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / FILE
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def test_the_file_says_with_whom_and_hides_the_secret(tmp_path: Path) -> None:
    assert read_sign_on(tmp_path / FILE) is None
    found = read_sign_on(write(tmp_path, GOOD + 'claim = "email"\n'))
    assert found is not None
    assert (found.issuer, found.claim) == ("https://login.example.edu", "email")
    assert "client_secret" not in repr(found)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (GOOD, 0o640, "chmod 600"),
        (GOOD + "issuer", 0o600, "is not TOML"),
        (GOOD.replace("https", "http"), 0o600, "must begin with https://"),
        (GOOD.replace("https://", "file:///"), 0o600, "must begin with https://"),
        (GOOD.replace('"s"', "7"), 0o600, "'client_secret' must be a text"),
        (GOOD.replace("client_id", "client"), 0o600, "'client_id' must be a text"),
        (GOOD + 'scope = "all"\n', 0o600, "'scope' is not known"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_mend(
    tmp_path: Path, text: str, mode: int, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        read_sign_on(write(tmp_path, text, mode))
