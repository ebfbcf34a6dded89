"""A provider of OpenID Connect on loopback, made with Authlib's own server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask, jsonify, request
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET = "proctor", "between the two of us"
PATH = "/.well-known/openid-configuration"


@dataclass
class Provider:
    """What the provider says of whoever comes, and how it misbehaves if it is told to."""

    claims: dict[str, Any] = field(default_factory=dict)  # of the person who is logged in there
    refuses: bool = False  # the person clicks "no"
    issuer: str = ""  # where it is
    signed_as: str = ""  # another issuer than it is, in its tokens
    nonce: str = ""  # another nonce than it was given
    strange_key: bool = False  # signs with a key that it does not publish
    broken: bool = False  # answers with errors
    redirects: list[str] = field(default_factory=list)  # where it may send people back to
    codes: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Client(ClientMixin):  # type: ignore[misc]
    provider: Provider

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return self.provider.redirects[0]

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.provider.redirects

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class _Code:
    """What a code stands for: the names are Authlib's."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> None:
        return None

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


def _grants(provider: Provider, key: RSAKey) -> tuple[type, type]:
    class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        def save_authorization_code(self, code: str, asked: Any) -> None:
            data = asked.payload.data
            provider.codes[code] = _Code(
                code,
                asked.payload.redirect_uri,
                asked.payload.scope,
                data.get("nonce"),
                data.get("code_challenge"),
                data.get("code_challenge_method"),
            )

        def query_authorization_code(self, code: str, client: Any) -> _Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            provider.codes.pop(authorization_code.code)

        def authenticate_user(self, authorization_code: _Code) -> dict[str, Any]:
            return provider.claims

    class IdToken(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return False

        def resolve_client_private_key(self, client: Any) -> RSAKey:
            return _new_key() if provider.strange_key else key

        def get_client_claims(self, client: Any) -> dict[str, Any]:
            return {"iss": provider.signed_as or provider.issuer}

        def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
            forged = {"nonce": provider.nonce} if provider.nonce else {}
            return UserInfo({"sub": "1", **user, **forged})

    return CodeGrant, IdToken


def _new_key() -> RSAKey:
    return RSAKey.generate_key(parameters={"kid": "one"})


def _app(provider: Provider) -> Flask:
    app = Flask("provider")
    key = _new_key()
    server = AuthorizationServer(
        app, query_client=lambda _id: _Client(provider), save_token=lambda _token, _request: None
    )
    code, id_token = _grants(provider, key)
    server.register_grant(code, [id_token(), CodeChallenge(required=True)])

    @app.before_request
    def _break() -> Any:
        return ("no", 500) if provider.broken else None

    @app.get(PATH)
    def metadata() -> Any:
        here = provider.issuer
        return jsonify(
            issuer=here,
            authorization_endpoint=f"{here}/authorize",
            token_endpoint=f"{here}/token",
            jwks_uri=f"{here}/keys",
            id_token_signing_alg_values_supported=["RS256"],
        )

    @app.get("/keys")
    def keys() -> Any:
        return jsonify(keys=[key.as_dict(private=False)])

    @app.get("/authorize")
    def authorize() -> Any:
        grant = server.get_consent_grant(end_user=provider.claims)
        user = None if provider.refuses else provider.claims
        return server.create_authorization_response(grant_user=user, grant=grant)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response(request)

    return app


@contextmanager
def identity_provider() -> Iterator[Provider]:
    """Serve a provider for the length of the block."""
    provider = Provider()
    server = make_server("127.0.0.1", 0, _app(provider), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
