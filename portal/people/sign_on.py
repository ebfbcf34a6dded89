"""Signing in with an account of the university: OpenID Connect's authorization code flow.

The provider says who somebody is; who may enter is said by the accounts here, which the roster
makes. So nobody gets an account by having one there, and administrators, who can do everything,
log in by password alone: a provider that lets people choose their names could name anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, current_app, redirect, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.api import clean
from portal.audit.service import record
from portal.people.login import begin_session
from portal.people.models import User
from portal.people.service import find_user
from portal.people.sessions import open_session
from portal.platform.errors import ConfigError, PortalError
from portal.platform.language import Phrase, lazy
from portal.platform.signon import BY_EMAIL, NotAnswered, NotFinished, SignOn
from portal.platform.web import db_session, now, portal, writing

_EXTENSION = "portal.people.sign_on"
_DESTINATION = "sign_on_next"
_SHOWN = 80  # characters of a name that the provider says

logger = logging.getLogger(__name__)


class SignOnFailed(PortalError):
    """Nobody is logged in; `phrase` says why to the person, `status` to the browser."""

    def __init__(self, phrase: Phrase, status: int) -> None:
        super().__init__(phrase.source)
        self.phrase, self.status = phrase, status


def init_app(app: Flask) -> None:
    """Get ready to talk to the provider, if there is one.

    Raises ConfigError if the library for it is missing.
    """
    with app.app_context():
        there = portal().config.sign_on
    if there is None:
        return
    try:
        from portal.people.provider import Provider
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"sso.toml asks for {error.name}, which is missing: install proctor-autograder[sso]"
        ) from None
    app.extensions[_EXTENSION] = Provider(app, there)


def leave_for(there: SignOn, destination: str) -> ResponseReturnValue:
    """Send the browser to the provider, to `come_back` and go on to `destination`.

    Raises SignOnFailed if the provider cannot be asked.
    """
    session[_DESTINATION] = destination
    back = url_for("people.signed_on", _external=True)
    with _explained(there):
        answer: ResponseReturnValue = current_app.extensions[_EXTENSION].leave_for(back)
    return answer


def come_back(there: SignOn) -> ResponseReturnValue:
    """Log in whom the provider has named. Raises SignOnFailed if that is nobody here."""
    with _explained(there):
        claims = current_app.extensions[_EXTENSION].claims()
    user = find_named(db_session(), there, claims)
    destination = session.get(_DESTINATION) or url_for("labs.home")
    with writing() as writer:
        record(
            writer,
            at=now(),
            actor_id=user.id,
            action="login",
            subject=f"user:{user.id}",
            by=there.issuer,
        )
        secret = open_session(writer, user.id, now=now())
    begin_session(user, secret, signed_on=True)
    return redirect(destination)


def find_named(session: Session, there: SignOn, claims: dict[str, Any]) -> User:
    """Return the account here of the person that the provider's claims name.

    Raises SignOnFailed if there is none, or no single one, or it may not enter this way.
    """
    value = claims.get(there.claim)
    name = value.strip() if isinstance(value, str) else ""
    if not name:
        raise SignOnFailed(
            lazy(
                "%(title)s does not say your %(claim)s. Tell your instructor, please.",
                title=there.title,
                claim=there.claim,
            ),
            403,
        )
    if there.claim == BY_EMAIL:
        user = _of_address(session, name, claims)
    else:
        user = find_user(session, name)
    if user is None or not user.active:
        raise SignOnFailed(
            lazy(
                "There you are %(name)s, and no account here has that name. Ask your instructor "
                "to add you to the course.",
                name=clean(name)[:_SHOWN],
            ),
            403,
        )
    if user.is_admin:
        raise SignOnFailed(lazy("Administrators log in with their password, below."), 403)
    return user


def _of_address(session: Session, address: str, claims: dict[str, Any]) -> User | None:
    """Return the one account of a verified address; two of them could be anybody's."""
    if claims.get("email_verified") is not True:
        return None
    found = session.scalars(
        select(User).where(func.lower(User.email) == address.lower()).limit(2)
    ).all()
    return found[0] if len(found) == 1 else None


@contextmanager
def _explained(there: SignOn) -> Iterator[None]:
    """Tell the log why the provider named nobody, and the person what to do."""
    try:
        yield
    except NotFinished as error:
        logger.warning("a login by OpenID Connect was not finished: %s", error)
        raise SignOnFailed(
            lazy("The login at %(title)s was not finished. Try it again.", title=there.title), 403
        ) from None
    except NotAnswered as error:
        logger.error("OpenID Connect failed: %s", error)
        raise SignOnFailed(
            lazy(
                "%(title)s does not answer as it should. Try again in a minute, or log in with "
                "a password of this site.",
                title=there.title,
            ),
            502,
        ) from None
