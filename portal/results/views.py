"""The pages of a submission: what arrived, how the grading goes, the result."""

from __future__ import annotations

import io
import uuid

from flask import Blueprint, abort, render_template, request, send_file
from flask.typing import ResponseReturnValue

from grader.api import LANGUAGES, Language, LineKind, explain, smiley
from portal.audit.service import record
from portal.code.files import files_of, packed, taken
from portal.code.service import comments_for_student, how_many
from portal.courses.access import reader_veil
from portal.courses.titles import manifest_titles
from portal.people.login import me
from portal.platform.errors import Invalid, UnknownDigest
from portal.platform.language import gettext, page_language
from portal.platform.web import db_session, now, portal, writing
from portal.results.page import ResultPage, pictures_of_all, result_page, student_report
from portal.standings.attempts import attempt_of
from portal.standings.scores import score_for_student
from portal.submissions.access import SubmissionAccess, require_submission

blueprint = Blueprint("results", __name__)


@blueprint.get("/submissions/<uuid:submission_id>")
def show(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show what arrived, how the grading goes, and the result."""
    access = _by_name(submission_id)
    _note_staff(access, "submission.view")
    page = _page(access)
    return render_template(
        "results/show.html",
        page=page,
        comments=how_many(comments_for_student(db_session(), access.submission)),
        titles=manifest_titles(page.offering),
        language=_language(),
    )


@blueprint.get("/submissions/<uuid:submission_id>/code")
def code(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show the graded files, with what staff wrote on their lines once that is published."""
    access = _by_name(submission_id)
    _note_staff(access, "submission.view")
    submission = access.submission
    return render_template(
        "results/code.html",
        submission=submission,
        term=submission.offering.term,
        files=files_of(portal().catalogue, portal().store, submission),
        comments=comments_for_student(db_session(), submission),
    )


@blueprint.get("/submissions/<uuid:submission_id>/explain")
def explanation(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show how the score came about, line by line."""
    access = _by_name(submission_id)
    submission = access.submission
    result = attempt_of(db_session(), submission).result
    report = student_report(db_session(), submission, result, now=now())
    if report is None:
        abort(404)
    return render_template(
        "results/explain.html",
        submission=submission,
        score=score_for_student(
            db_session(), access.whose, submission.offering, portal().catalogue
        ),
        explanation=explain(report, language=_language()),
        language=_language(),
        LineKind=LineKind,
        smiley=smiley,
    )


@blueprint.get("/submissions/<uuid:submission_id>/receipt")
def receipt(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show a page to print and keep: what was sent, when, and its digests."""
    page = _page(_by_name(submission_id))
    return render_template("results/receipt.html", page=page)


@blueprint.get("/submissions/<uuid:submission_id>/upload")
def upload(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Send the bytes that arrived, as they were stored, to whoever may see the submission.

    To staff who are not told whose it is, the files as intake takes them.
    """
    access = require_submission(db_session(), submission_id)
    _note_staff(access, "submission.download")
    submission = access.submission
    try:
        data = portal().store.get(submission.upload_sha256)
    except UnknownDigest:
        abort(404)
    name = submission.filename
    if _is_hidden(access):  # a name may stand in the names of what was sent
        data, name = packed(taken(portal().catalogue, portal().store, submission)), "upload.zip"
    response = send_file(
        io.BytesIO(data),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=name,
    )
    response.headers["Cache-Control"] = "private, no-store"  # it would be kept for a year
    return response


@blueprint.get("/submissions/<uuid:submission_id>/artifacts/<string:digest>.png")
def artifact(submission_id: uuid.UUID, digest: str) -> ResponseReturnValue:
    """Serve a picture of the result to those who may see it, and to staff one of any run."""
    access = require_submission(db_session(), submission_id)
    submission = access.submission
    if access.is_staff:
        shown = pictures_of_all(db_session(), submission.id)
    else:
        result = attempt_of(db_session(), submission).result
        report = student_report(db_session(), submission, result, now=now())
        shown = {picture.sha256 for picture in report.artifacts} if report else set()
    if digest not in shown:
        abort(404)
    return portal().store.get(digest), 200, {"Content-Type": "image/png"}


def _language() -> Language:
    """Return in which language causes are told: the one asked for, else the reader's."""
    asked = request.args.get("lang") or page_language().code
    return next((known for known in LANGUAGES if known == asked), LANGUAGES[0])


def _page(access: SubmissionAccess) -> ResultPage:
    """Read the page of a submission for whoever asks for it."""
    catalogue, submission = portal().catalogue, access.submission
    return result_page(db_session(), catalogue, submission, access.whose, now=now())


def _by_name(submission_id: uuid.UUID) -> SubmissionAccess:
    """Return a submission for a page that says whose it is, to those who may know that."""
    access = require_submission(db_session(), submission_id)
    veil = reader_veil(db_session(), access.submission.offering.term)
    if access.is_staff and veil.binds(access.submission.offering_id):
        raise Invalid(
            gettext(
                "this lab is marked without names; go to Submissions and open the attempt there"
            )
        )
    return access


def _is_hidden(access: SubmissionAccess) -> bool:
    """Tell whether its student's name is not for the reader, who is staff."""
    submission = access.submission
    veil = reader_veil(db_session(), submission.offering.term)
    return access.is_staff and veil.hides(submission.enrolment_id, submission.offering_id)


def _note_staff(access: SubmissionAccess, action: str) -> None:
    """Note in the audit log that staff looked at a student's work; its student may at any time."""
    if access.is_staff:
        with writing() as session:
            record(
                session,
                at=now(),
                actor_id=me().id,
                action=action,
                subject=f"submission:{access.submission.id}",
            )
