"""Error pages: what happened and what to do, never a traceback."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from portal.platform.errors import Invalid, UnknownDigest, WriteTimeout
from portal.platform.feature import takes_uploads
from portal.platform.language import Phrase, gettext, lazy
from portal.platform.web import end_reading


@dataclass(frozen=True)
class ErrorPage:
    """The title of an error page and the way out."""

    title: Phrase
    advice: Phrase


ERROR_PAGES = {
    400: ErrorPage(
        lazy("This request could not be read"),
        lazy("Go back, reload the page and try again."),
    ),
    403: ErrorPage(
        lazy("You may not do this"),
        lazy("Log in with the account that may, or ask your instructor."),
    ),
    404: ErrorPage(
        lazy("There is nothing here for you"),
        lazy(
            "The address is wrong, or it belongs to somebody else. Start again from the home page."
        ),
    ),
    405: ErrorPage(
        lazy("This page cannot be used that way"),
        lazy("Go back and use the page's own buttons."),
    ),
    413: ErrorPage(
        lazy("This upload is too large"),
        lazy(
            "Send the files the lab asks for and nothing else: no data sets, no checkpoints, no "
            "virtual environment. It cost no attempt."
        ),
    ),
    422: ErrorPage(
        lazy("This cannot be done"),
        lazy("Go back, mend what is named above and send it again."),
    ),
    429: ErrorPage(
        lazy("Too many tries"),
        lazy("Wait a few minutes and try again. If you forgot your password, ask your instructor."),
    ),
    500: ErrorPage(
        lazy("Something broke on our side"),
        lazy(
            "It was not your fault and cost no attempt. It has been logged; try again in a minute."
        ),
    ),
    503: ErrorPage(
        lazy("The portal is busy"),
        lazy("Nothing was saved. Wait a quarter of a minute, go back and send it again."),
    ),
}
RETRY_SECONDS = 15  # after which who was told that the portal is busy may try again
_TOO_MANY_UPLOADS = ErrorPage(
    lazy("Too many uploads at once"),
    lazy(
        "This one was not taken and cost no attempt. Wait a minute, then go back and send it "
        "again; what you sent before is safe."
    ),
)


def failure_page(status: int, detail: str = "") -> ResponseReturnValue:
    """Render the page of a status, or a JSON object for a client that asks for one."""
    words = _words(status)
    # The page reads who is logged in. A failed query leaves PostgreSQL's transaction unusable.
    end_reading()
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}
    if request.accept_mimetypes.best == "application/json":
        said = {"error": str(words.title), "detail": detail, "advice": str(words.advice)}
        return jsonify(said), status, headers
    page = render_template("error.html", status=status, words=words, detail=detail)
    return page, status, headers


def _words(status: int) -> ErrorPage:
    """Return what a page of a status says, to whoever sent too much at once of what they sent."""
    if status == 429 and takes_uploads(request.endpoint):
        return _TOO_MANY_UPLOADS
    return ERROR_PAGES.get(status, ERROR_PAGES[500 if status >= 500 else 400])


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(Invalid, lambda error: failure_page(422, str(error)))
    app.register_error_handler(UnknownDigest, lambda _error: failure_page(404))
    app.register_error_handler(WriteTimeout, lambda _error: failure_page(503))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:
        return error
    return failure_page(error.code)


def _forged(_error: CSRFError) -> ResponseReturnValue:
    return failure_page(
        400,
        gettext(
            "The form carried no valid token. This happens when you logged out or in again in "
            "another tab, or when cookies are blocked."
        ),
    )
