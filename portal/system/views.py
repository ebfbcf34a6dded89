"""What all kinds of work together come to: for whatever watches the portal, and for staff."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from portal.competition.reruns import RERUNS
from portal.platform.web import db_session, now
from portal.runs.claims import GRADINGS
from portal.runs.queues import waiting_for_gpu
from portal.runs.standstill import Standstill, standstill

WORK = (GRADINGS, RERUNS)  # all that workers do

blueprint = Blueprint("system", __name__)


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    """Let any page tell staff when grading stands still, or lacks a GPU."""
    return {"grading_standstill": grading_standstill, "runs_without_gpu": runs_without_gpu}


def grading_standstill() -> Standstill | None:
    """Return how anything that workers do stands still; None if it does not."""
    return standstill(db_session(), now=now(), tables=WORK)


def runs_without_gpu() -> int:
    """Return how many runs and re-runs have waited for a GPU for long."""
    return waiting_for_gpu(db_session(), now=now(), tables=WORK)


@blueprint.get("/healthz")
def health() -> ResponseReturnValue:
    """Answer whether the portal can read its database and has somebody to grade: 503 if not."""
    try:
        still = grading_standstill()
    except SQLAlchemyError:
        current_app.logger.exception("the database cannot be read")
        return jsonify(status="failing", reason="the database cannot be read"), 503
    if still is not None:
        return jsonify(status="failing", reason=still.sentence()), 503
    return jsonify(status="ok")
