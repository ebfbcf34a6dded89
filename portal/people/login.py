"""Sessions: who is logged in, how a session begins, and what an unfinished account must do."""

from __future__ import annotations

import secrets
from typing import cast

from flask import abort, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import (  # type: ignore[import-untyped]
    LoginManager,
    current_user,
    login_user,
    logout_user,
)

from portal.people.models import User
from portal.people.sessions import person_of
from portal.platform.feature import Audience, audience_of
from portal.platform.language import empty_session, lazy
from portal.platform.web import db_session

_COOKIE_KEY = "sid"
_BEFORE_CHANGE = {"people.password", "people.set_password"}
_SIGNED_ON = "signed_on"  # in the session: it began without a password of the portal

manager = LoginManager()
manager.login_view = "people.login"
manager.login_message = lazy("Please log in to see this page.")
manager.localize_callback = str
manager.login_message_category = "info"


def me() -> User:
    """Return the logged-in person; 404 if nobody is, as on a page for anybody."""
    if not current_user.is_authenticated:
        abort(404)
    return cast(User, current_user._get_current_object())


def begin_session(user: User, secret: str, *, signed_on: bool = False) -> None:
    """Log a person in under a session that has only the language of the one before (fixation).

    `secret` is of a session that `sessions.open_session` has opened; `signed_on`: a provider of
    identities has told who it is, not a password.
    """
    empty_session()
    session.permanent = True
    session[_COOKIE_KEY] = secret
    session[_SIGNED_ON] = signed_on
    login_user(user)


def session_secret() -> str:
    """Return what the request's cookie holds of its session; "" if it holds none."""
    return str(session.get(_COOKIE_KEY, ""))


def end_session() -> None:
    """Log the person out and forget everything the session held but the language."""
    logout_user()
    empty_session()


def own_language() -> str | None:
    """Return the language that the logged-in person has chosen; None if there is no choice."""
    return cast(User, current_user).language if current_user.is_authenticated else None


@manager.user_loader  # type: ignore[untyped-decorator]
def load_user(identity: str) -> User | None:
    """Return the account a session names; None if either is closed, or its password has changed."""
    number = identity.partition(".")[0]
    if not number.isdecimal():
        return None
    user = person_of(db_session(), session_secret(), int(number))
    if (
        user is None
        or not user.active
        or not secrets.compare_digest(user.get_id().encode(), identity.encode())
    ):
        return None
    return user


def ask_for_account() -> ResponseReturnValue | None:
    """Send strangers to the login, and back afterwards, unless a page is for anybody.

    Whoever still has the initial password, which staff know, is sent to choose their own first.
    """
    if audience_of(request.endpoint) in {None, Audience.ANYBODY}:
        return None
    if not current_user.is_authenticated:
        return cast(ResponseReturnValue, manager.unauthorized())
    pending = current_user.must_change_password and not session.get(_SIGNED_ON)
    if pending and request.endpoint not in _BEFORE_CHANGE:
        return redirect(url_for("people.password"))
    return None
