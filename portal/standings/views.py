"""The gradebook's pages: the term's table, its CSV, one student, and giving marks."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.courses.access import staff_term
from portal.courses.models import Enrolment, Offering, Role
from portal.people.login import me
from portal.platform.language import gettext
from portal.platform.security import local_path
from portal.platform.web import db_session, now, portal, writing
from portal.standings.export import as_csv
from portal.standings.marks import give_mark, history
from portal.standings.rubric import rubrics
from portal.standings.scores import WORDS, ScoreState, scores_of
from portal.standings.table import gradebook
from portal.submissions.models import Submission

blueprint = Blueprint("standings", __name__)

# A kind of chip for each state: its symbol differs too, so that colour is never alone.
STATE_CHIPS = {
    ScoreState.ABSENT: "idle",
    ScoreState.NONE: "idle",
    ScoreState.GRADING: "info",
    ScoreState.STAFF: "warn",
    ScoreState.MARKING: "warn",
    ScoreState.RANKING: "info",
    ScoreState.FINAL: "good",
}


@blueprint.get("/staff/<slug>/gradebook")
def show(slug: str) -> ResponseReturnValue:
    """Show every student's scores, or those whose name matches the search."""
    term = staff_term(db_session(), slug)
    book = gradebook(db_session(), portal().catalogue, term)
    search = request.args.get("q", "").strip()
    rows = [row for row in book.rows if _matches(row.enrolment, search)]
    return render_template(
        "standings/show.html",
        book=book,
        rows=rows,
        search=search,
        chips=STATE_CHIPS,
        words={state: str(word) for state, word in WORDS.items()},
    )


@blueprint.get("/staff/<slug>/gradebook.csv")
def download(slug: str) -> ResponseReturnValue:
    """Send the gradebook as CSV; the download goes into the audit log."""
    term = staff_term(db_session(), slug)
    text = as_csv(gradebook(db_session(), portal().catalogue, term))
    with writing() as session:
        record(
            session,
            at=now(),
            actor_id=me().id,
            action="gradebook.download",
            subject=f"term:{term.slug}",
        )
    headers = {"Content-Disposition": f'attachment; filename="gradebook-{term.slug}.csv"'}
    return Response("\ufeff" + text, mimetype="text/csv", headers=headers)


@blueprint.get("/staff/<slug>/gradebook/<int:enrolment_id>")
def student(slug: str, enrolment_id: int) -> ResponseReturnValue:
    """Show one student's scores, marks and the forms to give some."""
    term = staff_term(db_session(), slug)
    enrolment = _student(term.id, enrolment_id)
    offerings = term.offerings
    return render_template(
        "standings/student.html",
        term=term,
        enrolment=enrolment,
        offerings=offerings,
        lines=scores_of(db_session(), enrolment, portal().catalogue),
        items=rubrics(portal().catalogue, offerings),
        marks={one.id: history(db_session(), enrolment.id, one.id) for one in offerings},
        chips=STATE_CHIPS,
    )


@blueprint.post("/staff/<slug>/gradebook/<int:enrolment_id>/<int:offering_id>/marks")
def mark(slug: str, enrolment_id: int, offering_id: int) -> ResponseReturnValue:
    """Add a mark for one item and go back to the page the form stood on."""
    term = staff_term(db_session(), slug)
    author = me()
    with writing() as session:
        enrolment = session.get(Enrolment, enrolment_id)
        offering = session.get(Offering, offering_id)
        if enrolment is None or offering is None:
            abort(404)
        if enrolment.term_id != term.id or offering.term_id != term.id:
            abort(404)
        given = give_mark(
            session,
            portal().catalogue,
            enrolment=enrolment,
            offering=offering,
            item_id=request.form.get("item", ""),
            points=request.form.get("points", ""),
            comment=request.form.get("comment", ""),
            author_id=author.id,
            now=now(),
            submission=_looked_at(session),
        )
        flash(
            gettext(
                "Saved: %(points)s points for %(name)s.",
                points=given.points,
                name=enrolment.user.display_name,
            ),
            "success",
        )
    own = url_for("standings.student", slug=slug, enrolment_id=enrolment_id)
    return redirect(local_path(request.form.get("next")) or own, 303)


def _looked_at(session: Session) -> Submission | None:
    """Return the submission on whose page the form stood; None if it stood on another page."""
    number = request.form.get("submission", "")
    found = session.get(Submission, number) if number else None
    if number and found is None:
        abort(404)
    return found


def _student(term_id: int, enrolment_id: int) -> Enrolment:
    enrolment = db_session().get(Enrolment, enrolment_id)
    if enrolment is None or enrolment.term_id != term_id or enrolment.role is not Role.STUDENT:
        abort(404)
    return enrolment


def _matches(enrolment: Enrolment, search: str) -> bool:
    user = enrolment.user
    text = f"{user.display_name} {user.username} {enrolment.student_number}"
    return search.casefold() in text.casefold()
