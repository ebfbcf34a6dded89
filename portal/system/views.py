"""The address that whatever watches the portal asks."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from portal.platform.web import db_session

blueprint = Blueprint("system", __name__)


@blueprint.get("/healthz")
def health() -> ResponseReturnValue:
    """Answer whether the portal can read its database."""
    db_session().execute(text("SELECT 1"))
    return jsonify(status="ok")
