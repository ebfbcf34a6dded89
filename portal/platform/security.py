"""What protects every page: headers, the script policy, CSRF, sessions, rate limits."""

from __future__ import annotations

import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user  # type: ignore[import-untyped]
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]
from werkzeug.middleware.proxy_fix import ProxyFix

from grader.api import clean, invisible
from portal.platform.config import PortalConfig
from portal.platform.feature import takes_uploads
from portal.platform.web import note_begin

csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address, storage_uri="memory://", headers_enabled=True)

_SMALL_FORM = 1_000_000  # bytes; a roster in a form has 400,000

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)


def settings(config: PortalConfig) -> dict[str, object]:
    """Return the Flask settings that matter for safety."""
    return {
        "SECRET_KEY": config.secret_key,
        "TESTING": config.testing,
        "MAX_CONTENT_LENGTH": (config.upload_limit_mb + 1) * 1024 * 1024,
        "SESSION_COOKIE_NAME": "proctor",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": config.https,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=7),
        # A slow response must not bring back the cookie of a session that has ended meanwhile.
        "SESSION_REFRESH_EACH_REQUEST": False,
        # As long as the session: a page left open all day must still take the upload at 23:58.
        "WTF_CSRF_TIME_LIMIT": None,
        "RATELIMIT_ENABLED": True,
    }


def local_path(target: str | None) -> str | None:
    """Return `target` if it is a path on this site, else None (no open redirects)."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    # Browsers read a backslash as a slash and drop control characters before they parse.
    if "\\" in target or any(ord(character) < 32 for character in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


def init_app(app: Flask, config: PortalConfig) -> None:
    """Switch the protections on."""
    app.config.update(settings(config))
    app.before_request(note_begin)
    app.before_request(_refuse_bulk)  # before the CSRF check, which reads the whole form
    csrf.init_app(app)
    limiter.init_app(app)
    app.before_request(_refuse_hidden)
    app.before_request(_make_nonce)
    app.after_request(_add_headers)
    app.context_processor(lambda: {"csp_nonce": _nonce()})
    # Staff read reports whole: what student code printed and raised is cleaned where it is shown.
    app.add_template_filter(clean)
    if config.https:
        app.after_request(_add_transport_security)
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )


def _refuse_bulk() -> None:
    """Refuse a large body before it is read, unless somebody with an account sends an upload.

    Large parts of a form lie on the disk while they are read: strangers could fill it.
    """
    size = request.content_length
    if (size is None and not request.headers.get("Transfer-Encoding")) or (
        size is not None and size <= _SMALL_FORM
    ):
        return
    if not takes_uploads(request.endpoint) or not current_user.is_authenticated:
        abort(413)


def _refuse_hidden() -> None:
    """Refuse hidden characters in addresses, and NUL, which PostgreSQL keeps in no column.

    An address stands in the log, where a line break or a terminal command would forge it. Names
    of files are cleaned instead. It comes after the CSRF check, so that a form without a token
    says that and nothing else.
    """
    if any(map(invisible, request.path)):
        abort(400)
    sent = [*request.args.items(multi=True), *request.form.items(multi=True)]
    if any("\0" in name or "\0" in value for name, value in sent):
        abort(400)


def _make_nonce() -> None:
    g.csp_nonce = secrets.token_urlsafe(18)


def _nonce() -> str:
    if "csp_nonce" not in g:
        _make_nonce()
    return str(g.csp_nonce)


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=_nonce()))
    if request.endpoint != "static":
        # Shared machines: after logging out, "back" must not show somebody's grades.
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def _add_transport_security(response: Response) -> Response:
    response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
