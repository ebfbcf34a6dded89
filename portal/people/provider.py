"""Talking to a provider of OpenID Connect. Its libraries come with the extra `sso`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, request
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError
from requests import RequestException

from grader.api import clean
from portal.platform.signon import NotAnswered, NotFinished, SignOn

_SECONDS = 10  # for each answer of the provider


class Provider:
    """The authorization code flow of one app, with a proof key (RFC 7636)."""

    def __init__(self, app: Flask, there: SignOn) -> None:
        self._issuer = there.issuer
        self._client: Any = OAuth(app).register(
            name="provider",
            client_id=there.client_id,
            client_secret=there.client_secret,
            server_metadata_url=there.metadata,
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "default_timeout": _SECONDS,
            },
        )

    def leave_for(self, back: str) -> ResponseReturnValue:
        """Return what sends the browser there, to come back to the address `back`.

        Raises NotAnswered.
        """
        answer: ResponseReturnValue = _asked(lambda: self._client.authorize_redirect(back))
        return answer

    def claims(self) -> dict[str, Any]:
        """Return what the provider says of whoever this request brings back.

        Checked: that this browser left for it, who signed it, for whom, when, and in answer to
        what. Raises NotFinished and NotAnswered.
        """
        if "error" in request.args:
            raise NotFinished(clean(request.args["error"]))
        issued = {"iss": {"essential": True, "values": [self._issuer]}}
        token = _asked(lambda: self._client.authorize_access_token(claims_options=issued))
        return dict(token.get("userinfo") or {})


def _asked(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except OAuthError as error:
        raise NotFinished(clean(str(error.error))) from None
    except (JoseError, RequestException, RuntimeError, ValueError) as error:
        raise NotAnswered(f"{type(error).__name__}: {clean(str(error))}") from None
