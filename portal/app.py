"""The application factory: puts the parts together and registers each feature's views."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from jinja2 import StrictUndefined
from sqlalchemy import Engine, text

from grader.api import Catalogue
from portal import models
from portal.courses import navigation
from portal.courses import views as roster
from portal.dashboard import views as dashboard
from portal.labs import pages as courses
from portal.labs import views as submissions
from portal.marking import views as staff
from portal.people import views as accounts
from portal.people.login import init_app as init_login
from portal.platform import failures, formats, security, web
from portal.platform.config import PortalConfig
from portal.platform.db import make_engine, utc_now
from portal.platform.passwords import Passwords
from portal.platform.store import Store
from portal.runs import views as runs
from portal.standings import views as gradebook

BLUEPRINTS = (
    accounts.blueprint,
    courses.blueprint,
    roster.blueprint,
    submissions.blueprint,
    runs.blueprint,
    staff.blueprint,
    gradebook.blueprint,
    dashboard.blueprint,
)


def create_app(
    config: PortalConfig,
    *,
    clock: Callable[[], datetime] = utc_now,
    engine: Engine | None = None,
    store: Store | None = None,
) -> Flask:
    """Return the portal as a WSGI app. The tables must be there already (`portal init`)."""
    app = Flask("portal")
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.init_app(app, config)
    parts = web.Portal(
        config=config,
        engine=engine or make_engine(config.database_url),
        store=store or Store(config.store),
        catalogue=Catalogue(config.home),
        passwords=Passwords(config.password_cost),
        clock=clock,
    )
    web.init_app(app, parts)
    init_login(app)
    failures.init_app(app)
    formats.init_app(app)
    navigation.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.add_url_rule("/healthz", "healthz", _health)
    return app


def _health() -> ResponseReturnValue:
    """Answer whether the portal can read its database, for whatever watches it."""
    web.db_session().execute(text("SELECT 1"))
    return jsonify(status="ok", tables=len(models.metadata.tables))
