"""The top navigation, by role, and the addresses of static files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, url_for
from flask_login import current_user  # type: ignore[import-untyped]
from sqlalchemy import select

from portal.courses.models import STAFF, Enrolment, Term
from portal.people.models import User
from portal.platform.web import db_session


@dataclass(frozen=True)
class StaffTerm:
    """A term whose staff pages the person may open."""

    slug: str
    title: str


def staff_terms(user: User) -> list[StaffTerm]:
    """Return the terms a person is staff of, newest first; all of them for an admin."""
    query = select(Term).order_by(Term.id.desc())
    if not user.is_admin:
        query = query.join(Enrolment).where(Enrolment.user_id == user.id, Enrolment.role.in_(STAFF))
    return [StaffTerm(term.slug, term.title) for term in db_session().scalars(query)]


def asset(filename: str) -> str:
    """Return the address of a static file, changed whenever its content changes."""
    folder = Path(str(current_app.static_folder))
    return url_for("static", filename=filename, v=_fingerprint(folder / filename))


@lru_cache
def _fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def init_app(app: Flask) -> None:
    """Give every template `asset` and the person's `staff_terms`."""
    app.context_processor(_context)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000  # addresses carry a fingerprint


def _context() -> dict[str, object]:
    known = staff_terms(current_user) if current_user.is_authenticated else []
    return {"asset": asset, "staff_terms": known}
