"""Bringing a database to the schema this version of the portal expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from portal.platform.errors import ConfigError

_FOLDER = Path(__file__).resolve().parents[1] / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's settings for a connection, without any file of settings."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema, all of it or nothing."""
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")


def check_schema(engine: Engine) -> None:
    """Raise ConfigError unless the database has the schema of this version."""
    expected = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != expected:
        raise ConfigError(
            f"the database has schema {found or 'none'}, this version needs {expected}; "
            f"run `portal init`, which keeps all data"
        )
