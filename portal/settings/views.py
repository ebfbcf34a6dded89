"""Pages for instructors: what a term offers, one offering's settings, the course file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.courses.access import staff_term
from portal.courses.models import AttemptPolicy, Offering, OfferingKind, Role, Term
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.web import db_session, now, portal, writing
from portal.settings.changes import (
    SettingChange,
    add_offering,
    apply_term,
    change_offering,
    change_term,
    plan_term,
    remove_offering,
)
from portal.settings.coursefile import read_course, sent_back, sent_file, write_course
from portal.settings.form import fields_of, read_form, read_term_form
from portal.settings.rubrics import course_settings
from portal.settings.values import (
    MOST_LATE_DAYS,
    MOST_PLEDGE,
    OfferingSettings,
    TermSettings,
    settings_of,
    term_settings,
)

blueprint = Blueprint("settings", __name__, url_prefix="/staff/<slug>/settings")
INSTRUCTORS = frozenset({Role.INSTRUCTOR})
_NEW_DAYS = 14


@blueprint.get("")
def show(slug: str) -> ResponseReturnValue:
    """Show what a term offers, and the way to its course file."""
    return _overview(slug)


@blueprint.get("/<int:offering_id>")
def edit(slug: str, offering_id: int) -> ResponseReturnValue:
    """Show the settings of one offering."""
    term = staff_term(db_session(), slug, INSTRUCTORS)
    offering = _offering(db_session(), term, offering_id)
    return _form(term, offering, fields_of(settings_of(offering)))


@blueprint.post("/<int:offering_id>")
def change(slug: str, offering_id: int) -> ResponseReturnValue:
    """Change an offering, all that the form says or nothing."""
    term = staff_term(db_session(), slug, INSTRUCTORS)
    offering = _offering(db_session(), term, offering_id)
    try:
        wanted = read_form(request.form)
        with writing() as session:
            changes = change_offering(
                session,
                portal().catalogue,
                session.get_one(Offering, offering.id),
                wanted,
                actor_id=me().id,
                now=now(),
            )
    except Invalid as problem:
        return _form(term, offering, request.form, str(problem)), 422
    flash(_said(changes), "success")
    return redirect(url_for("settings.show", slug=slug), 303)


@blueprint.post("/term")
def change_whole(slug: str) -> ResponseReturnValue:
    """Change what holds for the whole term: late days and pledge."""
    try:
        with writing() as session:
            term = staff_term(session, slug, INSTRUCTORS)
            wanted = read_term_form(term_settings(term), request.form)
            changes = change_term(session, term, wanted, actor_id=me().id, now=now())
    except Invalid as problem:
        return _overview(slug, str(problem)), 422
    flash(_said(changes), "success")
    return redirect(url_for("settings.show", slug=slug), 303)


@blueprint.post("/add")
def add(slug: str) -> ResponseReturnValue:
    """Add a lab that nobody sees yet, and show its settings."""
    with writing() as session:
        term = staff_term(session, slug, INSTRUCTORS)
        new = add_offering(
            session, portal().catalogue, term, _new_lab(term), actor_id=me().id, now=now()
        )
    flash(gettext("Added, unpublished: only staff see it until you publish it."), "success")
    return redirect(url_for("settings.edit", slug=slug, offering_id=new.id), 303)


@blueprint.post("/<int:offering_id>/remove")
def remove(slug: str, offering_id: int) -> ResponseReturnValue:
    """Remove an offering that nobody has used."""
    term = staff_term(db_session(), slug, INSTRUCTORS)
    offering = _offering(db_session(), term, offering_id)
    try:
        with writing() as session:
            found = session.get_one(Offering, offering.id)
            remove_offering(session, found, actor_id=me().id, now=now())
    except Invalid as problem:
        return _form(term, offering, fields_of(settings_of(offering)), str(problem)), 422
    flash(gettext("Removed %(lab)s.", lab=offering.title), "success")
    return redirect(url_for("settings.show", slug=slug), 303)


@blueprint.get("/course.toml")
def export(slug: str) -> ResponseReturnValue:
    """Send the term as a course file."""
    term = staff_term(db_session(), slug, INSTRUCTORS)
    with writing() as session:
        record(
            session,
            at=now(),
            actor_id=me().id,
            action="settings.export",
            subject=f"term:{term.slug}",
        )
    headers = {"Content-Disposition": f'attachment; filename="{term.slug}.toml"'}
    return Response(
        write_course(course_settings(db_session(), term)),
        mimetype="application/toml",
        headers=headers,
    )


@blueprint.post("/preview")
def preview(slug: str) -> ResponseReturnValue:
    """Show what a course file would change; nothing is changed yet."""
    staff_term(db_session(), slug, INSTRUCTORS)
    data = sent_file(request.files.get("file"))
    if not data:
        return _overview(
            slug, gettext("no file was chosen, or it is empty; choose a course file")
        ), 422
    try:
        return _preview(slug, data, _read(slug, data))
    except Invalid as problem:
        return _overview(slug, str(problem)), 422


@blueprint.post("/import")
def carry_out(slug: str) -> ResponseReturnValue:
    """Give the term the settings of a file that was previewed, all of them or none."""
    staff_term(db_session(), slug, INSTRUCTORS)
    try:
        wanted = _read(slug, sent_back(request.form.get("course", "")))
        with writing() as session:
            term = staff_term(session, slug, INSTRUCTORS)
            apply_term(session, portal().catalogue, term, wanted, actor_id=me().id, now=now())
    except Invalid as problem:
        return _overview(slug, str(problem)), 422
    flash(gettext("The term has the settings of the file."), "success")
    return redirect(url_for("settings.show", slug=slug), 303)


def _said(changes: Sequence[SettingChange]) -> str:
    """Say what was changed."""
    if not changes:
        return gettext("Nothing was changed.")
    said = "; ".join(f"{one.label}: {one.before} → {one.after}" for one in changes)
    return gettext("Saved. %(what)s.", what=said)


def _overview(slug: str, problem: str = "") -> str:
    term = staff_term(db_session(), slug, INSTRUCTORS)
    return render_template(
        "settings/show.html",
        term=term,
        problem=problem,
        total=sum((one.points for one in term.offerings), Decimal(0)),
        most_late_days=MOST_LATE_DAYS,
        most_pledge=MOST_PLEDGE,
    )


def _form(term: Term, offering: Offering, fields: object, problem: str = "") -> str:
    labs = [lab.assignment for lab in portal().catalogue.labs()]
    return render_template(
        "settings/edit.html",
        term=term,
        offering=offering,
        fields=fields,
        problem=problem,
        labs=labs,
        kinds=list(OfferingKind),
        policies=list(AttemptPolicy),
    )


def _preview(slug: str, data: bytes, wanted: TermSettings) -> ResponseReturnValue:
    term = staff_term(db_session(), slug, INSTRUCTORS)
    plan = plan_term(db_session(), portal().catalogue, term, wanted)
    page = render_template(
        "settings/preview.html",
        term=term,
        plan=plan,
        kept=term.offerings[len(wanted.offering) :],
        course=base64.b64encode(data).decode(),
    )
    return page, 422 if plan.problems else 200


def _read(slug: str, data: bytes) -> TermSettings:
    wanted = read_course(data)
    if wanted.slug != slug:
        raise Invalid(
            gettext(
                "the file is of the term %(theirs)r, and this is %(ours)r",
                theirs=wanted.slug,
                ours=slug,
            )
        )
    return wanted


def _new_lab(term: Term) -> OfferingSettings:
    today = now().astimezone(ZoneInfo(term.timezone)).date()
    return OfferingSettings(
        title="New lab",
        points=Decimal(0),
        opens=datetime.combine(today, time(0)),
        due=datetime.combine(today + timedelta(days=_NEW_DAYS), time(23, 59)),
    )


def _offering(session: Session, term: Term, offering_id: int) -> Offering:
    offering = session.get(Offering, offering_id)
    if offering is None or offering.term_id != term.id:
        abort(404)
    return offering
