"""The page of what waits for a term's staff."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.courses.access import reader_veil, staff_term
from portal.inbox.service import inbox
from portal.people.login import me
from portal.platform.web import db_session, now, portal

blueprint = Blueprint("inbox", __name__)


@blueprint.get("/staff/<slug>/inbox")
def show(slug: str) -> ResponseReturnValue:
    """Show what waits, the oldest of each kind first."""
    term = staff_term(db_session(), slug)
    waiting = inbox(db_session(), portal().catalogue, term, reader_id=me().id, now=now())
    return render_template(
        "inbox/show.html", term=term, inbox=waiting, now=now(), veil=reader_veil(db_session(), term)
    )
