"""Databases ready to use: the newest schema is made once a session, and each test has a copy.

They are as `portal init` makes them, by the migrations, with the job engine's tables.
"""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from portal.platform.db import make_engine
from portal.platform.engine import prepare
from portal.platform.schema import upgrade


def sqlite_url(file: Path) -> str:
    """Write a database with every table, all empty, and return its address."""
    file.write_bytes(_sqlite_template())
    return f"sqlite:///{file}"


@cache
def _sqlite_template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.db"
        _make_tables(f"sqlite:///{file}")
        assert [path.name for path in file.parent.iterdir()] == [file.name], "all is in the file"
        return file.read_bytes()


def _make_tables(url: str) -> None:
    engine = make_engine(url, durable=False)
    upgrade(engine)
    prepare(url)
    engine.dispose()


class Server:
    """A PostgreSQL server on which databases are made and dropped."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(
            url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3}
        )
        self._template = ""

    def execute(self, statement: str) -> None:
        """Run a statement outside any transaction."""
        with self._engine.connect() as connection:
            connection.execute(sa.text(statement))

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """Give the address of a database for the block: with every table, or `empty`."""
        name = self._create("" if empty else self._template or self._make_template())
        try:
            yield self._url(name)
        finally:
            self._drop(name)

    def close(self) -> None:
        """Drop the template, and give the connections back."""
        if self._template:
            self._drop(self._template)
        self._engine.dispose()

    def _make_template(self) -> str:
        self._template = self._create("")
        _make_tables(self._url(self._template))
        return self._template

    def _create(self, template: str) -> str:
        name = f"proctor_test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def _drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _url(self, name: str) -> str:
        return self._engine.url.set(database=name).render_as_string(hide_password=False)
