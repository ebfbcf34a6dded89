"""Sessions as the database knows them: a cookie of one that has ended here is worth nothing."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.people.models import LoginSession, User

LIFETIME = timedelta(days=7)  # as long as the cookie


def open_session(session: Session, user_id: int, *, now: datetime) -> str:
    """Add a session of a person and return what its cookie holds; the caller commits.

    Rows of their sessions that are over by age go at the same time.
    """
    over = LoginSession.began_at < now - LIFETIME
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id, over))
    secret = secrets.token_urlsafe(16)
    session.add(LoginSession(digest=_digest(secret), user_id=user_id, began_at=now))
    return secret


def person_of(session: Session, secret: str, user_id: int) -> User | None:
    """Return a person by a session of theirs; None if it has ended, or is another person's."""
    return session.scalar(
        select(User)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(User.id == user_id, LoginSession.digest == _digest(secret))
    )


def close_session(session: Session, secret: str) -> None:
    """End a session wherever its cookie was copied to; the caller commits."""
    session.execute(delete(LoginSession).where(LoginSession.digest == _digest(secret)))


def close_all(session: Session, user_id: int) -> None:
    """End every session of a person; the caller commits."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
