"""Uploads that came too late, as staff decide them: accepting one, and asking whose it is."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.courses.access import reader_veil, require_role
from portal.courses.anonymity import reveal
from portal.courses.models import STAFF, Role
from portal.labs import late
from portal.people.login import me
from portal.platform.language import gettext
from portal.platform.web import db_session, now, portal, writing
from portal.runs.queues import queue_of
from portal.runs.suites import digest_of
from portal.runs.web import engine_jobs
from portal.submissions.models import LateUpload

blueprint = Blueprint("late_uploads", __name__)


@blueprint.post("/staff/late-uploads/<uuid:upload_id>/accept")
def accept(upload_id: uuid.UUID) -> ResponseReturnValue:
    """Make an upload that came too late a submission, received when it came."""
    kept = _kept(upload_id)
    offering = kept.offering
    lab = portal().catalogue.get(offering.assignment_slug or "")
    jobs = engine_jobs()
    with writing() as session:
        late.accept(
            session,
            jobs,
            session.get_one(LateUpload, kept.id),
            suite_digest=digest_of(lab),
            queue=queue_of(lab.assignment),
            actor_id=me().id,
            now=now(),
        )
    # By the name that the submission bears from now on: another one would say whose it is.
    veil = reader_veil(db_session(), offering.term)
    name = veil.name(kept.enrolment_id, offering.id, kept.enrolment.user.display_name)
    flash(gettext("Accepted: %(name)s, %(lab)s.", name=name, lab=offering.title), "success")
    return _back(kept)


@blueprint.post("/staff/late-uploads/<uuid:upload_id>/reveal")
def tell_name(upload_id: uuid.UUID) -> ResponseReturnValue:
    """Tell whose upload this is to the instructors, in a lab marked without names."""
    kept = _kept(upload_id, {Role.INSTRUCTOR})
    with writing() as session:
        upload = session.get_one(LateUpload, kept.id)
        reveal(
            session,
            upload.enrolment,
            upload.offering,
            reason=request.form.get("reason", ""),
            author_id=me().id,
            now=now(),
        )
    return _back(kept)


def _kept(upload_id: uuid.UUID, roles: Collection[Role] = STAFF) -> LateUpload:
    """Return an upload to those with such a role in its term; else answer 404."""
    kept = db_session().get(LateUpload, str(upload_id))
    if kept is None:
        abort(404)
    require_role(db_session(), kept.offering.term_id, roles)
    return kept


def _back(kept: LateUpload) -> ResponseReturnValue:
    return redirect(url_for("inbox.show", slug=kept.offering.term.slug), 303)
