"""The tables of people and of their sessions.

What they may do in a term stands in their enrolment.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, UtcDateTime


class User(Base):
    """A person with an account."""

    __tablename__ = "user_account"  # "user" is a reserved word of PostgreSQL

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254), default="")
    display_name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(256))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    is_admin: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)  # False: closed, nobody can log in
    language: Mapped[str | None] = mapped_column(String(8))  # None: what the browser asks for
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    # What Flask-Login asks of a user; a closed account is never loaded.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return what a session cookie remembers; a new password ends every older session."""
        fingerprint = hashlib.sha256(self.password_hash.encode()).hexdigest()[:16]
        return f"{self.id}.{fingerprint}"


class LoginSession(Base):
    """A session that was begun by logging in. When the row is gone, so is the session."""

    __tablename__ = "login_session"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)  # of what the cookie holds
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
