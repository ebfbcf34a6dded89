"""The pages of a submission: what arrived, how the grading goes, the result."""

from __future__ import annotations

import io
import uuid

from flask import Blueprint, abort, render_template, request, send_file
from flask.typing import ResponseReturnValue

from grader.api import LANGUAGES, Language, LineKind, Report, explain, smiley
from portal.courses.access import require_offering, require_owner
from portal.courses.titles import manifest_titles
from portal.platform.errors import UnknownDigest
from portal.platform.language import page_language
from portal.platform.web import db_session, now, portal
from portal.results.page import result_page, student_report
from portal.standings.attempts import attempt_of
from portal.standings.scores import score_for_student
from portal.submissions.models import Submission

blueprint = Blueprint("results", __name__)


@blueprint.get("/submissions/<uuid:submission_id>")
def show(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show what arrived, how the grading goes, and the result."""
    submission = _own(submission_id)
    page = result_page(db_session(), portal().catalogue, submission, now=now())
    return render_template(
        "results/show.html",
        page=page,
        titles=manifest_titles(page.offering),
        language=_language(),
    )


@blueprint.get("/submissions/<uuid:submission_id>/explain")
def explanation(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show how the score came about, line by line."""
    submission = _own(submission_id)
    result = attempt_of(db_session(), submission).result
    report = student_report(db_session(), submission, result, now=now())
    if report is None:
        abort(404)
    return render_template(
        "results/explain.html",
        submission=submission,
        score=score_for_student(
            db_session(), submission.enrolment, submission.offering, portal().catalogue
        ),
        explanation=explain(report, language=_language()),
        language=_language(),
        LineKind=LineKind,
        smiley=smiley,
    )


@blueprint.get("/submissions/<uuid:submission_id>/receipt")
def receipt(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show a page to print and keep: what was sent, when, and its digests."""
    page = result_page(db_session(), portal().catalogue, _own(submission_id), now=now())
    return render_template("results/receipt.html", page=page)


@blueprint.get("/submissions/<uuid:submission_id>/upload")
def upload(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Send the bytes that arrived, as they were stored, to whoever may see the submission."""
    submission = _own(submission_id)
    try:
        data = portal().store.get(submission.upload_sha256)
    except UnknownDigest:
        abort(404)
    response = send_file(
        io.BytesIO(data),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=submission.filename,
    )
    response.headers["Cache-Control"] = "private, no-store"  # it would be kept for a year
    return response


@blueprint.get("/submissions/<uuid:submission_id>/artifacts/<string:digest>.png")
def artifact(submission_id: uuid.UUID, digest: str) -> ResponseReturnValue:
    """Serve a picture of the result to those who may see it."""
    submission = _own(submission_id)
    result = attempt_of(db_session(), submission).result
    if result is None:
        abort(404)
    report = Report.model_validate_json(result.report)
    visible = student_report(db_session(), submission, result, now=now())
    shown = report.artifacts if _is_staff(submission) else visible.artifacts if visible else ()
    if digest not in {picture.sha256 for picture in shown}:
        abort(404)
    return portal().store.get(digest), 200, {"Content-Type": "image/png"}


def _language() -> Language:
    """Return in which language causes are told: the one asked for, else the reader's."""
    asked = request.args.get("lang") or page_language().code
    return next((known for known in LANGUAGES if known == asked), LANGUAGES[0])


def _own(submission_id: uuid.UUID) -> Submission:
    """Return a submission to its student or the term's staff; else answer 404."""
    submission = db_session().get(Submission, str(submission_id))
    if submission is None:
        abort(404)
    require_owner(db_session(), submission.enrolment_id)
    require_offering(db_session(), submission.offering_id)  # an unpublished one is for staff
    return submission


def _is_staff(submission: Submission) -> bool:
    access = require_offering(db_session(), submission.offering_id)
    return access.is_staff
