"""A living installation is copied, and the copy becomes one: the same rows, bytes and secrets."""

import json
import shutil
import threading

import pytest
from sqlalchemy import func, select
from support.portal import START

from portal.audit.models import AuditEntry
from portal.audit.service import record
from portal.platform.backup import LIST, make_backup, restore_backup
from portal.platform.config import create_instance, load_config
from portal.platform.db import make_engine, read_session, write_session
from portal.platform.engine import prepare
from portal.platform.errors import ConfigError
from portal.platform.schema import check_schema, upgrade
from portal.platform.store import Store


@pytest.fixture
def living(instance, home, empty_database_url):
    """An installation with uploads and rows, on each kind of database."""
    create_instance(instance)
    environment = {"GRADER_HOME": str(home)}
    if empty_database_url.startswith("postgresql"):
        environment["PORTAL_DATABASE_URL"] = empty_database_url
    config = load_config(instance, environment)
    engine = make_engine(config.database_url, durable=False)
    upgrade(engine)
    prepare(config.database_url)
    write(engine, 5)
    for number in range(4):
        Store(config.store, durable=False).put(b"upload %d" % number)
    labels = config.competitions / "6"
    labels.mkdir(parents=True)
    (labels / "labels.csv").write_text("id,animal\n1,cat\n")
    yield config
    engine.dispose()


def write(engine, times):
    for _ in range(times):
        with write_session(engine) as session:
            record(session, at=START, actor_id=None, action="a", subject="s")


def rows(url):
    engine = make_engine(url)
    check_schema(engine)
    with read_session(engine) as session:
        count = session.scalar(select(func.count(AuditEntry.id)))
    engine.dispose()
    return count


@pytest.fixture
def spare(living, request):
    """The address of an empty database on the same server to restore into; None for SQLite."""
    if is_sqlite(living):
        yield None
        return
    with request.getfixturevalue("postgresql").database(empty=True) as url:
        yield url


def is_sqlite(config):
    return config.database_url.startswith("sqlite")


def restored(folder, target, spare):
    """Restore a backup and return the address of its database."""
    restore_backup(folder, target, spare)
    return spare or f"sqlite:///{target / 'portal.db'}"


def test_a_backup_becomes_an_installation_with_the_same_rows_bytes_and_secrets(
    living, tmp_path, spare
):
    made = make_backup(living, tmp_path / "backup", now=START)
    assert (made.files, made.copied) == (4, 4)
    target = tmp_path / "restored"
    assert rows(restored(made.folder, target, spare)) == 5
    for name in ("secret.key", "grading.key", "competitions/6/labels.csv"):
        assert (target / name).read_text() == (living.instance / name).read_text()
        assert (target / name).stat().st_mode & 0o077 == 0
    for file in living.store.glob("??/*"):
        assert Store(target / "store").get(file.name) == file.read_bytes()


def test_a_backup_into_the_same_folder_copies_what_is_new(living, tmp_path, spare):
    make_backup(living, tmp_path / "backup", now=START)
    Store(living.store, durable=False).put(b"one more")
    engine = make_engine(living.database_url)
    write(engine, 2)
    engine.dispose()
    again = make_backup(living, tmp_path / "backup", now=START)
    assert (again.files, again.copied) == (5, 1)
    assert rows(restored(again.folder, tmp_path / "restored", spare)) == 7


def test_a_backup_ends_while_somebody_writes_all_the_time(living, tmp_path, spare):
    stop, engine = threading.Event(), make_engine(living.database_url, durable=False)

    def busy():
        while not stop.is_set():
            write(engine, 1)

    writer = threading.Thread(target=busy)
    writer.start()
    try:
        made = make_backup(living, tmp_path / "backup", now=START)
    finally:
        stop.set()
        writer.join()
        engine.dispose()
    assert rows(restored(made.folder, tmp_path / "restored", spare)) >= 5


def test_an_unfinished_upload_is_not_part_of_it(living, tmp_path):
    (living.store / "ab").mkdir(exist_ok=True)
    (living.store / "ab" / ".incoming-x").write_bytes(b"half")
    assert make_backup(living, tmp_path / "backup", now=START).files == 4
    assert list((tmp_path / "backup").rglob(".*")) == []


@pytest.mark.parametrize("damage", ["database", "upload", "lost", "list", "format", "key"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(living, tmp_path, spare, damage):
    made = make_backup(living, tmp_path / "backup", now=START)
    upload = next((made.folder / "store").glob("??/*"))
    listed = json.loads((made.folder / LIST).read_text())
    match damage:
        case "database":
            with (made.folder / listed["database"]).open("ab") as stream:
                stream.write(b"x")
        case "upload":
            upload.write_bytes(b"other")
        case "lost":
            upload.unlink()
        case "list":
            (made.folder / LIST).write_text("{")
        case "format":
            (made.folder / LIST).write_text(json.dumps(listed | {"format": 99}))
        case "key":
            (made.folder / "grading.key").unlink()
    with pytest.raises(ConfigError, match="another backup|no backup|is missing"):
        restored(made.folder, tmp_path / "restored", spare)
    assert not (tmp_path / "restored").exists()
    assert [path.name for path in tmp_path.iterdir() if "restoring" in path.name] == []


def test_nothing_that_is_there_is_overwritten(living, tmp_path, spare):
    made = make_backup(living, tmp_path / "backup", now=START)
    with pytest.raises(ConfigError, match="is there already"):
        restored(made.folder, living.instance, spare)
    with pytest.raises(ConfigError, match="something else"):
        make_backup(living, living.instance, now=START)
    if not is_sqlite(living):
        with pytest.raises(ConfigError, match="has tables"):
            restore_backup(made.folder, tmp_path / "x", living.database_url)
        with pytest.raises(ConfigError, match="set PORTAL_DATABASE_URL"):
            restore_backup(made.folder, tmp_path / "x")


def test_a_lost_grading_key_is_not_replaced_where_submissions_are(living, tmp_path):
    (living.instance / "grading.key").unlink()
    with pytest.raises(ConfigError, match="restore it from your backup"):
        create_instance(living.instance)
    assert not (living.instance / "grading.key").exists()
    shutil.rmtree(living.store)
    create_instance(living.instance)
    assert (living.instance / "grading.key").exists()
