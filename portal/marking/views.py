"""Pages for staff about submissions. Whoever is not staff of the term gets 404."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grader.api import Report
from portal.audit.service import record
from portal.courses.access import require_role, staff_term
from portal.courses.models import Term
from portal.courses.titles import manifest_titles
from portal.marking import service
from portal.marking.regrade import batch, regrade, regrade_many
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext, ngettext
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
    wanted = _filter(term)
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
    files = service.files_of(portal().catalogue, portal().store, found)
    items = manual_items(portal().catalogue, offering)
    following = None
    if items:
        following = service.next_to_mark(db_session(), portal().catalogue, found)
    return render_template(
        "marking/submission.html",
        submission=found,
        term=offering.term,
        attempt=attempt_of(db_session(), found),
        report=Report.model_validate_json(result.report) if result else None,
        titles=manifest_titles(offering),
        files=files,
        written=service.report_of(files),
        following=following,
        runs=service.runs_of(db_session(), found.id),
        timeline=service.timeline(db_session(), found.id),
        items=items,
        marks=history(db_session(), enrolment.id, offering.id),
        regrade_key=str(uuid.uuid4()),
        weak=weak_workers(db_session(), since=now() - LEASE),
    )


@blueprint.post("/staff/submissions/<uuid:submission_id>/regrade")
def regrade_submission(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Queue a new run of a submission."""
    found = _submission(submission_id)
    key, jobs = _key(), engine_jobs()
    with writing() as session:
        regrade(
            session,
            jobs,
            portal().catalogue,
            session.get_one(Submission, found.id),
            key=key,
            actor_id=me().id,
            now=now(),
        )
    flash(
        gettext("A new run is in the queue, behind fresh submissions. Marks given by hand stay."),
        "success",
    )
    return redirect(url_for("marking.submission", submission_id=submission_id), 303)


@blueprint.get("/staff/<slug>/submissions/regrade")
def confirm_regrade(slug: str) -> ResponseReturnValue:
    """Say how many submissions a filter finds, and how many a regrade could change."""
    term = staff_term(db_session(), slug)
    wanted = _filter(term)
    return render_template(
        "marking/regrade.html",
        term=term,
        wanted=wanted,
        batch=batch(db_session(), portal().catalogue, wanted),
        key=str(uuid.uuid4()),
    )


@blueprint.post("/staff/<slug>/submissions/regrade")
def regrade_all(slug: str) -> ResponseReturnValue:
    """Queue a new run of every submission that the filter finds and that was confirmed."""
    term = staff_term(db_session(), slug)
    wanted = _filter(term)
    key, actor, jobs = _key(), me(), engine_jobs()
    with writing() as session:
        found = batch(session, portal().catalogue, wanted)
        chosen = found.outdated if request.form.get("which") == "outdated" else found.all
        if str(len(chosen)) != request.form.get("count"):
            raise Invalid(
                gettext(
                    "meanwhile other submissions came or were graded; go back, reload and look "
                    "again"
                )
            )
        count = regrade_many(
            session,
            jobs,
            portal().catalogue,
            chosen,
            key=key,
            actor_id=actor.id,
            now=now(),
        )
    queued = ngettext(
        "%(num)s submission is in the queue, behind fresh ones. Marks given by hand stay.",
        "%(num)s submissions are in the queue, behind fresh ones. Marks given by hand stay.",
        count,
    )
    flash(queued, "success")
    return redirect(url_for("marking.submissions", slug=slug), 303)


def _filter(term: Term) -> service.Filter:
    """Read which submissions of a term the address asks for."""
    state = request.values.get("state", "")
    return service.Filter(
        term_id=term.id,
        offering_id=request.values.get("offering", type=row_id),
        student=request.values.get("student", "").strip(),
        state=RunState(state) if state in set(RunState) else None,
    )


def _key() -> str:
    """Return what the form bears, so that pressing it twice queues once."""
    try:
        return str(uuid.UUID(request.form.get("key", "")))
    except ValueError:
        raise Invalid(
            gettext("the form is incomplete; reload the page and press Regrade again")
        ) from None


def _submission(submission_id: uuid.UUID) -> Submission:
    found = db_session().get(Submission, str(submission_id))
    if found is None:
        abort(404)
    require_role(db_session(), found.offering.term_id)
    return found
