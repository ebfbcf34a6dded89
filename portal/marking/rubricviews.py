"""Pages of the rubrics: the criteria by which people mark, and what changing them would do."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.courses.access import reader_veil, staff_term
from portal.courses.models import Offering, Term
from portal.marking.rubricform import CriterionRow, criteria_in, read_rows, rows_of
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext, ngettext
from portal.platform.web import db_session, now, portal, writing
from portal.standings.criteria import change_criteria, criteria_of, plan_criteria
from portal.standings.rubric import rubric_items

blueprint = Blueprint("rubric", __name__, url_prefix="/staff/<slug>/rubrics")


@blueprint.get("")
def show(slug: str) -> ResponseReturnValue:
    """List what people mark in a term, and how many criteria each has."""
    term = staff_term(db_session(), slug)
    found = [
        (offering, items, criteria_of(db_session(), offering.id))
        for offering in term.offerings
        if (items := rubric_items(portal().catalogue, offering))
    ]
    return render_template("marking/rubrics.html", term=term, found=found)


@blueprint.get("/<int:offering_id>")
def edit(slug: str, offering_id: int) -> ResponseReturnValue:
    """Show the criteria of a lab, to change them."""
    term = staff_term(db_session(), slug)
    offering = _offering(term, offering_id)
    items = rubric_items(portal().catalogue, offering)
    return _form(term, offering, rows_of(items, criteria_of(db_session(), offering.id)))


@blueprint.post("/<int:offering_id>")
def change(slug: str, offering_id: int) -> ResponseReturnValue:
    """Change the criteria; if marks would move, say whose first and wait to be told."""
    term = staff_term(db_session(), slug)
    offering = _offering(term, offering_id)
    items = rubric_items(portal().catalogue, offering)
    rows = read_rows(request.form)
    try:
        wanted = criteria_in(rows)
        plan = plan_criteria(db_session(), offering.id, items, wanted)
        seen = request.form.get("seen", "")
        if plan.marks and seen != plan.digest:
            return render_template(
                "marking/rubric_preview.html",
                term=term,
                offering=offering,
                veil=reader_veil(db_session(), term),
                plan=plan,
                rows=rows,
                changed=bool(seen),
            )
        with writing() as session:
            done = change_criteria(
                session,
                session.get_one(Offering, offering.id),
                items,
                wanted,
                actor_id=me().id,
                now=now(),
                seen=plan.digest,
            )
    except Invalid as problem:
        return _form(term, offering, rows, str(problem)), 422
    if not done.changes:
        flash(gettext("Nothing was changed."), "success")
    else:
        said = ngettext("%(num)s mark changed.", "%(num)s marks changed.", len(done.moved))
        flash(gettext("Saved.") + " " + said, "success")
    return redirect(url_for("rubric.edit", slug=slug, offering_id=offering_id), 303)


def _form(term: Term, offering: Offering, rows: Sequence[CriterionRow], problem: str = "") -> str:
    return render_template(
        "marking/rubric.html",
        term=term,
        offering=offering,
        items=rubric_items(portal().catalogue, offering),
        rows=rows,
        problem=problem,
    )


def _offering(term: Term, offering_id: int) -> Offering:
    found = next((one for one in term.offerings if one.id == offering_id), None)
    if found is None or not rubric_items(portal().catalogue, found):
        abort(404)
    return found
