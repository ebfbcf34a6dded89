"""Signing in with an account of the university: OpenID Connect's authorization code flow.

The provider says who somebody is; who may enter is said by the accounts here, which the roster
makes. So nobody gets an account by having one there, and administrators, who can do everything,
log in by password alone: a provider that lets people choose their names could name anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.api import clean
from portal.audit.service import record
from portal.people.login import begin_session
from portal.people.models import User
from portal.people.service import find_user
from portal.platform.errors import ConfigError, PortalError
from portal.platform.language import Phrase, lazy
from portal.platform.signon import BY_EMAIL, SignOn
from portal.platform.web import db_session, now, portal, writing

_EXTENSION = "portal.people.sign_on"
_DESTINATION = "sign_on_next"
_SECONDS = 10  # for each answer of the provider
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
        provider = portal().config.sign_on
    if provider is None:
        return
    try:
        from authlib.integrations.flask_client import OAuth
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"sso.toml asks for {error.name}, which is missing: install proctor-autograder[sso]"
        ) from None
    app.extensions[_EXTENSION] = OAuth(app).register(
        name="provider",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        server_metadata_url=provider.metadata,
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
            "default_timeout": _SECONDS,
        },
    )


def leave_for(provider: SignOn, destination: str) -> ResponseReturnValue:
    """Send the browser to the provider, to `come_back` and go on to `destination`.

    Raises SignOnFailed if the provider cannot be asked.
    """
    session[_DESTINATION] = destination
    here = url_for("people.signed_on", _external=True)
    answer: ResponseReturnValue = _asked(provider, lambda client: client.authorize_redirect(here))
    return answer


def come_back(provider: SignOn) -> ResponseReturnValue:
    """Log in whom the provider has named. Raises SignOnFailed if that is nobody here."""
    if "error" in request.args:
        raise SignOnFailed(
            lazy("The login at %(title)s was not finished. Try it again.", title=provider.title),
            403,
        )
    issued = {"iss": {"essential": True, "values": [provider.issuer]}}
    token = _asked(provider, lambda client: client.authorize_access_token(claims_options=issued))
    user = find_named(db_session(), provider, token.get("userinfo") or {})
    destination = session.get(_DESTINATION) or url_for("labs.home")
    with writing() as writer:
        record(
            writer,
            at=now(),
            actor_id=user.id,
            action="login",
            subject=f"user:{user.id}",
            by=provider.issuer,
        )
    begin_session(user, signed_on=True)
    return redirect(destination)


def find_named(session: Session, provider: SignOn, claims: dict[str, Any]) -> User:
    """Return the account here of the person that the provider's claims name.

    Raises SignOnFailed if there is none, or no single one, or it may not enter this way.
    """
    value = claims.get(provider.claim)
    name = value.strip() if isinstance(value, str) else ""
    if not name:
        raise SignOnFailed(
            lazy(
                "%(title)s does not say your %(claim)s. Tell your instructor, please.",
                title=provider.title,
                claim=provider.claim,
            ),
            403,
        )
    if provider.claim == BY_EMAIL:
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


def _asked(provider: SignOn, ask: Callable[[Any], Any]) -> Any:
    """Talk to the provider. Raises SignOnFailed, and tells the log why, if that leads nowhere."""
    from authlib.integrations.base_client import OAuthError
    from joserfc.errors import JoseError
    from requests import RequestException

    try:
        return ask(current_app.extensions[_EXTENSION])
    except OAuthError as error:
        logger.warning("a login by OpenID Connect was refused: %s", clean(str(error.error)))
        raise SignOnFailed(
            lazy("The login at %(title)s was not finished. Try it again.", title=provider.title),
            403,
        ) from None
    except (JoseError, RequestException, RuntimeError, ValueError) as error:
        logger.error("OpenID Connect failed: %s: %s", type(error).__name__, clean(str(error)))
        raise SignOnFailed(
            lazy(
                "%(title)s does not answer as it should. Try again in a minute, or log in with "
                "a password of this site.",
                title=provider.title,
            ),
            502,
        ) from None
