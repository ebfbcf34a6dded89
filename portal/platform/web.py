"""What every view needs of the running portal: its parts, the request's session, the clock.

A view reads through `db_session`, which lives as long as the request, and writes through
`writing`, which commits when its block ends.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app, g
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.routing import IntegerConverter

from grader.api import Catalogue
from portal.platform.config import PortalConfig
from portal.platform.db import read_session, write_session
from portal.platform.passwords import Passwords
from portal.platform.store import Store

EXTENSION = "portal"
LARGEST_ID = 10**9 - 1  # within PostgreSQL's INTEGER; a larger number would break the query


class RowId(IntegerConverter):
    """``<int:...>`` in an address: the id of a row, so a number that no row can have is a 404.

    By its digits, not by its size: an address of another method would otherwise answer 405.
    """

    regex = r"\d{1,9}"


def row_id(text: str) -> int:
    """Read a row's id from a query; ValueError if it is none."""
    number = int(text)
    if not 0 <= number <= LARGEST_ID:
        raise ValueError("no row has this id")
    return number


@dataclass(frozen=True)
class Portal:
    """The parts a running portal is made of."""

    config: PortalConfig
    engine: Engine
    store: Store
    catalogue: Catalogue
    passwords: Passwords
    clock: Callable[[], datetime]


def portal() -> Portal:
    """Return the parts of the app that handles this request."""
    return cast(Portal, current_app.extensions[EXTENSION])


def now() -> datetime:
    """Return the current instant by the app's clock, which tests set."""
    return portal().clock()


def note_begin() -> None:
    """Remember when a request began, before anything waits for its body."""
    g.began = now()


def begin_at(instant: datetime) -> None:
    """Have this request count as begun at another instant than it was."""
    g.began = instant


def began() -> datetime:
    """Return when this request began: what is sent at 23:59 counts, however long it takes."""
    return cast(datetime, g.began)


def db_session() -> Session:
    """Return this request's read-only session; it closes when the request ends."""
    if "db_session" not in g:
        g.db_context = read_session(portal().engine)
        g.db_session = g.db_context.__enter__()
    return cast(Session, g.db_session)


def writing() -> AbstractContextManager[Session]:
    """Open a write transaction, committed when the block ends.

    Rows read before it may be old: read again inside what the decision depends on. The request's
    own session gives its connection back first: requests that each held one and waited for a
    second would use up the pool and wait for each other.
    """
    if "db_session" in g:
        g.db_session.commit()
    return write_session(portal().engine)


def end_reading(_error: BaseException | None = None) -> None:
    """Close this request's read session, so that the next `db_session` sees what was written."""
    context = g.pop("db_context", None)
    g.pop("db_session", None)
    if context is not None:
        context.__exit__(None, None, None)


def init_app(app: Flask, parts: Portal) -> None:
    """Give the app its parts."""
    app.extensions[EXTENSION] = parts
    app.url_map.converters["int"] = RowId
    app.teardown_request(end_reading)
