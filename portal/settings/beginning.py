"""Pages for whoever leads a term already, and for administrators: making one by a course file."""

from __future__ import annotations

import base64

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.courses.access import require_leader
from portal.courses.models import Role
from portal.courses.service import enrol, known_term
from portal.people.models import User
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.web import db_session, now, portal, writing
from portal.settings.changes import apply_term, plan_term
from portal.settings.coursefile import example, read_course, sent_back, sent_file

blueprint = Blueprint("terms", __name__, url_prefix="/terms/new")


@blueprint.get("")
def begin() -> ResponseReturnValue:
    """Show the form that takes a course file, and what one looks like."""
    require_leader(db_session())
    return _page()


@blueprint.post("/preview")
def preview() -> ResponseReturnValue:
    """Show which term a course file would make; nothing is made yet."""
    require_leader(db_session())
    data = sent_file(request.files.get("file"))
    if not data:
        return _page(gettext("no file was chosen, or it is empty; choose a course file")), 422
    try:
        wanted = read_course(data)
    except Invalid as problem:
        return _page(str(problem)), 422
    if known_term(db_session(), wanted.slug) is not None:
        return _page(_taken(wanted.slug)), 422
    plan = plan_term(db_session(), portal().catalogue, None, wanted)
    page = render_template(
        "settings/begin_preview.html",
        wanted=wanted,
        plan=plan,
        course=base64.b64encode(data).decode(),
    )
    return page, 422 if plan.problems else 200


@blueprint.post("")
def make() -> ResponseReturnValue:
    """Make the term of a file that was previewed; who makes it leads it."""
    maker = require_leader(db_session())
    try:
        wanted = read_course(sent_back(request.form.get("course", "")))
        with writing() as session:
            if known_term(session, wanted.slug) is not None:
                raise Invalid(_taken(wanted.slug))
            term = apply_term(
                session, portal().catalogue, None, wanted, actor_id=maker.id, now=now()
            )
            if not maker.is_admin:  # who opens every term need not take part in it
                enrol(session, term, session.get_one(User, maker.id), Role.INSTRUCTOR)
    except Invalid as problem:
        return _page(str(problem)), 422
    flash(gettext("The term is made. Bring in its people next."), "success")
    return redirect(url_for("courses.show", slug=wanted.slug), 303)


def _page(problem: str = "") -> str:
    return render_template("settings/begin.html", problem=problem, example=example())


def _taken(slug: str) -> str:
    return gettext(
        "there is a term %(slug)r already; give the file another slug, or import it on the page of "
        "that term's settings",
        slug=slug,
    )
