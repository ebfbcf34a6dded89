"""Uploading, and the pages of a submission."""

from __future__ import annotations

import re
import uuid
from dataclasses import asdict

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grader.api import (
    LineKind,
    ManifestError,
    Rejected,
    Report,
    UnknownAssignment,
    explain,
    preview_upload,
    smiley,
)
from portal.audit.service import record
from portal.courses.access import OfferingAccess, require_offering, require_owner
from portal.courses.models import Offering
from portal.courses.service import OfferingState, state_of
from portal.labs import service
from portal.labs.form import UploadForm, upload_form
from portal.people.login import me, require_login
from portal.platform.security import limiter
from portal.platform.web import db_session, end_reading, now, portal, writing
from portal.results.page import OUTCOMES, STATES, result_page, student_report
from portal.runs.queues import queue_of
from portal.runs.suites import digest_of
from portal.runs.web import engine_jobs
from portal.standings.attempts import Attempt, attempt_of, attempts_of, counted
from portal.submissions.arrival import SentFile, receive
from portal.submissions.models import Submission

blueprint = Blueprint("submissions", __name__)

_MOST_NAMES = 500
_CLIENT_KEY = re.compile(r"[A-Za-z0-9-]{8,40}")


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    """Let any page include the upload form and the list of attempts of an offering."""
    return {
        "upload_form": form_of,
        "my_attempts": my_attempts,
        "counted_attempt": counted,
        "OUTCOMES": OUTCOMES,
        "STATES": STATES,
        "smiley": smiley,
    }


@blueprint.post("/labs/<int:offering_id>/submissions")
@require_login
@limiter.limit("30 per minute", key_func=lambda: f"upload:{me().id}")
def upload(offering_id: int) -> ResponseReturnValue:
    """Take an upload and answer with its receipt; a rejected one with all that is wrong."""
    session = db_session()
    access = require_offering(session, offering_id)
    form = form_of(access.offering)
    received_at = now()
    if access.enrolment is None or not form.files or _too_early(access):
        return _rejected(access, "refused", [form.refusal])
    lab = portal().catalogue.get(access.offering.assignment_slug or "")
    try:
        accepted = receive(_sent_files(), lab.assignment)
    except Rejected as rejected:
        return _rejected(access, "rejected", rejected.reasons)
    sender = service.Sender(access.enrolment.id, access.is_staff)
    key = _client_key()
    _, known = service.find_known(session, sender.enrolment_id, offering_id, key, accepted.sha256)
    if form.refusal and known is None:
        return _rejected(access, "refused", [form.refusal])
    portal().store.put(accepted.data)
    try:
        with writing() as writer:
            submitted = service.submit(
                writer,
                engine_jobs(),
                sender=sender,
                offering_id=offering_id,
                client_key=key,
                upload=accepted,
                suite_digest=digest_of(lab),
                queue=queue_of(lab.assignment),
                now=received_at,
            )
    except service.Refused as refused:
        return _rejected(access, "refused", [str(refused)])
    if submitted.superseded:
        engine_jobs().cancel(submitted.superseded)
    return _receipt(submitted)


@blueprint.post("/labs/<int:offering_id>/submissions/preview")
@require_login
def preview(offering_id: int) -> ResponseReturnValue:
    """Say what would become of files with these names, by the rules of intake itself.

    Small texts and tables may come along as ``contents``: then it is said what is wrong in them.
    """
    access = require_offering(db_session(), offering_id)
    if _too_early(access):
        abort(404)
    try:
        assignment = portal().catalogue.get(access.offering.assignment_slug or "").assignment
    except (UnknownAssignment, ManifestError):
        abort(404)
    contents = {file.filename or "": file.read() for file in request.files.getlist("contents")}
    names = request.form.getlist("names")[:_MOST_NAMES]
    return jsonify(asdict(preview_upload(names, assignment, contents)))


@blueprint.get("/submissions/<uuid:submission_id>")
@require_login
def show(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show what arrived, how the grading goes, and the result."""
    submission = _own(submission_id)
    page = result_page(db_session(), submission, now=now())
    return render_template("submissions/show.html", page=page)


@blueprint.get("/submissions/<uuid:submission_id>/explain")
@require_login
def explanation(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show how the score came about, line by line."""
    submission = _own(submission_id)
    result = attempt_of(db_session(), submission).result
    report = student_report(submission.offering, result, now=now())
    if report is None:
        abort(404)
    return render_template(
        "submissions/explain.html",
        submission=submission,
        explanation=explain(report),
        LineKind=LineKind,
    )


@blueprint.get("/submissions/<uuid:submission_id>/receipt")
@require_login
def receipt(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Show a page to print and keep: what was sent, when, and its digests."""
    page = result_page(db_session(), _own(submission_id), now=now())
    return render_template("submissions/receipt.html", page=page)


@blueprint.get("/submissions/<uuid:submission_id>/artifacts/<string:digest>.png")
@require_login
def artifact(submission_id: uuid.UUID, digest: str) -> ResponseReturnValue:
    """Serve a picture of the result to those who may see it."""
    submission = _own(submission_id)
    result = attempt_of(db_session(), submission).result
    if result is None:
        abort(404)
    report = Report.model_validate_json(result.report)
    visible = student_report(submission.offering, result, now=now())
    shown = report.artifacts if _is_staff(submission) else visible.artifacts if visible else ()
    if digest not in {picture.sha256 for picture in shown}:
        abort(404)
    return portal().store.get(digest), 200, {"Content-Type": "image/png"}


def form_of(offering: Offering) -> UploadForm:
    """Build the upload form of an offering for the person who is logged in."""
    access = require_offering(db_session(), offering.id)
    return upload_form(
        db_session(),
        portal().catalogue,
        access.offering,
        access.enrolment,
        is_staff=access.is_staff,
        now=now(),
    )


def my_attempts(offering: Offering) -> list[Attempt]:
    """Return the attempts of the person who is logged in, the newest first."""
    access = require_offering(db_session(), offering.id)
    if access.enrolment is None:
        return []
    return attempts_of(db_session(), access.enrolment, access.offering)


def _own(submission_id: uuid.UUID) -> Submission:
    """Return a submission to its student or the term's staff; else answer 404."""
    submission = db_session().get(Submission, str(submission_id))
    if submission is None:
        abort(404)
    require_owner(db_session(), submission.enrolment_id)
    require_offering(db_session(), submission.offering_id)  # an unpublished one is for staff
    return submission


def _too_early(access: OfferingAccess) -> bool:
    """Tell whether even the names of the lab's files are not for this person yet."""
    return not access.is_staff and state_of(access.offering, now()) is OfferingState.NOT_YET


def _is_staff(submission: Submission) -> bool:
    access = require_offering(db_session(), submission.offering_id)
    return access.is_staff


def _sent_files() -> list[SentFile]:
    return [SentFile(file.filename or "", file.read()) for file in request.files.getlist("files")]


def _client_key() -> str:
    """Return the form's key, or a fresh one: without a key a retry is a second submission."""
    key = request.form.get("client_key", "")
    return key if _CLIENT_KEY.fullmatch(key) else str(uuid.uuid4())


def _wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _rejected(access: OfferingAccess, why: str, reasons: list[str]) -> ResponseReturnValue:
    """Say what is wrong and keep nothing of the upload but a line in the audit log."""
    with writing() as session:
        record(
            session,
            at=now(),
            actor_id=me().id,
            action=f"submission.{why}",
            subject=f"offering:{access.offering.id}",
            reasons=reasons[:20],
        )
    if _wants_json():
        return jsonify(error=why, reasons=reasons), 422
    end_reading()
    offering = require_offering(db_session(), access.offering.id).offering
    page = render_template("submissions/rejected.html", offering=offering, why=why, reasons=reasons)
    return page, 422


def _receipt(submitted: service.Submitted) -> ResponseReturnValue:
    submission = submitted.submission
    address = url_for("submissions.show", submission_id=submission.id)
    if not _wants_json():
        return redirect(address, 303)
    body = jsonify(
        id=submission.id,
        attempt=submission.attempt,
        sha256=submission.upload_sha256,
        received_at=submission.received_at.isoformat(),
        url=address,
    )
    return body, 201 if submitted.created else 200, {"Location": address}
