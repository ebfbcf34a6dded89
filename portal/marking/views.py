"""Pages for staff about submissions. Whoever is not staff of the term gets 404."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grader.api import Report
from portal.audit.service import record
from portal.courses.access import require_role, staff_term
from portal.marking import service
from portal.marking.regrade import regrade
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.web import db_session, now, portal, row_id, writing
from portal.runs.models import RunState
from portal.runs.queues import waiting_for_gpu
from portal.runs.service import LEASE
from portal.runs.strength import weak_workers
from portal.runs.web import engine_jobs
from portal.standings.attempts import attempt_of
from portal.standings.marks import history
from portal.standings.rubric import manual_items
from portal.submissions.models import Submission

blueprint = Blueprint("marking", __name__)


@blueprint.get("/staff/<slug>/submissions")
def submissions(slug: str) -> ResponseReturnValue:
    """List a term's submissions, by offering, student and state."""
    term = staff_term(db_session(), slug)
    state = request.args.get("state", "")
    wanted = service.Filter(
        term_id=term.id,
        offering_id=request.args.get("offering", type=row_id),
        student=request.args.get("student", "").strip(),
        state=RunState(state) if state in set(RunState) else None,
    )
    page = service.find(db_session(), wanted, request.args.get("page", 1, type=int))
    return render_template(
        "marking/submissions.html",
        term=term,
        wanted=wanted,
        page=page,
        states=list(RunState),
        weak=weak_workers(db_session(), since=now() - LEASE),
        no_gpu=waiting_for_gpu(db_session(), now=now()),
    )


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
    result = attempt_of(db_session(), found).result
    enrolment, offering = found.enrolment, found.offering
    return render_template(
        "marking/submission.html",
        submission=found,
        term=offering.term,
        attempt=attempt_of(db_session(), found),
        report=Report.model_validate_json(result.report) if result else None,
        files=service.files_of(portal().catalogue, portal().store, found),
        runs=service.runs_of(db_session(), found.id),
        timeline=service.timeline(db_session(), found.id),
        items=manual_items(portal().catalogue, offering),
        marks=history(db_session(), enrolment.id, offering.id),
        regrade_key=str(uuid.uuid4()),
        weak=weak_workers(db_session(), since=now() - LEASE),
    )


@blueprint.post("/staff/submissions/<uuid:submission_id>/regrade")
def regrade_submission(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Queue a new run of a submission."""
    found = _submission(submission_id)
    try:
        key = str(uuid.UUID(request.form.get("key", "")))
    except ValueError:
        raise Invalid("the form is incomplete; reload the page and press Regrade again") from None
    with writing() as session:
        regrade(
            session,
            engine_jobs(),
            portal().catalogue,
            session.get_one(Submission, found.id),
            key=key,
            actor_id=me().id,
            now=now(),
        )
    flash(
        "A new run is in the queue, behind fresh submissions. Marks given by hand stay.", "success"
    )
    return redirect(url_for("marking.submission", submission_id=submission_id), 303)


def _submission(submission_id: uuid.UUID) -> Submission:
    found = db_session().get(Submission, str(submission_id))
    if found is None:
        abort(404)
    require_role(db_session(), found.offering.term_id)
    return found
