"""Headers, CSRF, error pages and guards hold on the app as it is served."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from support.uploads import token_of

from portal.courses.models import Enrolment, Role, Term
from portal.platform.security import local_path

Member = Callable[..., Enrolment]
LogIn = Callable[[str], FlaskClient]


def test_every_page_carries_the_protecting_headers(client: FlaskClient) -> None:
    headers = client.get("/login").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "no-store" in headers["Cache-Control"]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_nonce_is_new_in_every_answer(client: FlaskClient) -> None:
    def nonce() -> str:
        policy = client.get("/login").headers["Content-Security-Policy"]
        return re.findall(r"nonce-([^']+)", policy)[0]

    assert nonce() != nonce()


def test_the_session_cookie_is_out_of_reach_of_scripts(
    make_member: Member, app: Flask, client: FlaskClient
) -> None:
    make_member("ada")
    form = {"username": "ada", "password": "correct horse battery"}
    cookie = client.post("/login", data=form).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


@pytest.mark.parametrize("path", ["/login", "/logout", "/account/password"])
def test_a_post_without_a_token_is_refused(strict_app: Flask, path: str) -> None:
    answer = strict_app.test_client().post(path, data={"username": "a", "password": "b"})
    assert answer.status_code == 400
    assert "no valid token" in answer.text


def test_every_route_that_changes_something_is_under_csrf(strict_app: Flask) -> None:
    """A new view cannot forget it: each POST route answers 400 to a post without a token."""
    for rule in strict_app.url_map.iter_rules():
        if "POST" in (rule.methods or ()):
            path = re.sub(r"<[^>]+>", "1", rule.rule)
            assert strict_app.test_client().post(path).status_code in {400, 404}, rule.rule


def test_a_form_with_its_token_is_taken(strict_app: Flask, make_member: Member) -> None:
    make_member("ada")
    client = strict_app.test_client()
    token = token_of(client.get("/login").text)
    form = {"username": "ada", "password": "correct horse battery", "csrf_token": token}
    assert client.post("/login", data=form).status_code == 302


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)",
     "/\t/evil.example", "/\n/evil", "", None, "evil"],
)  # fmt: skip
def test_a_target_elsewhere_is_no_local_path(target: str | None) -> None:
    assert local_path(target) is None


@given(st.text(alphabet="/\\:.@?#aevil\t\n %", max_size=12))
def test_a_local_path_never_leaves_the_site(target: str) -> None:
    if (path := local_path(target)) is not None:
        browser = path.replace("\\", "/").replace("\t", "").replace("\n", "")
        assert urlsplit(urljoin("https://here.example/login", browser)).netloc == "here.example"


def test_error_pages_help_and_show_no_traceback(strict_app: Flask) -> None:
    def broken() -> str:
        raise RuntimeError("SECRET-DETAIL")

    strict_app.view_functions["people.login"] = broken
    client = strict_app.test_client()
    page = client.get("/login")
    assert page.status_code == 500
    assert "not your fault" in page.text and "SECRET-DETAIL" not in page.text
    assert client.get("/nothing-here").status_code == 404
    answer = client.get("/nothing-here", headers={"Accept": "application/json"})
    assert answer.json is not None and answer.json["error"]


def test_an_upload_beyond_the_limit_is_refused_before_it_is_read(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 100
    answer = app.test_client().post("/login", data={"username": "a" * 1000})
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_health_is_open_to_everybody(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json and answer.json["status"]) == (200, "ok")


@pytest.mark.parametrize(
    "path", ["/", "/labs/1/", "/labs/1/skeleton.zip", "/staff/2026-autumn/roster"]
)
def test_without_a_session_every_page_leads_to_the_login(
    client: FlaskClient, term: Term, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")


@pytest.mark.parametrize(
    "path", ["/staff/2026-autumn/roster", "/staff/nope/roster", "/labs/2/", "/labs/999/"]
)
def test_what_is_not_for_a_student_is_not_there(
    make_member: Member, log_in: LogIn, path: str
) -> None:
    make_member("ada")
    assert log_in("ada").get(path).status_code == 404


def test_somebody_outside_the_term_sees_none_of_its_labs(
    make_user: Callable[..., object], term: Term, log_in: LogIn
) -> None:
    make_user("eve")
    assert log_in("eve").get("/labs/1/").status_code == 404
    assert log_in("eve").get("/labs/1/skeleton.zip").status_code == 404


def test_markup_in_a_name_is_shown_as_text(make_member: Member, log_in: LogIn) -> None:
    make_member("mal", display_name="<script>alert('x')</script>\"'")
    make_member("tom", Role.INSTRUCTOR)
    for page in (log_in("mal").get("/").text, log_in("tom").get("/staff/2026-autumn/roster").text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
