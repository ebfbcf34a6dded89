"""The page of a term's extensions: who has more time or attempts, and giving some."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.courses.access import staff_term
from portal.courses.models import Enrolment, Offering
from portal.courses.service import students
from portal.courses.titles import lab_title
from portal.grants.models import MOST_ATTEMPTS
from portal.grants.service import MAX_REASON, give, grants_of
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.web import db_session, now, row_id, writing

blueprint = Blueprint("grants", __name__)


@blueprint.get("/staff/<slug>/extensions")
def show(slug: str) -> ResponseReturnValue:
    """Show what has been granted in a term, and the form to grant more."""
    return _page(slug)


@blueprint.post("/staff/<slug>/extensions")
def grant(slug: str) -> ResponseReturnValue:
    """Grant a student more time or attempts, or take it back, and show the page again."""
    term = staff_term(db_session(), slug)
    form = request.form
    student, lab = form.get("student", type=row_id), form.get("offering", type=row_id)
    if student is None or lab is None:
        return _page(slug, gettext("choose a student and a lab")), 422
    try:
        with writing() as session:
            enrolment, offering = session.get(Enrolment, student), session.get(Offering, lab)
            if enrolment is None or offering is None:
                abort(404)
            if enrolment.term_id != term.id or offering.term_id != term.id:
                abort(404)
            given = give(
                session,
                enrolment=enrolment,
                offering=offering,
                due=form.get("due", ""),
                attempts=form.get("attempts", ""),
                reason=form.get("reason", ""),
                author_id=me().id,
                now=now(),
            )
            whose = {"name": enrolment.user.display_name, "lab": lab_title(offering)}
            if given.is_empty:
                flash(gettext("Taken back: %(name)s, %(lab)s.", **whose), "success")
            else:
                flash(gettext("Granted: %(name)s, %(lab)s.", **whose), "success")
    except Invalid as problem:
        return _page(slug, str(problem)), 422
    return redirect(url_for("grants.show", slug=slug), 303)


def _page(slug: str, problem: str = "") -> str:
    term = staff_term(db_session(), slug)
    return render_template(
        "grants/show.html",
        term=term,
        grants=grants_of(db_session(), term),
        students=students(db_session(), term.id),
        offerings=[one for one in term.offerings if one.assignment_slug],
        problem=problem,
        sent=request.values,
        most_attempts=MOST_ATTEMPTS,
        max_reason=MAX_REASON,
    )
