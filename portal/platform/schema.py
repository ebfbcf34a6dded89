"""Bringing a database to the schema this version of the portal expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to the newest schema, or to an older one, all of it or nothing.

    Raises ConfigError if rows point to rows that are not there.
    """
    with engine.connect() as connection, _tables_may_be_made_anew(connection), connection.begin():
        command.upgrade(alembic_config(connection), revision)
        if connection.dialect.name == "sqlite":
            dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if dangling:
                raise ConfigError(
                    f"the upgrade was not done: {len(dangling)} rows point to rows that are not "
                    f"there, the first in the table {dangling[0][0]}; restore it from your backup"
                )


@contextmanager
def _tables_may_be_made_anew(connection: Connection) -> Iterator[None]:
    """Let SQLite drop a table that others point to: a batch replaces it by its copy.

    The setting changes outside a transaction only.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.cursor()
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")
        driver.close()


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
