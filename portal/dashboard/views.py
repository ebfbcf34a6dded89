"""The dashboard page."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from portal.courses.access import reader_veil, staff_term
from portal.courses.models import Offering, Term
from portal.dashboard.charts import charts
from portal.dashboard.service import dashboard, endings, item_titles, pass_rates
from portal.platform.web import db_session, now, portal
from portal.standings.rubric import is_by_rank

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/staff/<slug>/dashboard")
def show(slug: str) -> ResponseReturnValue:
    """Show how one lab goes: the one asked for, else the one that opened last."""
    term = staff_term(db_session(), slug)
    labs = _labs(term)
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
    veil = reader_veil(db_session(), term)
    board = dashboard(db_session(), portal().catalogue, offering, veil)
    return render_template(
        "dashboard/show.html",
        term=term,
        labs=labs,
        board=board,
        charts=charts(board),
        titles=item_titles(portal().catalogue, offering),
    )


@blueprint.get("/staff/<slug>/dashboard/<int:offering_id>/test")
def test(slug: str, offering_id: int) -> ResponseReturnValue:
    """Show how one test ended, for whom, with the submissions behind it."""
    term = staff_term(db_session(), slug)
    offering = next((one for one in _labs(term) if one.id == offering_id), None)
    if offering is None:
        abort(404)
    wanted = request.args.get("test", "")
    rate = next((one for one in pass_rates(db_session(), offering) if one.test == wanted), None)
    if rate is None:
        abort(404)
    return render_template(
        "dashboard/test.html",
        term=term,
        offering=offering,
        rate=rate,
        endings=endings(db_session(), offering, wanted, reader_veil(db_session(), term)),
        titles=item_titles(portal().catalogue, offering),
    )


def _labs(term: Term) -> list[Offering]:
    """Return what of a term has tests: what is scored by rank has a page of its own."""
    return [
        one
        for one in term.offerings
        if one.assignment_slug and not is_by_rank(portal().catalogue, one)
    ]
