"""The page of a term's audit log."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.courses.access import staff_term
from portal.courses.models import Role
from portal.history.service import history_of
from portal.history.words import act, detail, value
from portal.platform.web import db_session

blueprint = Blueprint("history", __name__)
blueprint.add_app_template_filter(act)
blueprint.add_app_template_filter(detail)
blueprint.add_app_template_filter(value)


@blueprint.get("/staff/<slug>/history")
def show(slug: str) -> ResponseReturnValue:
    """Show who changed, viewed or downloaded what, the newest first."""
    term = staff_term(db_session(), slug, frozenset({Role.INSTRUCTOR}))
    action = request.args.get("action", "")
    page = history_of(
        db_session(), term, action=action, number=request.args.get("page", 1, type=int)
    )
    return render_template("history/show.html", term=term, page=page, action=action)
