"""The database: column types, the engine, and the two ways of opening a session.

SQLite is the embedded default and PostgreSQL the same code at a larger scale. No file or network
work belongs inside a session: a write session keeps every other writer waiting.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    MetaData,
    create_engine,
    event,
    literal_column,
)
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from portal.platform.errors import WriteTimeout

BUSY_SECONDS = 30
POSTGRES_CONNECTIONS = 60  # of one process; a server allows 100 unless told otherwise
READ_ONLY = "portal_read_only"
_WHOLE = 1_000_000
_SCALE = Decimal(_WHOLE)

# Constraints get stable names, so that a migration can refer to them on every database.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table of the portal."""

    metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware datetimes in, aware UTC datetimes out, on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware datetime into what the database keeps; ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; pass an aware datetime")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """A Decimal of up to six places, kept as whole millionths: SQLite has no decimal type."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        """Turn points into millionths, rounding half to even; ValueError unless finite."""
        if value is None:
            return None
        number = Decimal(value)
        if not number.is_finite():
            raise ValueError(f"{value!r} is not a finite number")
        return int((number * _SCALE).to_integral_value())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Return the points without trailing zeros (``14``, ``2.5``)."""
        if value is None:
            return None
        whole, rest = divmod(value, _WHOLE)
        return (Decimal(value) / _SCALE).normalize() if rest else Decimal(whole)


def enum_type(members: type[StrEnum]) -> Enum:
    """Return the column type of a closed set: its values as text under a CHECK constraint."""
    return Enum(
        members,
        native_enum=False,
        create_constraint=True,
        name=members.__name__.lower(),
        values_callable=lambda cls: [member.value for member in cls],
        length=32,
    )


def sought_last(column: ColumnElement[int] | Any) -> ColumnElement[int]:
    """Return a number's column for a condition that no index may answer.

    SQLite keeps no statistics, so it takes any index that equality fits, however many rows share
    the value: of a lab all submissions, to look among them for the few of one student.
    """
    return column + literal_column("0")


def utc_now() -> datetime:
    """Return the current instant. Call it at the edge and pass the value inwards."""
    return datetime.now(UTC)


def make_engine(url: str, *, durable: bool = True) -> Engine:
    """Return an engine for a SQLAlchemy URL, SQLite set up for many threads.

    Only tests of other things make one that is not `durable`: on SQLite, a power cut may undo what
    it has committed.
    """
    if not url.startswith("sqlite"):
        return create_engine(
            url, pool_pre_ping=True, pool_size=10, max_overflow=POSTGRES_CONNECTIONS - 10
        )
    engine = create_engine(
        url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, pool_size=20
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, "FULL" if durable else "OFF"))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def read_session(engine: Engine) -> Iterator[Session]:
    """Open a session that cannot write; the database refuses if it tries."""
    readonly = engine.execution_options(postgresql_readonly=True, **{READ_ONLY: True})
    with Session(readonly, autoflush=False, expire_on_commit=False) as session:
        yield session


@contextmanager
def write_session(engine: Engine) -> Iterator[Session]:
    """Open a session in one write transaction: committed at the end, rolled back on an exception.

    Writers of one process queue on a lock in front of SQLite's own, which is fairer and faster.
    Do not nest. Raises WriteTimeout if other writers take more than 30 s.
    """
    with (
        _one_writer(engine),
        Session(engine, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


_WRITE_LOCKS: dict[str, threading.Lock] = {}  # one a database file, whichever engine writes
_WRITE_LOCKS_GUARD = threading.Lock()


def _one_writer(engine: Engine) -> Any:
    if engine.dialect.name != "sqlite":
        return nullcontext()
    with _WRITE_LOCKS_GUARD:
        lock = _WRITE_LOCKS.setdefault(str(engine.url), threading.Lock())
    return _held(lock)


@contextmanager
def _held(lock: threading.Lock) -> Iterator[None]:
    if not lock.acquire(timeout=BUSY_SECONDS):
        raise WriteTimeout("the database is busy; nothing was saved, please send it again")
    try:
        yield
    finally:
        lock.release()


def _prepare_sqlite(synchronous: str, connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA synchronous = {synchronous}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a reader that turns writer fails at once when others write."""
    reading = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reading else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
