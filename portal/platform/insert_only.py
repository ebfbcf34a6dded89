"""Rows that are written once. What says when a student handed in must not be rewritten later."""

from __future__ import annotations

from sqlalchemy import Connection, event
from sqlalchemy.orm import Mapper, object_session

from portal.platform.db import Base


def insert_only(model: type[Base]) -> None:
    """Refuse every change and deletion of this model's rows through a session."""
    event.listen(model, "before_update", _refuse_change)
    event.listen(model, "before_delete", _refuse)


def _refuse_change(mapper: Mapper[Base], connection: Connection, target: Base) -> None:
    session = object_session(target)
    if session is not None and session.is_modified(target):
        _refuse(mapper, connection, target)


def _refuse(_mapper: Mapper[Base], _connection: Connection, target: Base) -> None:
    raise ValueError(f"rows of {target.__tablename__} are never changed; add a new one")
