"""The address that whatever watches the portal asks."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from portal.platform.web import db_session, now
from portal.runs.standstill import standstill

blueprint = Blueprint("system", __name__)


@blueprint.get("/healthz")
def health() -> ResponseReturnValue:
    """Answer whether the portal can read its database and has somebody to grade: 503 if not."""
    try:
        still = standstill(db_session(), now=now())
    except SQLAlchemyError:
        current_app.logger.exception("the database cannot be read")
        return jsonify(status="failing", reason="the database cannot be read"), 503
    if still is not None:
        return jsonify(status="failing", reason=still.sentence()), 503
    return jsonify(status="ok")
