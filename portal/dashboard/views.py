"""The dashboard page."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from portal.courses.access import staff_term
from portal.dashboard.charts import charts
from portal.dashboard.service import dashboard
from portal.platform.web import db_session, now, portal
from portal.standings.rubric import is_by_rank

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/staff/<slug>/dashboard")
def show(slug: str) -> ResponseReturnValue:
    """Show how one lab goes: the one asked for, else the one that opened last."""
    term = staff_term(db_session(), slug)
    labs = [
        one
        for one in term.offerings
        if one.assignment_slug and not is_by_rank(portal().catalogue, one)
    ]
    wanted = request.args.get("offering", type=int)
    if wanted is not None:
        offering = next((one for one in labs if one.id == wanted), None)
        if offering is None:
            abort(404)
    else:
        started = [one for one in labs if one.opens_at <= now()]
        offering = max(started or labs[:1], key=lambda one: one.opens_at, default=None)
    if offering is None:
        return render_template("dashboard/empty.html", term=term)
    board = dashboard(db_session(), portal().catalogue, offering)
    return render_template(
        "dashboard/show.html", term=term, labs=labs, board=board, charts=charts(board)
    )
