"""The application factory: puts the parts together and takes in each feature, lowest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask
from jinja2 import StrictUndefined
from sqlalchemy import Engine

from grader.api import Catalogue
from portal.audit.feature import FEATURE as audit
from portal.code.feature import FEATURE as code
from portal.competition.feature import FEATURE as competition
from portal.courses.feature import FEATURE as courses
from portal.dashboard.feature import FEATURE as dashboard
from portal.grants.feature import FEATURE as grants
from portal.history.feature import FEATURE as history
from portal.inbox.feature import FEATURE as inbox
from portal.labs.feature import FEATURE as labs
from portal.marking.feature import FEATURE as marking
from portal.people.feature import FEATURE as people
from portal.platform import assets, failures, feature, formats, language, security, web
from portal.platform.config import PortalConfig
from portal.platform.db import make_engine, utc_now
from portal.platform.passwords import Passwords
from portal.platform.store import Store
from portal.results.feature import FEATURE as results
from portal.runs.feature import FEATURE as runs
from portal.settings.feature import FEATURE as settings
from portal.standings.feature import FEATURE as standings
from portal.submissions.feature import FEATURE as submissions
from portal.system.feature import FEATURE as system
from portal.teams.feature import FEATURE as teams

FEATURES = (
    audit,
    people,
    courses,
    grants,
    teams,
    submissions,
    runs,
    standings,
    competition,
    settings,
    history,
    code,
    results,
    marking,
    inbox,
    dashboard,
    labs,
    system,
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
    language.init_app(app)
    failures.init_app(app)
    formats.init_app(app)
    assets.init_app(app)
    feature.init_app(app, FEATURES, config.limits)
    return app
