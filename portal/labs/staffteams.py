"""The teams of a term's labs as staff see them: moving people, renaming, and copying teams."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.courses.access import staff_term
from portal.courses.models import Offering, Term
from portal.labs import teaming
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext, ngettext
from portal.platform.web import db_session, now, row_id, writing
from portal.teams import service as teams
from portal.teams.by_staff import move_somebody, rename_a_team

blueprint = Blueprint("lab_teams_staff", __name__)


@blueprint.get("/staff/<slug>/teams")
def show(slug: str) -> ResponseReturnValue:
    """Show who is with whom in each lab that teams hand in."""
    term = staff_term(db_session(), slug)
    return render_template(
        "labs/teams.html",
        term=term,
        labs=teaming.teams_of_labs(db_session(), term),
        max_reason=teams.MAX_REASON,
    )


@blueprint.post("/staff/<slug>/teams/<int:offering_id>/moves")
def move(slug: str, offering_id: int) -> ResponseReturnValue:
    """Move a student to a team, or to one of their own."""
    _term_of(slug, offering_id)
    move_somebody(offering_id)
    return _back(slug, offering_id)


@blueprint.post("/staff/<slug>/teams/<int:offering_id>/names")
def rename(slug: str, offering_id: int) -> ResponseReturnValue:
    """Give a team another name, where the one it picked cannot stay."""
    _term_of(slug, offering_id)
    rename_a_team(offering_id)
    return _back(slug, offering_id)


@blueprint.post("/staff/<slug>/teams/<int:offering_id>/copies")
def copy(slug: str, offering_id: int) -> ResponseReturnValue:
    """Form the teams of another lab here too, of those who are alone."""
    term = _term_of(slug, offering_id)
    wanted = request.form.get("earlier", type=row_id)
    if wanted is None:
        raise Invalid(gettext("choose a lab"))
    with writing() as session:
        offering = teams.lock(session, offering_id)
        earlier = session.get(Offering, wanted)
        if earlier is None or earlier.term_id != term.id:
            abort(404)
        formed = teaming.copy_teams(session, offering, earlier, actor_id=me().id, now=now())
    flash(ngettext("%(num)s team was formed.", "%(num)s teams were formed.", formed), "success")
    return _back(slug, offering_id)


def _term_of(slug: str, offering_id: int) -> Term:
    """Return the term of a lab that teams hand in, to its staff; else answer 404."""
    term = staff_term(db_session(), slug)
    offering = db_session().get(Offering, offering_id)
    if offering is None or offering.term_id != term.id or not teaming.has_teams(offering):
        abort(404)
    return term


def _back(slug: str, offering_id: int) -> ResponseReturnValue:
    return redirect(url_for("lab_teams_staff.show", slug=slug, _anchor=f"lab-{offering_id}"), 303)
