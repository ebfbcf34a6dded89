"""Databases to try the engine on: a SQLite file, and PostgreSQL where there is one."""

import os
import uuid

import pytest
import sqlalchemy as sa

VARIABLE = "PROCTOR_TEST_POSTGRES"
DEFAULT_SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The address of an empty database; PostgreSQL must be there if CI or the variable says so."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'portal.db'}"
    else:
        yield from _scratch_database()


def _scratch_database():
    server = sa.create_engine(
        os.environ.get(VARIABLE) or DEFAULT_SERVER,
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": 3},
    )
    name = f"proctor_test_{uuid.uuid4().hex[:12]}"
    try:
        with server.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    except sa.exc.OperationalError as error:
        told = f"needs PostgreSQL: no server answers; set {VARIABLE} to one's URL ({error.orig})"
        if os.environ.get(VARIABLE) or os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()
