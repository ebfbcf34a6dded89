"""Pages: log in, log out, the account, the password, and the language of all pages."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from flask_login import current_user  # type: ignore[import-untyped]

from portal.audit.service import record
from portal.people import sign_on
from portal.people.guard import one_guess
from portal.people.login import (
    ask_for_account,
    begin_session,
    end_session,
    manager,
    me,
    own_language,
    session_secret,
)
from portal.people.service import (
    authenticate,
    change_account,
    change_password,
    find_user,
    refresh_hash,
)
from portal.people.sessions import close_all, close_session, open_session
from portal.platform.errors import Invalid
from portal.platform.feature import rate
from portal.platform.language import ask_first, choose, gettext, known, speaking
from portal.platform.security import limiter, local_path
from portal.platform.signon import SignOn
from portal.platform.web import db_session, now, portal, writing

blueprint = Blueprint("people", __name__)
blueprint.record_once(lambda state: manager.init_app(state.app))
blueprint.record_once(lambda state: ask_first(state.app, own_language))
blueprint.record_once(lambda state: sign_on.init_app(state.app))  # type: ignore[arg-type]
blueprint.before_app_request(ask_for_account)


def _typed_username() -> str:
    return request.form.get("username", "").strip().lower()


@blueprint.get("/login")
def login() -> ResponseReturnValue:
    """Show the form, or go on if the person is logged in already."""
    if current_user.is_authenticated:
        return redirect(_destination())
    return _login_page()


@blueprint.post("/login")
def log_in() -> ResponseReturnValue:
    """Check the password and begin a new session."""
    password = request.form.get("password", "")
    with one_guess(_typed_username()) as guess:
        user = authenticate(db_session(), portal().passwords, _typed_username(), password)
        guess.right = user is not None
    if user is None:
        _note_failure()
        return _login_page(username=_typed_username(), wrong=True), 401
    with writing() as session:
        refresh_hash(session, portal().passwords, user.id, password)
        record(session, at=now(), actor_id=user.id, action="login", subject=f"user:{user.id}")
        user = session.get_one(type(user), user.id)
        secret = open_session(session, user.id, now=now())
    begin_session(user, secret)
    return redirect(_destination())


@blueprint.get("/login/provider")
@limiter.limit(lambda: rate("people.sign_on"))
def sign_on_there() -> ResponseReturnValue:
    """Send the browser to the provider of identities."""
    if current_user.is_authenticated:
        return redirect(_destination())
    provider = _provider()
    try:
        return sign_on.leave_for(provider, _destination())
    except sign_on.SignOnFailed as failed:
        return _login_page(problem=str(failed.phrase)), failed.status


@blueprint.get("/login/provider/return")
@limiter.limit(lambda: rate("people.sign_on"))
def signed_on() -> ResponseReturnValue:
    """Log in whom the provider of identities has named."""
    provider = _provider()
    try:
        return sign_on.come_back(provider)
    except sign_on.SignOnFailed as failed:
        return _login_page(problem=str(failed.phrase)), failed.status


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session, here and wherever its cookie was copied to."""
    if current_user.is_authenticated:
        with writing() as session:
            close_session(session, session_secret())
    end_session()
    flash(gettext("You are logged out."), "info")
    return redirect(url_for("people.login"))


@blueprint.post("/language")
def speak() -> ResponseReturnValue:
    """Remember the language that a page's foot offers, and show that page again."""
    code = request.form.get("language", "")
    if known(code) is None:
        abort(404)
    choose(code)
    if current_user.is_authenticated:
        with writing() as session:
            change_account(session, me().id, email=me().email, language=code, now=now())
    return redirect(_destination(), 303)


@blueprint.get("/account")
def account() -> ResponseReturnValue:
    """Show what a person sets of their own account."""
    user = me()
    return render_template(
        "people/account.html", email=user.email, language=user.language or "", problem=""
    )


@blueprint.post("/account")
def set_account() -> ResponseReturnValue:
    """Change the e-mail and the language."""
    email, language = request.form.get("email", ""), request.form.get("language", "")
    try:
        with writing() as session:
            changed = change_account(
                session, me().id, email=email, language=language or None, now=now()
            )
    except Invalid as problem:
        page = render_template(
            "people/account.html", email=email, language=language, problem=str(problem)
        )
        return page, 422
    choose(language or None)
    with speaking(language or None):
        flash(gettext("Saved.") if changed else gettext("Nothing was changed."), "success")
    return redirect(url_for("people.account"), 303)


@blueprint.get("/account/password")
def password() -> ResponseReturnValue:
    """Show the form to change one's password."""
    return render_template("people/password.html", problem="")


@blueprint.post("/account/password")
@limiter.limit(lambda: rate("people.set_password"), key_func=lambda: f"password:{me().id}")
def set_password() -> ResponseReturnValue:
    """Change the password and end every other session of the account."""
    form = request.form
    try:
        if form.get("new", "") != form.get("again", ""):
            raise Invalid(gettext("the two new passwords differ; type the same one twice"))
        with writing() as session:
            user = change_password(
                session,
                portal().passwords,
                me().id,
                current=form.get("current", ""),
                new=form.get("new", ""),
            )
            record(
                session, at=now(), actor_id=user.id, action="password", subject=f"user:{user.id}"
            )
            close_all(session, user.id)
            secret = open_session(session, user.id, now=now())
    except Invalid as problem:
        return render_template("people/password.html", problem=str(problem)), 422
    begin_session(user, secret)
    flash(gettext("Your password is changed."), "success")
    return redirect(url_for("labs.home"))


def _note_failure() -> None:
    """Note a failed login in the audit log: the account, if there is one, and the address.

    What was typed is not kept, it may be a password; a name that nobody has costs as much time.
    """
    with writing() as session:
        meant = find_user(session, _typed_username())
        record(
            session,
            at=now(),
            actor_id=None,
            action="login.failed",
            subject=f"user:{meant.id}" if meant else "user:unknown",
            address=get_remote_address(),
        )


def _login_page(*, username: str = "", wrong: bool = False, problem: str = "") -> str:
    return render_template(
        "people/login.html",
        username=username,
        wrong=wrong,
        problem=problem,
        provider=portal().config.sign_on,
    )


def _provider() -> SignOn:
    return portal().config.sign_on or abort(404)


def _destination() -> str:
    return local_path(request.values.get("next")) or url_for("labs.home")
