"""The gradebook's pages: the term's table, its CSV, one student, and giving marks."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.courses.access import reader_veil, staff_term
from portal.courses.models import Enrolment, Offering, Role, Term
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.security import local_path
from portal.platform.web import db_session, now, portal, writing
from portal.standings.attempts import attempts_of
from portal.standings.by_item import Columns, item_columns
from portal.standings.choosing import MAX_REASON, choice_of, choose_for
from portal.standings.export import as_csv
from portal.standings.judging import SentMark
from portal.standings.markforms import mark_forms, read_mark, saved_mark
from portal.standings.marks import give_sent_mark, history, is_shared
from portal.standings.rubric import rubrics
from portal.standings.scores import WORDS, ScoreCard, ScoreState, scores_of
from portal.standings.table import NAME, Gradebook, gradebook, in_order
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


def chip_of(card: ScoreCard) -> str:
    """Return how to mark a score's state: as a warning only where something waits for staff."""
    if card.state is ScoreState.MARKING and card.counted is None:
        return "idle"  # there is nothing yet that anybody could mark
    return STATE_CHIPS[card.state]


@blueprint.get("/staff/<slug>/gradebook")
def show(slug: str) -> ResponseReturnValue:
    """Show every student's scores, or those whose name matches the search."""
    term = staff_term(db_session(), slug)
    book = gradebook(db_session(), portal().catalogue, term)
    search = request.args.get("q", "").strip()
    by = request.args.get("sort", NAME)
    # Names begin with A, points with the most.
    descending = request.args.get("order", "up" if by == NAME else "down") == "down"
    found = [row for row in book.rows if _matches(row.enrolment, search)]
    missing = book.missing(now())
    return render_template(
        "standings/show.html",
        book=book,
        veil=reader_veil(db_session(), term),
        rows=in_order(book, found, by, descending=descending),
        search=search,
        by=by,
        descending=descending,
        overdue=[one for one in missing if one.overdue],
        not_due=[one for one in missing if not one.overdue],
        chip=chip_of,
        words={state: str(word) for state, word in WORDS.items()},
    )


@blueprint.get("/staff/<slug>/gradebook.csv")
def download(slug: str) -> ResponseReturnValue:
    """Send the gradebook as CSV, by item if asked; the download goes into the audit log."""
    term = staff_term(db_session(), slug)
    by_item = request.args.get("by") == "item"
    book = gradebook(db_session(), portal().catalogue, term, by_item=by_item)
    text = as_csv(book, _open_columns(book) if by_item else None)
    with writing() as session:
        record(
            session,
            at=now(),
            actor_id=me().id,
            action="gradebook.download",
            subject=f"term:{term.slug}",
        )
    name = f"gradebook-{term.slug}{'-items' if by_item else ''}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + text, mimetype="text/csv", headers=headers)


@blueprint.get("/staff/<slug>/gradebook/<int:enrolment_id>")
def student(slug: str, enrolment_id: int) -> ResponseReturnValue:
    """Show one student's scores, marks and the forms to give some."""
    term = staff_term(db_session(), slug)
    return _student_page(term, _student(term.id, enrolment_id))


@blueprint.post("/staff/<slug>/gradebook/<int:enrolment_id>/<int:offering_id>/marks")
def mark(slug: str, enrolment_id: int, offering_id: int) -> ResponseReturnValue:
    """Add a mark for one item and go back to the page the form stood on."""
    term = staff_term(db_session(), slug)
    _refuse_by_name(term, offering_id)
    _refuse_alone(term, offering_id)
    sent = read_mark(request.form, request.form.getlist("ticked"))
    try:
        with writing() as session:
            enrolment = session.get(Enrolment, enrolment_id)
            offering = session.get(Offering, offering_id)
            if enrolment is None or offering is None:
                abort(404)
            if enrolment.term_id != term.id or offering.term_id != term.id:
                abort(404)
            given = give_sent_mark(
                session,
                portal().catalogue,
                sent,
                enrolment=enrolment,
                offering=offering,
                author_id=me().id,
                now=now(),
                submission=_looked_at(session),
                alone=True,
            )
            said = saved_mark(given, enrolment.user.display_name)
    except Invalid as problem:
        return _student_page(term, _student(term.id, enrolment_id), (offering_id, sent, problem))
    flash(said, "success")
    own = url_for("standings.student", slug=slug, enrolment_id=enrolment_id)
    return redirect(local_path(request.form.get("next")) or own, 303)


@blueprint.post("/staff/<slug>/gradebook/<int:enrolment_id>/<int:offering_id>/counts")
def choose(slug: str, enrolment_id: int, offering_id: int) -> ResponseReturnValue:
    """Choose for a student which attempt counts, and go back to the student's page."""
    term = staff_term(db_session(), slug)
    author = me()
    _refuse_by_name(term, offering_id)
    with writing() as session:
        enrolment = session.get(Enrolment, enrolment_id)
        offering = session.get(Offering, offering_id)
        if enrolment is None or offering is None:
            abort(404)
        if enrolment.term_id != term.id or offering.term_id != term.id:
            abort(404)
        choose_for(
            session,
            enrolment=enrolment,
            offering=offering,
            submission_id=request.form.get("attempt", ""),
            author_id=author.id,
            reason=request.form.get("reason", ""),
            now=now(),
        )
        flash(gettext("Saved for %(name)s.", name=enrolment.user.display_name), "success")
    return redirect(url_for("standings.student", slug=slug, enrolment_id=enrolment_id), 303)


def _open_columns(book: Gradebook) -> Columns:
    """Return the items of the labs in which this reader may be led from a name to the work.

    Points by item would tell which work, without a name, is whose.
    """
    veil = reader_veil(db_session(), book.term)
    columns = item_columns(book, portal().catalogue)
    return {offering: found for offering, found in columns.items() if not veil.binds(offering)}


def _student_page(
    term: Term, enrolment: Enrolment, refused: tuple[int, SentMark, Invalid] | None = None
) -> ResponseReturnValue:
    """Show a student's scores; `refused` is a mark that could not be given, and in which lab."""
    offerings = term.offerings
    items = rubrics(portal().catalogue, offerings)
    if refused and refused[1].item_id not in {one.id for one in items.get(refused[0], ())}:
        raise refused[2]
    marks = {one.id: history(db_session(), enrolment.id, one.id) for one in offerings}
    forms = {}
    for one in offerings:
        sent, problem = refused[1:] if refused and refused[0] == one.id else (None, None)
        forms[one.id] = mark_forms(
            db_session(),
            one,
            items[one.id],
            marks[one.id],
            apart=bool(items[one.id]) and is_shared(db_session(), enrolment.id, one.id),
            refused=sent,
            problem=problem,
        )
    page = render_template(
        "standings/student.html",
        term=term,
        veil=reader_veil(db_session(), term),
        enrolment=enrolment,
        offerings=offerings,
        lines=scores_of(db_session(), enrolment, portal().catalogue),
        forms=forms,
        marks=marks,
        choices={one.id: choice_of(db_session(), enrolment, one, now=now()) for one in offerings},
        attempts_of=partial(attempts_of, db_session(), enrolment),
        most_reason=MAX_REASON,
        chip=chip_of,
    )
    return page, 422 if refused else 200


def _refuse_by_name(term: Term, offering_id: int) -> None:
    """Raise Invalid where a reader who is told no names would mark by one."""
    if reader_veil(db_session(), term).binds(offering_id):
        raise Invalid(
            gettext(
                "this lab is marked without names; go to Submissions and open the attempt there"
            )
        )


def _refuse_alone(term: Term, offering_id: int) -> None:
    """Raise Invalid where one person would mark what two are to."""
    if any(one.id == offering_id and one.wants_two_marks for one in term.offerings):
        raise Invalid(gettext("two people mark this lab, each on the page of the attempt"))


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
