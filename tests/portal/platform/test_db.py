"""The database keeps the rules that nothing may be lost or locked."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session
from support.reports import bare_report

from portal.app import FEATURES, create_app
from portal.audit.models import AuditEntry
from portal.audit.service import record
from portal.courses.models import Term
from portal.platform.config import PortalConfig
from portal.platform.db import ExactDecimal, UtcDateTime, make_engine, read_session, write_session
from portal.platform.errors import ConfigError
from portal.platform.feature import tables_of
from portal.platform.schema import alembic_config, check_schema, upgrade
from portal.standings.models import StudentStanding
from portal.submissions.models import Submission

START = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)
Writer = Callable[[], AbstractContextManager[Session]]


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 30_000), ("foreign_keys", 1)],
)
def test_sqlite_is_set_up_for_durability(database_url: str, pragma: str, value: object) -> None:
    engine = make_engine(database_url)
    with read_session(engine) as session:
        assert session.scalar(text(f"PRAGMA {pragma}")) == value
    engine.dispose()


def test_a_portal_of_its_own_forces_to_the_disk_what_it_takes(config: PortalConfig) -> None:
    parts = create_app(config).extensions["portal"]
    with read_session(parts.engine) as session:
        assert session.scalar(text("PRAGMA synchronous")) == 2
    assert parts.store.durable
    parts.engine.dispose()


def test_a_read_session_cannot_write(engine: Engine) -> None:
    with read_session(engine) as session, pytest.raises(OperationalError, match="readonly"):
        session.execute(text("DELETE FROM term"))


def test_a_read_session_leaves_the_connection_fit_for_writing(engine: Engine, term: Term) -> None:
    with read_session(engine) as session:
        assert session.scalar(select(func.count(Term.id))) == 1
    with write_session(engine) as session:
        session.get_one(Term, term.id).title = "changed"


def test_a_failing_block_leaves_nothing(engine: Engine, write: Writer) -> None:
    with pytest.raises(RuntimeError), write() as session:
        record(session, at=START, actor_id=None, action="a", subject="s")
        session.flush()
        raise RuntimeError
    with read_session(engine) as session:
        assert session.scalar(select(func.count(AuditEntry.id))) == 0


def test_32_threads_read_then_write_without_a_locked_database(engine: Engine) -> None:
    """Half of them stand for another process, which only SQLite's own lock holds back."""
    gate = threading.Barrier(32)

    @contextmanager
    def from_elsewhere() -> Iterator[Session]:
        with Session(engine) as session, session.begin():
            yield session

    def opening(number: int) -> AbstractContextManager[Session]:
        return write_session(engine) if number % 2 else from_elsewhere()

    def count_and_add(number: int) -> None:
        gate.wait()
        for _ in range(10):
            with opening(number) as session:
                seen = session.scalar(select(func.count(AuditEntry.id)))
                record(session, at=START, actor_id=None, action="n", subject=str(number), seen=seen)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(count_and_add, range(32)))
    with read_session(engine) as session:
        seen = sorted(entry.detail["seen"] for entry in session.scalars(select(AuditEntry)))
    assert seen == list(range(320))  # each saw every write before its own: serial, none lost


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=8)))))
def test_instants_come_back_as_the_same_instant_in_utc(instant: datetime) -> None:
    kind, dialect = UtcDateTime(), create_engine("sqlite://").dialect
    try:
        kept = kind.process_bind_param(instant, dialect)
    except OverflowError:
        return
    assert kind.process_result_value(kept, dialect) == instant


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), create_engine("sqlite://").dialect)


@given(st.decimals(min_value=-1000, max_value=1000, places=6))
def test_points_come_back_exactly(points: Decimal) -> None:
    kind, dialect = ExactDecimal(), create_engine("sqlite://").dialect
    assert kind.process_result_value(kind.process_bind_param(points, dialect), dialect) == points


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity")])
def test_points_are_finite(value: Decimal) -> None:
    with pytest.raises(ValueError, match="finite"):
        ExactDecimal().process_bind_param(value, create_engine("sqlite://").dialect)


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    """An empty database of each kind."""
    engine = make_engine(empty_database_url, durable=False)
    yield engine
    engine.dispose()


def test_the_migrations_make_exactly_the_models_tables(empty: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    upgrade(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables_of(FEATURES)) == []
    check_schema(empty)


def test_sessions_work_on_every_database(empty: Engine) -> None:
    upgrade(empty)
    with write_session(empty) as session:
        record(session, at=START, actor_id=None, action="a", subject="s", number=1)
    with read_session(empty) as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.at, entry.detail) == (START, {"number": 1})
    with read_session(empty) as session, pytest.raises(SQLAlchemyError):
        session.execute(text("DELETE FROM audit_entry"))


def test_what_the_audit_log_holds_is_never_changed(engine: Engine) -> None:
    with write_session(engine) as session:
        record(session, at=START, actor_id=None, action="a", subject="s")
        session.flush()
        session.scalars(select(AuditEntry)).one().action = "b"
        with pytest.raises(ValueError, match="never changed"):
            session.flush()
        session.rollback()


def test_a_database_without_tables_is_refused_with_the_way_out(empty: Engine) -> None:
    with pytest.raises(ConfigError, match="portal init"):
        check_schema(empty)


# A term with one upload, as the tables were at first; later ones only had columns added.
AT = "'2026-09-07 08:00:00'"
FILLED = (
    "INSERT INTO term (slug, title, timezone) VALUES ('t', 'T', 'UTC')",
    "INSERT INTO enrolment (term_id, user_id, role, student_number) VALUES (1, 1, 'student', '')",
    "INSERT INTO offering (term_id, kind, title, variant, points, position, opens_at, due_at,"
    f" policy, published) VALUES (1, 'lab', 'L', 'sine', 14000000, 1, {AT}, {AT}, 'best', true)",
    "INSERT INTO submission (id, enrolment_id, offering_id, client_key, upload_sha256, filename,"
    " size, content_digest, intake, attempt, received_at) VALUES"
    f" ('s', 1, 1, 'k', '', 'f', 0, '', '{{}}', 1, {AT})",
)

# That upload, graded.
GRADED = (
    "INSERT INTO grading_run (id, submission_id, suite_digest, reason_key, queue, priority, state,"
    f" fence, attempts, created_at) VALUES ('r', 's', '', '', 'cpu', 1, 'graded', 1, 0, {AT})",
    "INSERT INTO result (run_id, fence, report, score, max_score, environment, created_at) VALUES"
    f" ('r', 1, :report, 3, 4, '', {AT})",
)


def fill(connection: Connection) -> None:
    """Insert what an installation held when there were as many columns as at first."""
    connection.execute(text(
        "INSERT INTO user_account (username, email, display_name, password_hash,"
        " must_change_password, is_admin, created_at, locale) VALUES"
        " ('ada', '', 'Ada', 'x', false, false, '2026-09-07 08:00:00', 'en')"
    ))  # fmt: skip
    report = bare_report(3.0).model_dump_json()
    for line in (*FILLED, *GRADED):
        connection.execute(text(line), {"report": report} if ":report" in line else {})


def held(connection: Connection) -> dict[str, list[dict[str, object]]]:
    """Return all rows of every table, as the database keeps them."""
    return {
        name: [dict(row) for row in connection.execute(text(f'SELECT * FROM "{name}"')).mappings()]
        for name in inspect(connection).get_table_names()
    }


DERIVED = {"standing", "test_result"}  # worked out from the others at the end
CHANGED = {"alembic_version.version_num", "user_account.locale"}  # the latter was given up


def test_every_step_from_the_first_schema_keeps_every_row(empty: Engine) -> None:
    from alembic.script import ScriptDirectory

    upgrade(empty, "0001")
    with empty.begin() as connection:
        fill(connection)
        before = held(connection)
    revisions = [r.revision for r in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
    for revision in reversed(revisions[:-1]):
        upgrade(empty, revision)
        with empty.connect() as connection:
            after = held(connection)
        for table, rows in before.items():
            if table in DERIVED:
                continue
            assert len(rows) == len(after[table]), (revision, table)
            for row, now in zip(rows, after[table], strict=True):
                kept = {name: now.get(name) for name in row if f"{table}.{name}" not in CHANGED}
                assert kept == {name: row[name] for name in kept}, (revision, table)
        before = after
    assert len(revisions) >= 25 and before["result"] and before["submission"]
    check_schema(empty)


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_an_older_installation_keeps_what_it_holds(empty: Engine, revision: str) -> None:
    upgrade(empty, revision)
    with empty.begin() as connection:
        fill(connection)
    upgrade(empty)
    check_schema(empty)
    with read_session(empty) as session:
        standing = session.scalars(select(StudentStanding)).one()
        assert (standing.by_tests, standing.max_by_tests, standing.attempt) == (3, 4, 1)
        kept = session.scalars(select(Submission)).one()
        assert (kept.enrolment.user.username, kept.offering.variant) == ("ada", "sine")
        assert kept.people == [kept.enrolment] and kept.team_id is None
        # Nothing that students saw is hidden by the new settings, and nothing costs them points.
        offering = kept.offering
        assert offering.marks_published and (offering.grace_minutes, offering.late_percent) == (
            0,
            0,
        )
    with write_session(empty) as session, pytest.raises(SQLAlchemyError, match=r"(?i)foreign key"):
        session.execute(text("DELETE FROM user_account"))


def test_an_upgrade_leaves_no_row_that_points_to_nothing(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'portal.db'}", durable=False)
    upgrade(engine, "0003")
    damage = sqlite3.connect(tmp_path / "portal.db")
    with damage:
        damage.execute("INSERT INTO enrolment VALUES (1, 7, 7, 'student', '')")
    damage.close()
    with pytest.raises(ConfigError, match="not done: 2 rows .* table enrolment"):
        upgrade(engine)
    with pytest.raises(ConfigError, match="has schema 0003"):
        check_schema(engine)
    engine.dispose()


def test_the_migrations_can_be_taken_back(empty: Engine) -> None:
    from alembic import command

    upgrade(empty)
    with empty.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    upgrade(empty)
    check_schema(empty)
