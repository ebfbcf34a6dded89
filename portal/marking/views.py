"""Pages for staff about one submission. Whoever is not staff of its term gets 404."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grader.api import Report
from portal.audit.service import record
from portal.code.files import files_of
from portal.code.service import comment_line, comments_on, take_back
from portal.courses.access import has_role, reader_veil, require_role
from portal.courses.anonymity import Veil, reveal
from portal.courses.models import Role
from portal.courses.titles import manifest_titles
from portal.marking import service
from portal.marking.comments import forget_comment, keep_comment, kept_comments, with_kept
from portal.marking.forms import key_of
from portal.marking.regrade import regrade
from portal.marking.secondmark import give, two_marks
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.security import local_path
from portal.platform.web import db_session, now, portal, row_id, writing
from portal.runs.service import LEASE
from portal.runs.status import statuses
from portal.runs.strength import weak_workers
from portal.runs.web import engine_jobs
from portal.standings.attempts import attempt_of
from portal.standings.judging import SentMark
from portal.standings.markforms import mark_forms, read_mark, saved_mark
from portal.standings.marks import history
from portal.standings.opinions import settle
from portal.standings.rubric import manual_items, rubric_items
from portal.submissions.models import Submission

blueprint = Blueprint("marking", __name__)


@blueprint.get("/staff/submissions/<uuid:submission_id>")
def submission(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show one submission whole: code, report with staff's details, runs, marks.

    That somebody saw it goes into the audit log.
    """
    found = _submission(submission_id)
    with writing() as session:
        record(
            session,
            at=now(),
            actor_id=me().id,
            action="submission.view",
            subject=f"submission:{found.id}",
        )
    return _workspace(found)


@blueprint.post("/staff/submissions/<uuid:submission_id>/marks")
def mark(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Give a mark for one item on the page of an attempt, and go on to where the form leads."""
    found = _submission(submission_id)
    veil = reader_veil(db_session(), found.offering.term)
    sent = read_mark(request.form, request.form.getlist("ticked"))
    chosen = request.form.get("kept", type=row_id)
    try:
        with writing() as session:
            sent = replace(
                sent, comment=with_kept(session, found.offering_id, chosen, sent.comment)
            )
            attempt = session.get_one(Submission, found.id)
            given, counts = give(
                session, portal().catalogue, attempt, sent, author_id=me().id, now=now()
            )
            said = gettext("Your own mark is saved; one of two counts for nothing alone.")
            if counts is not None:
                said = saved_mark(counts, _name(veil, attempt))
            if request.form.get("keep"):
                keep_comment(session, given, now=now())
    except Invalid as problem:
        return _workspace(_submission(submission_id), (sent, problem))
    flash(said, "success")
    own = url_for("marking.submission", submission_id=submission_id)
    return redirect(local_path(request.form.get("next")) or own, 303)


@blueprint.post("/staff/submissions/<uuid:submission_id>/marks/settle")
def settle_marks(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Say what counts where two who marked independently are apart."""
    found = _submission(submission_id)
    leads = has_role(db_session(), found.offering.term_id, me(), {Role.INSTRUCTOR})
    with writing() as session:
        given = settle(
            session,
            portal().catalogue,
            read_mark(request.form, ()),
            submission=session.get_one(Submission, found.id),
            author_id=me().id,
            leads=leads,
            now=now(),
        )
    flash(gettext("Settled: %(points)s points.", points=given.points), "success")
    return redirect(url_for("marking.submission", submission_id=submission_id), 303)


@blueprint.post("/staff/submissions/<uuid:submission_id>/comments/forget")
def forget(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Take a kept comment from the list; where it was given it stays."""
    found = _submission(submission_id)
    with writing() as session:
        forget_comment(session, found.offering_id, request.form.get("comment", type=row_id))
    return redirect(url_for("marking.submission", submission_id=submission_id), 303)


@blueprint.post("/staff/submissions/<uuid:submission_id>/lines")
def comment(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Write a comment on a line of a file, and show it there."""
    found = _submission(submission_id)
    form = {name: request.form.get(name, "") for name in ("path", "line", "text")}
    try:
        files = files_of(portal().catalogue, portal().store, found)
        with writing() as session:
            written = comment_line(session, found, files, author_id=me().id, now=now(), **form)
            session.flush()
            anchor = f"comment-{written.id}"
    except Invalid as problem:
        return _workspace(_submission(submission_id), line=LineForm(**form, problem=problem))
    own = url_for("marking.submission", submission_id=submission_id, _anchor=anchor)
    return redirect(own, 303)


@blueprint.post("/staff/submissions/<uuid:submission_id>/lines/take-back")
def take_back_comment(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Remove a comment on a line."""
    found = _submission(submission_id)
    number = request.form.get("comment", type=row_id)
    with writing() as session:
        if number is None or not take_back(session, found.id, number, actor_id=me().id, now=now()):
            abort(404)
    return redirect(url_for("marking.submission", submission_id=submission_id, _anchor="code"), 303)


@dataclass(frozen=True)
class LineForm:
    """A comment on a line that could not be written, as it was typed."""

    path: str
    line: str
    text: str
    problem: Invalid


def _workspace(
    found: Submission,
    refused: tuple[SentMark, Invalid] | None = None,
    line: LineForm | None = None,
) -> ResponseReturnValue:
    """Show the page of a submission; `refused` and `line` are what could not be saved."""
    attempt = attempt_of(db_session(), found)
    enrolment, offering = found.enrolment, found.offering
    files = files_of(portal().catalogue, portal().store, found)
    items = manual_items(portal().catalogue, offering)
    marks = history(db_session(), enrolment.id, offering.id)
    sent, problem = refused or (None, None)
    if problem and sent and sent.item_id not in {item.id for item in items}:
        raise problem
    if line and line.path not in {file.path for file in files if file.lines is not None}:
        raise line.problem
    following = None
    if items:
        following = service.next_to_mark(db_session(), portal().catalogue, found, me().id)
    leads = has_role(db_session(), offering.term_id, me(), {Role.INSTRUCTOR})
    runs = service.runs_of(db_session(), found.id)
    watched = service.run_to_watch(runs)
    page = render_template(
        "marking/submission.html",
        submission=found,
        term=offering.term,
        veil=reader_veil(db_session(), offering.term),
        attempt=attempt,
        report=Report.model_validate_json(attempt.result.report) if attempt.result else None,
        titles=manifest_titles(offering),
        files=files,
        comments=comments_on(db_session(), found.id),
        line=line,
        written=service.report_of(files),
        following=following,
        runs=runs,
        status=statuses(db_session(), [watched.id], now=now())[watched.id],
        timeline=service.timeline(db_session(), found.id),
        two=two_marks(db_session(), found, me().id, leads=leads),
        forms=mark_forms(db_session(), offering, items, marks, refused=sent, problem=problem),
        kept=kept_comments(db_session(), offering.id),
        has_rubric=bool(rubric_items(portal().catalogue, offering)),
        marks=marks,
        regrade_key=str(uuid.uuid4()),
        weak=weak_workers(db_session(), since=now() - LEASE),
    )
    return page, 422 if refused or line else 200


@blueprint.post("/staff/submissions/<uuid:submission_id>/reveal")
def tell_name(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Tell whose submission this is to the instructors, in a lab marked without names."""
    found = _submission(submission_id)
    require_role(db_session(), found.offering.term_id, {Role.INSTRUCTOR})
    with writing() as session:
        attempt = session.get_one(Submission, found.id)
        reveal(
            session,
            attempt.enrolment,
            attempt.offering,
            reason=request.form.get("reason", ""),
            author_id=me().id,
            now=now(),
        )
    return redirect(url_for("marking.submission", submission_id=submission_id), 303)


@blueprint.post("/staff/submissions/<uuid:submission_id>/regrade")
def regrade_submission(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Queue a new run of a submission."""
    found = _submission(submission_id)
    key, jobs = key_of(request.form), engine_jobs()
    with writing() as session:
        run = regrade(
            session,
            jobs,
            portal().catalogue,
            session.get_one(Submission, found.id),
            key=key,
            actor_id=me().id,
            now=now(),
        )
    if run.reason_key == f"regrade:{key}":
        said = gettext(
            "A new run is in the queue, behind fresh submissions. Marks given by hand stay."
        )
        flash(said, "success")
    else:
        flash(gettext("A run of this submission waits or goes on already; none was added."), "info")
    return redirect(url_for("marking.submission", submission_id=submission_id), 303)


@blueprint.get("/staff/submissions/<uuid:submission_id>/progress")
def progress(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Answer how a run goes, a regrade too, which does not speak before its result."""
    found = _submission(submission_id)
    run = service.run_to_watch(service.runs_of(db_session(), found.id))
    status = statuses(db_session(), [run.id], now=now())[run.id]
    return Response(status.as_json(), mimetype="application/json")


def _name(veil: Veil, submission: Submission) -> str:
    known_as = submission.enrolment.user.display_name
    return veil.name(submission.enrolment_id, submission.offering_id, known_as)


def _submission(submission_id: uuid.UUID) -> Submission:
    found = db_session().get(Submission, str(submission_id))
    if found is None:
        abort(404)
    require_role(db_session(), found.offering.term_id)
    return found
