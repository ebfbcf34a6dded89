"""Pages for staff about many submissions of a term: those that a filter finds."""

from __future__ import annotations

import uuid

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.audit.service import record
from portal.marking.download import uploads_of, zipped
from portal.marking.finding import find
from portal.marking.forms import asked, key_of
from portal.marking.regrade import batch_size, confirmed, regrade_many
from portal.marking.trialpage import trials_of
from portal.marking.views import blueprint
from portal.people.login import me
from portal.platform.language import ngettext
from portal.platform.web import db_session, now, portal, writing
from portal.runs.models import RunState
from portal.runs.service import LEASE
from portal.runs.strength import weak_workers
from portal.runs.web import engine_jobs

__all__ = ["blueprint"]  # begun in `views`: whoever takes it from here has all its pages


@blueprint.get("/staff/<slug>/submissions")
def submissions(slug: str) -> ResponseReturnValue:
    """List a term's submissions, by offering, student and state."""
    found = asked(slug)
    page = find(db_session(), found.wanted, request.args.get("page", 1, type=int))
    return render_template(
        "marking/submissions.html",
        term=found.term,
        veil=found.veil,
        wanted=found.wanted,
        page=page,
        states=list(RunState),
        weak=weak_workers(db_session(), since=now() - LEASE),
    )


@blueprint.get("/staff/<slug>/submissions.zip")
def download(slug: str) -> ResponseReturnValue:
    """Send the uploads that a filter finds, as they came; the download goes into the audit log."""
    found = asked(slug)
    uploads = uploads_of(db_session(), found.wanted, found.veil)
    with writing() as session:
        record(
            session,
            at=now(),
            actor_id=me().id,
            action="submission.download",
            subject=f"term:{found.term.slug}",
            submissions=len(uploads),
        )
    headers = {"Content-Disposition": f'attachment; filename="submissions-{found.term.slug}.zip"'}
    pieces = zipped(portal().catalogue, portal().store, uploads)
    return Response(pieces, mimetype="application/zip", headers=headers)


@blueprint.get("/staff/<slug>/submissions/regrade")
def confirm_regrade(slug: str) -> ResponseReturnValue:
    """Say how many submissions a filter finds, and how many a regrade could change."""
    found = asked(slug)
    return render_template(
        "marking/regrade.html",
        term=found.term,
        wanted=found.wanted,
        size=batch_size(db_session(), portal().catalogue, found.wanted),
        trials=trials_of(db_session(), found.term.id),
        key=str(uuid.uuid4()),
    )


@blueprint.post("/staff/<slug>/submissions/regrade")
def regrade_all(slug: str) -> ResponseReturnValue:
    """Queue a new run of every submission that the filter finds and that was confirmed."""
    wanted = asked(slug).wanted
    key, actor, jobs = key_of(request.form), me(), engine_jobs()
    with writing() as session:
        chosen = confirmed(session, portal().catalogue, wanted, request.form)
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
