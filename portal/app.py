"""The application factory: puts the parts together and registers each feature's views."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from jinja2 import StrictUndefined
from sqlalchemy import Engine, text

from grader.catalogue import Catalogue
from portal import failures, formats, models, navigation, security, web
from portal.accounts.login import init_app as init_login
from portal.accounts.passwords import Passwords
from portal.config import PortalConfig
from portal.courses.staff import blueprint as roster
from portal.db import make_engine, utc_now
from portal.store import Store

FEATURES = ("accounts", "courses", "submissions", "runs", "gradebook", "staff", "dashboard")


def create_app(
    config: PortalConfig,
    *,
    clock: Callable[[], datetime] = utc_now,
    engine: Engine | None = None,
) -> Flask:
    """Return the portal as a WSGI app. The tables must be there already (`portal init`)."""
    app = Flask("portal")
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.init_app(app, config)
    parts = web.Portal(
        config=config,
        engine=engine or make_engine(config.database_url),
        store=Store(config.store),
        catalogue=Catalogue(config.home),
        passwords=Passwords(config.password_cost),
        clock=clock,
    )
    web.init_app(app, parts)
    init_login(app)
    failures.init_app(app)
    formats.init_app(app)
    navigation.init_app(app)
    for feature in FEATURES:
        if find_spec(f"portal.{feature}") and find_spec(f"portal.{feature}.views"):
            app.register_blueprint(import_module(f"portal.{feature}.views").blueprint)
    app.register_blueprint(roster)
    app.add_url_rule("/healthz", "healthz", _health)
    return app


def _health() -> ResponseReturnValue:
    """Answer whether the portal can read its database, for whatever watches it."""
    web.db_session().execute(text("SELECT 1"))
    return jsonify(status="ok", tables=len(models.metadata.tables))
