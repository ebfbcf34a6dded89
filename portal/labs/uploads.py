"""Taking uploads: what a browser sends, and the answer to it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grader.api import Assignment, ManifestError, Rejected, UnknownAssignment, preview_upload
from portal.audit.service import record
from portal.courses.access import OfferingAccess, require_offering
from portal.courses.models import Offering
from portal.courses.policy import OfferingState, conditions
from portal.labs import late, service
from portal.labs.admission import SentAway, admitted
from portal.labs.form import UploadForm, upload_form
from portal.labs.resubmission import SentBefore, foreseen, said_of, sent_before
from portal.people.login import me
from portal.platform.failures import failure_page
from portal.platform.feature import rate
from portal.platform.formats import moment
from portal.platform.language import Phrase, gettext, lazy, source
from portal.platform.security import limiter
from portal.platform.web import began, db_session, end_reading, now, portal, writing
from portal.runs.queues import queue_of
from portal.runs.suites import digest_of
from portal.runs.web import engine_jobs
from portal.standings.attempts import Attempt, attempt_of, attempts_of
from portal.standings.scores import standing_of
from portal.submissions.arrival import SentFile, SentWrongly, Upload, receive
from portal.submissions.members import had_part
from portal.submissions.models import Submission
from portal.teams.parties import conditions_here

blueprint = Blueprint("uploads", __name__)

_MOST_NAMES = 500
_NO_PLEDGE = lazy(
    "The pledge of this term belongs to every upload. Reload the lab's page, read it, tick it, and "
    "send your files again."
)
_CLIENT_KEY = re.compile(r"[A-Za-z0-9-]{8,40}")


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    """Let any page include the upload form and the list of attempts of an offering."""
    return {
        "upload_form": form_of,
        "my_attempts": my_attempts,
        "counted_attempt": counted_attempt,
    }


@blueprint.post("/labs/<int:offering_id>/submissions")
@limiter.limit(lambda: rate("uploads.upload"), key_func=lambda: f"upload:{me().id}")
def upload(offering_id: int) -> ResponseReturnValue:
    """Take an upload and answer with its receipt; a rejected one with all that is wrong."""
    require_offering(db_session(), offering_id)  # strangers wait in no line
    try:
        with admitted(offering_id):
            return _take(offering_id)
    except SentAway as away:
        zone = require_offering(db_session(), offering_id).offering.term.timezone
        said = gettext(
            "Many send their work at this moment. Send yours again within three minutes: it counts "
            "as sent when you first tried, at %(time)s.",
            time=moment(away.first, zone),
        )
        return failure_page(503, said)


def _take(offering_id: int) -> ResponseReturnValue:
    session = db_session()
    access = require_offering(session, offering_id)
    form = form_of(access.offering)
    if access.enrolment is None or not form.files or _too_early(access):
        return _rejected(access, "refused", [form.refusal or ""])
    if form.pledge and request.form.get("pledge") != form.pledge_key:
        return _rejected(access, "refused", [_NO_PLEDGE])
    lab = portal().catalogue.get(access.offering.assignment_slug or "")
    try:
        accepted = receive(_files_of(access), lab.assignment, pledge=form.pledge)
    except SentWrongly as wrong:
        return _rejected(access, "rejected", wrong.phrases)
    except Rejected as rejected:
        return _rejected(access, "rejected", rejected.reasons)
    sender = service.Sender(access.enrolment.id, access.is_staff)
    key = _client_key()
    _, known = service.find_known(session, sender.enrolment_id, offering_id, key, accepted.sha256)
    if form.refusal and known is None:
        if form.closed and not access.is_staff:
            return _too_late(access, sender, accepted)
        return _rejected(access, "refused", [form.refusal])
    again = access.is_staff or bool(request.form.get("again"))
    if known is None and not again:
        # Looked at before the bytes are stored: what costs no attempt must not fill the disk.
        earlier = sent_before(session, sender.enrolment_id, offering_id, accepted.content_digest)
        if earlier is not None:
            return _sent_before(access, form, earlier.id)
    portal().store.put(accepted.data)
    jobs = engine_jobs()
    try:
        with writing() as writer:
            submitted = service.submit(
                writer,
                jobs,
                sender=sender,
                offering_id=offering_id,
                client_key=key,
                upload=accepted,
                suite_digest=digest_of(lab),
                queue=queue_of(lab.assignment),
                now=began(),
                again=again,
            )
    except service.Refused as refused:
        return _rejected(access, "refused", [refused.reason])
    except SentBefore as same:
        return _sent_before(access, form, same.earlier_id)
    if submitted.superseded:
        jobs.cancel(submitted.superseded)
    return _receipt(submitted)


@blueprint.post("/labs/<int:offering_id>/submissions/preview")
@limiter.limit(lambda: rate("uploads.preview"), key_func=lambda: f"preview:{me().id}")
def preview(offering_id: int) -> ResponseReturnValue:
    """Say what would become of files with these names, by the rules of intake itself.

    Small files may come along as ``contents``: then it is said what is wrong in texts and tables
    and, if all of them came, which attempt they are already.
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
    said = asdict(preview_upload(names, assignment, contents))
    return jsonify(**said, same=_foreseen(access, names, contents, assignment))


def form_of(offering: Offering) -> UploadForm:
    """Build the upload form of an offering for the person who is logged in."""
    access = require_offering(db_session(), offering.id)
    return upload_form(
        db_session(),
        portal().catalogue,
        access.offering,
        access.enrolment,
        is_staff=access.is_staff,
        now=began(),
    )


def my_attempts(offering: Offering) -> list[Attempt]:
    """Return the attempts of the person who is logged in, the newest first."""
    access = require_offering(db_session(), offering.id)
    if access.enrolment is None:
        return []
    return attempts_of(db_session(), access.enrolment, access.offering)


def counted_attempt(offering: Offering) -> str | None:
    """Return which attempt counts of the person who is logged in; None if none does."""
    access = require_offering(db_session(), offering.id)
    if access.enrolment is None:
        return None
    standing = standing_of(db_session(), access.enrolment.id, offering.id)
    return standing.submission_id if standing else None


def _too_early(access: OfferingAccess) -> bool:
    """Tell whether even the names of the lab's files are not for this person yet."""
    opened = conditions(access.offering).state(began()) is not OfferingState.NOT_YET
    return not access.is_staff and not opened


def _files_of(access: OfferingAccess) -> list[SentFile]:
    """Return what was sent; an attempt's own files where it alone is to be graded once more."""
    sent = [SentFile(file.filename or "", file.read()) for file in request.files.getlist("files")]
    if any(file.name for file in sent):
        return sent
    again = db_session().get(Submission, request.form.get("again", ""))
    mine = access.enrolment.id if access.enrolment else None
    if again is None or mine is None or again.offering_id != access.offering.id:
        return sent
    if not had_part(db_session(), again.id, mine):
        return sent
    return [SentFile(again.filename, portal().store.get(again.upload_sha256))]


def _foreseen(
    access: OfferingAccess,
    names: Sequence[str],
    contents: Mapping[str, bytes],
    assignment: Assignment,
) -> dict[str, str] | None:
    """Say which attempt files are already, if the browser sent what is in all of them."""
    whole = bool(names) and set(names) == contents.keys()
    if access.enrolment is None or access.is_staff or not whole:
        return None
    files = [SentFile(name, contents[name]) for name in names]
    here = (access.enrolment.id, access.offering.id)
    earlier = foreseen(db_session(), *here, files, assignment)
    if earlier is None:
        return None
    return {"text": said_of(earlier), "url": url_for("results.show", submission_id=earlier.id)}


def _client_key() -> str:
    """Return the form's key, or a fresh one: without a key a retry is a second submission."""
    key = request.form.get("client_key", "")
    return key if _CLIENT_KEY.fullmatch(key) else str(uuid.uuid4())


def _wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _rejected(
    access: OfferingAccess, why: str, reasons: Sequence[Phrase | str]
) -> ResponseReturnValue:
    """Say what is wrong, and leave a line of it in the audit log."""
    with writing() as session:
        record(
            session,
            at=now(),
            actor_id=me().id,
            action=f"submission.{why}",
            subject=f"offering:{access.offering.id}",
            reasons=[source(reason) for reason in reasons[:20]],
        )
    if _wants_json():
        return jsonify(error=why, reasons=[str(reason) for reason in reasons]), 422
    end_reading()
    offering = require_offering(db_session(), access.offering.id).offering
    page = render_template("labs/rejected.html", offering=offering, why=why, reasons=reasons)
    return page, 422


def _too_late(
    access: OfferingAccess, sender: service.Sender, upload: Upload
) -> ResponseReturnValue:
    """Keep what came after the lab had closed, and say that it is not graded."""
    own = conditions_here(db_session(), access.offering, sender.enrolment_id)
    zone = ZoneInfo(access.offering.term.timezone)
    refusal = service.too_late(own, zone, came=began())
    # Looked at before the bytes are stored: what nobody will find again must not fill the disk.
    if not late.has_room(db_session(), sender.enrolment_id, access.offering.id):
        return _rejected(access, "refused", [refusal])
    portal().store.put(upload.data)
    with writing() as session:
        kept = late.keep(session, sender.enrolment_id, access.offering.id, upload, now=began())
    return _rejected(access, "late" if kept else "refused", [refusal])


def _sent_before(access: OfferingAccess, form: UploadForm, earlier_id: str) -> ResponseReturnValue:
    """Say which attempt the files are already, and ask whether to grade them once more."""
    end_reading()
    offering = require_offering(db_session(), access.offering.id).offering
    attempt = attempt_of(db_session(), db_session().get_one(Submission, earlier_id))
    said = said_of(attempt.submission)
    if not _wants_json():
        return render_template(
            "labs/again.html", offering=offering, attempt=attempt, said=said, form=form
        ), 409
    body = jsonify(
        error="same",
        reasons=[said],
        attempt=attempt.submission.attempt,
        received_at=attempt.submission.received_at.isoformat(),
        url=url_for("results.show", submission_id=attempt.submission.id),
        again=attempt.submission.id,
    )
    return body, 409


def _receipt(submitted: service.BookedUpload) -> ResponseReturnValue:
    submission = submitted.submission
    address = url_for("results.show", submission_id=submission.id)
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
