"""Pages for a term's staff: the roster and its import."""

from __future__ import annotations

import base64

from flask import (
    Blueprint,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user  # type: ignore[import-untyped]
from sqlalchemy.orm import Session

from grader.api import encodings_of
from portal.courses.access import staff_term
from portal.courses.members import change_member, may_reset, reset_password
from portal.courses.models import Enrolment, Role, Term
from portal.courses.roster import (
    RosterChange,
    apply_import,
    passwords_csv,
    plan_import,
    prepare_passwords,
)
from portal.courses.rosterfile import one_line_file, read_roster
from portal.courses.service import roster_of, staff_terms
from portal.courses.titles import lab_title
from portal.courses.words import said
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.web import db_session, now, writing

blueprint = Blueprint("courses", __name__, url_prefix="/staff/<slug>/roster")
INSTRUCTORS = frozenset({Role.INSTRUCTOR})


blueprint.add_app_template_filter(lab_title)


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
        return _roster_page(slug, gettext("no file was chosen, or it is empty; choose a CSV file"))
    return _preview_page(slug, data)


@blueprint.post("/import")
def carry_out(slug: str) -> ResponseReturnValue:
    """Import a file that was previewed, all of it or nothing."""
    staff_term(db_session(), slug, INSTRUCTORS)
    data = _sent_back()
    try:
        file = read_roster(data, encoding=_chosen_encoding(data))
    except Invalid:
        return _roster_page(slug, gettext("the preview was lost on the way; choose the file again"))
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
            raise Invalid(
                gettext("somebody else changed the roster at this moment; import the file again")
            )
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


@blueprint.post("/add")
def add(slug: str) -> ResponseReturnValue:
    """Show what adding one person would change, as if they stood alone in a file."""
    staff_term(db_session(), slug, INSTRUCTORS)
    columns = ("username", "name", "email", "student_number", "role")
    return _preview_page(slug, one_line_file(columns, [request.form.get(n, "") for n in columns]))


@blueprint.get("/<int:enrolment_id>")
def member(slug: str, enrolment_id: int) -> ResponseReturnValue:
    """Show one person's place in the term."""
    return _member_page(slug, enrolment_id)


@blueprint.post("/<int:enrolment_id>")
def change(slug: str, enrolment_id: int) -> ResponseReturnValue:
    """Change one person's place in the term."""
    term = staff_term(db_session(), slug, INSTRUCTORS)
    found = _member(db_session(), term, enrolment_id)
    form = request.form
    try:
        if form.get("role") not in set(Role):
            raise Invalid(gettext("choose a role from the list"))
        with writing() as session:
            made = change_member(
                session,
                _member(session, term, enrolment_id),
                role=Role(form["role"]),
                student_number=form.get("student_number", ""),
                active=bool(form.get("active")),
                actor=me(),
                now=now(),
            )
    except Invalid as problem:
        return _member_page(slug, enrolment_id, problem=str(problem)), 422
    arrows = (
        f"{said(name)}: {said(old or 'none')} → {said(new or 'none')}"
        for name, (old, new) in made.items()
    )
    what = "; ".join(arrows) or gettext("nothing was changed")
    flash(gettext("%(name)s: %(what)s.", name=found.user.display_name, what=what), "success")
    return redirect(url_for("courses.show", slug=slug), 303)


@blueprint.post("/<int:enrolment_id>/password")
def new_password(slug: str, enrolment_id: int) -> ResponseReturnValue:
    """Give a person a new first password and show it, this once."""
    term = staff_term(db_session(), slug, INSTRUCTORS)
    actor = me()
    with writing() as session:
        found = _member(session, term, enrolment_id)
        if not may_reset(session, actor, found.user, term):
            abort(404)
        password = reset_password(session, found.user, actor_id=actor.id, now=now())
    page = make_response(_member_page(slug, enrolment_id, password=password))
    page.headers["Cache-Control"] = "no-store"
    return page


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


def _member(session: Session, term: Term, enrolment_id: int) -> Enrolment:
    found = session.get(Enrolment, enrolment_id)
    if found is None or found.term_id != term.id:
        abort(404)
    return found


def _member_page(slug: str, enrolment_id: int, *, problem: str = "", password: str = "") -> str:
    term = staff_term(db_session(), slug, INSTRUCTORS)
    found = _member(db_session(), term, enrolment_id)
    return render_template(
        "courses/member.html",
        term=term,
        enrolment=found,
        roles=list(Role),
        problem=problem,
        password=password,
        sent=request.form if problem else {},
        may_reset=may_reset(db_session(), me(), found.user, term),
    )


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
        roles=list(Role),
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
