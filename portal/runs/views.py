"""Live progress of a submission: a stream of events, and one answer for pages that poll."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from portal.platform.language import in_this_language
from portal.platform.web import db_session, now
from portal.runs.chips import OUTCOMES, STATES
from portal.runs.models import GradingRun
from portal.runs.speaking import current_runs
from portal.runs.status import Status, statuses
from portal.runs.web import live_feed
from portal.submissions.access import require_submission

blueprint = Blueprint("runs", __name__)


@blueprint.app_context_processor
def _chips() -> dict[str, object]:
    """Let any page show an outcome or a state."""
    return {"OUTCOMES": OUTCOMES, "STATES": STATES}


@blueprint.get("/submissions/<uuid:submission_id>/events")
def events(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Stream the run's status until it ends; 503 if the process has no stream left."""
    run = _own_run(submission_id)
    feed = live_feed()
    stream = feed.open(run.id, _last_event_id())
    if stream is None:
        return {"error": "all streams are taken, ask for /progress instead"}, 503
    # What is sent after this request is over is still for its reader.
    say = in_this_language(Status.as_json)
    response = Response(feed.read(stream, say), mimetype="text/event-stream")
    response.call_on_close(lambda: feed.close(stream))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # a proxy in front must not hold it back
    return response


@blueprint.get("/submissions/<uuid:submission_id>/progress")
def progress(submission_id: uuid.UUID) -> ResponseReturnValue:
    """Answer with the run's status once."""
    run = _own_run(submission_id)
    status = statuses(db_session(), [run.id], now=now())[run.id]
    return Response(status.as_json(), mimetype="application/json")


def _own_run(submission_id: uuid.UUID) -> GradingRun:
    submission = require_submission(db_session(), submission_id).submission
    run = current_runs(db_session(), [submission.id]).get(submission.id)
    if run is None:
        abort(404)
    return run


def _last_event_id() -> int:
    """Return the event the browser saw last, 0 if it says nothing sensible."""
    text = request.headers.get("Last-Event-ID", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
