"""Pages of a trial: a regrade that counts for nothing until somebody lets it."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grader.api import Report
from portal.audit.service import record
from portal.courses.access import reader_veil, require_role
from portal.courses.titles import manifest_titles
from portal.marking.forms import asked, key_of
from portal.marking.models import RegradeTrial
from portal.marking.regrade import confirmed
from portal.marking.trialpage import TrialPage, read_trial
from portal.marking.trials import Which, begin_trial, discard, let_count
from portal.people.login import me
from portal.platform.language import gettext, ngettext
from portal.platform.web import db_session, now, portal, writing
from portal.runs.models import GradingRun, Result
from portal.runs.web import engine_jobs

blueprint = Blueprint("trial", __name__)


@blueprint.post("/staff/<slug>/submissions/trials")
def begin(slug: str) -> ResponseReturnValue:
    """Grade anew what the filter finds and what was confirmed, by runs that do not count."""
    found = asked(slug)
    key, actor, jobs = key_of(request.form), me(), engine_jobs()
    with writing() as session:
        trial = begin_trial(
            session,
            jobs,
            portal().catalogue,
            confirmed(session, portal().catalogue, found.wanted, request.form),
            key=key,
            term=found.term,
            actor_id=actor.id,
            now=now(),
        )
        address = url_for("trial.show", trial_id=trial.id)
    return redirect(address, 303)


@blueprint.get("/staff/trials/<uuid:trial_id>")
def show(trial_id: uuid.UUID) -> ResponseReturnValue:
    """Show what a trial has found so far."""
    page = _page(trial_id)
    term = page.trial.term
    veil = reader_veil(db_session(), term)
    return render_template("marking/trial.html", page=page, trial=page.trial, term=term, veil=veil)


@blueprint.get("/staff/trials/<uuid:trial_id>/progress")
def progress(trial_id: uuid.UUID) -> ResponseReturnValue:
    """Answer how far a trial is."""
    page = _page(trial_id)
    total = len(page.rows)
    done = total - page.waiting
    return {"text": page.text, "done": done, "total": total, "final": not page.waiting}


@blueprint.post("/staff/trials/<uuid:trial_id>/count")
def count(trial_id: uuid.UUID) -> ResponseReturnValue:
    """Let a trial's runs count, all of them or those that change points."""
    trial = _trial(trial_id)
    which = Which.ALL if request.form.get("which") == Which.ALL else Which.CHANGING
    with writing() as session:
        number = let_count(
            session,
            portal().catalogue,
            trial.id,
            which=which,
            count=request.form.get("count", ""),
            reason=request.form.get("reason", ""),
            actor_id=me().id,
            now=now(),
        )
    said = ngettext(
        "%(num)s run of the trial counts now. Marks given by hand stay.",
        "%(num)s runs of the trial count now. Marks given by hand stay.",
        number,
    )
    flash(said, "success")
    return redirect(url_for("trial.show", trial_id=trial_id), 303)


@blueprint.post("/staff/trials/<uuid:trial_id>/discard")
def throw_away(trial_id: uuid.UUID) -> ResponseReturnValue:
    """End a trial of which nothing is to count."""
    trial, jobs = _trial(trial_id), engine_jobs()
    with writing() as session:
        given_up = discard(session, trial.id, actor_id=me().id, now=now())
    if given_up:
        jobs.cancel(given_up)
    flash(gettext("The trial is discarded; nothing has changed."), "success")
    return redirect(url_for("trial.show", trial_id=trial_id), 303)


@blueprint.get("/staff/runs/<uuid:run_id>")
def report(run_id: uuid.UUID) -> ResponseReturnValue:
    """Show the report of one run, whether it counts or not; that is noted in the audit log."""
    run = db_session().get(GradingRun, str(run_id))
    if run is None:
        abort(404)
    found = run.submission
    require_role(db_session(), found.offering.term_id)
    result = db_session().get(Result, run.id)
    with writing() as session:
        record(
            session,
            at=now(),
            actor_id=me().id,
            action="submission.view",
            subject=f"submission:{found.id}",
            run=run.id,
        )
    return render_template(
        "marking/run.html",
        run=run,
        submission=found,
        term=found.offering.term,
        veil=reader_veil(db_session(), found.offering.term),
        report=Report.model_validate_json(result.report) if result else None,
        titles=manifest_titles(found.offering),
    )


def _trial(trial_id: uuid.UUID) -> RegradeTrial:
    found = db_session().get(RegradeTrial, str(trial_id))
    if found is None:
        abort(404)
    require_role(db_session(), found.term_id)
    return found


def _page(trial_id: uuid.UUID) -> TrialPage:
    return read_trial(db_session(), portal().catalogue, _trial(trial_id))
