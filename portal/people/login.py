"""Sessions: who is logged in, how a session begins, and what an unfinished account must do."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from flask import Flask, abort, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import (  # type: ignore[import-untyped]
    LoginManager,
    current_user,
    login_required,
    login_user,
    logout_user,
)

from portal.people.models import User
from portal.platform.web import db_session

P = ParamSpec("P")
R = TypeVar("R")

_ALLOWED_BEFORE_CHANGE = {
    "accounts.password",
    "accounts.set_password",
    "accounts.logout",
    "static",
    "healthz",
}


def require_login(view: Callable[P, R]) -> Callable[P, R]:
    """Send whoever is not logged in to the login page, and back afterwards."""
    return cast(Callable[P, R], login_required(view))


def me() -> User:
    """Return the logged-in person; 404 if nobody is, which `require_login` prevents."""
    if not current_user.is_authenticated:
        abort(404)
    return cast(User, current_user._get_current_object())


def begin_session(user: User) -> None:
    """Log a person in under a session that shares nothing with the one before (fixation)."""
    session.clear()
    session.permanent = True
    session["sid"] = secrets.token_urlsafe(16)
    login_user(user)


def end_session() -> None:
    """Log the person out and forget everything the session held."""
    logout_user()
    session.clear()


def load_user(identity: str) -> User | None:
    """Return the account a session names, None if its password has changed since."""
    number = identity.partition(".")[0]
    if not number.isdecimal():
        return None
    user = db_session().get(User, int(number))
    if user is None or not secrets.compare_digest(user.get_id().encode(), identity.encode()):
        return None
    return user


def init_app(app: Flask) -> None:
    """Set Flask-Login up."""
    manager = LoginManager(app)
    manager.login_view = "accounts.login"
    manager.login_message = "Please log in to see this page."
    manager.login_message_category = "info"
    manager.user_loader(load_user)
    app.before_request(_finish_account_first)


def _finish_account_first() -> ResponseReturnValue | None:
    """Send whoever still has the initial password, which staff know, to choose their own."""
    if request.endpoint in _ALLOWED_BEFORE_CHANGE or not current_user.is_authenticated:
        return None
    if not current_user.must_change_password:
        return None
    return redirect(url_for("accounts.password"))
