"""Pages for a term's staff: the roster and its import."""

from __future__ import annotations

import base64

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user  # type: ignore[import-untyped]

from grader.api import encodings_of
from portal.courses.access import staff_term
from portal.courses.models import Role
from portal.courses.roster import (
    RosterChange,
    apply_import,
    passwords_csv,
    plan_import,
    prepare_passwords,
)
from portal.courses.rosterfile import read_roster
from portal.courses.service import roster_of, staff_terms
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.web import db_session, now, writing

blueprint = Blueprint("courses", __name__, url_prefix="/staff/<slug>/roster")
INSTRUCTORS = frozenset({Role.INSTRUCTOR})


@blueprint.app_context_processor
def _staff_terms() -> dict[str, object]:
    """Let every page name the terms whose staff the person is: their pages stand in a menu."""
    known = staff_terms(db_session(), me()) if current_user.is_authenticated else []
    return {"staff_terms": known}


@blueprint.get("")
def show(slug: str) -> ResponseReturnValue:
    """Show everybody in the term, and to instructors the import form."""
    return _roster_page(slug)


@blueprint.post("/preview")
def preview(slug: str) -> ResponseReturnValue:
    """Show what importing a file would change; nothing is changed yet.

    The page sends a file back under another encoding, if the one that was guessed is wrong.
    """
    staff_term(db_session(), slug, INSTRUCTORS)
    sent = request.files.get("file")
    data = sent.read() if sent else _sent_back()
    if not data:
        return _roster_page(slug, "no file was chosen, or it is empty; choose a CSV file")
    return _preview_page(slug, data)


@blueprint.post("/import")
def carry_out(slug: str) -> ResponseReturnValue:
    """Import a file that was previewed, all of it or nothing."""
    staff_term(db_session(), slug, INSTRUCTORS)
    data = _sent_back()
    try:
        file = read_roster(data, encoding=_chosen_encoding(data))
    except Invalid:
        return _roster_page(slug, "the preview was lost on the way; choose the file again")
    plan = plan_import(db_session(), staff_term(db_session(), slug), file, actor_id=me().id)
    if file.is_guess:  # nobody has said yet that the names are right
        return _preview_page(slug, data)
    if plan.problems or plan.fingerprint != request.form.get("fingerprint"):
        return _preview_page(slug, data, changed=True)
    prepared = prepare_passwords(plan)
    with writing() as session:
        term = staff_term(session, slug, INSTRUCTORS)
        # Between preview and now another import may have changed the ground.
        if plan_import(session, term, file, actor_id=me().id) != plan:
            raise Invalid("somebody else changed the roster at this moment; import the file again")
        issued = apply_import(session, term, plan, prepared, actor_id=me().id, now=now())
    encoded = base64.b64encode(passwords_csv(issued).encode()).decode()
    return render_template(
        "courses/imported.html",
        term=term,
        plan=plan,
        issued=issued,
        encoded=encoded,
        RosterChange=RosterChange,
    )


def _sent_back() -> bytes:
    """Return the file that a preview's form carries, nothing if it was changed on the way."""
    try:
        return base64.b64decode(request.form.get("roster", ""), validate=True)
    except ValueError:
        return b""


def _chosen_encoding(data: bytes) -> str | None:
    """Return the encoding that the form names, if the file can be read in it."""
    chosen = request.form.get("encoding")
    return chosen if chosen in encodings_of(data) else None


def _roster_page(slug: str, problem: str = "") -> ResponseReturnValue:
    session = db_session()
    term = staff_term(session, slug)
    own = [enrolment for enrolment in roster_of(session, term) if enrolment.user_id == me().id]
    may_import = me().is_admin or any(one.role is Role.INSTRUCTOR for one in own)
    page = render_template(
        "courses/roster.html",
        term=term,
        roster=roster_of(session, term),
        may_import=may_import,
        problem=problem,
    )
    return page, 422 if problem else 200


def _preview_page(slug: str, data: bytes, *, changed: bool = False) -> ResponseReturnValue:
    session = db_session()
    term = staff_term(session, slug, INSTRUCTORS)
    try:
        file = read_roster(data, encoding=_chosen_encoding(data))
    except Invalid as problem:
        return _roster_page(slug, str(problem))
    plan = plan_import(session, term, file, actor_id=me().id)
    page = render_template(
        "courses/preview.html",
        term=term,
        plan=plan,
        file=file,
        encodings=encodings_of(data),
        roster=base64.b64encode(data).decode(),
        changed=changed,
        RosterChange=RosterChange,
    )
    return page, 422 if plan.problems else 200
