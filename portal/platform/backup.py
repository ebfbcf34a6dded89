"""Copying a living installation, and making one from the copy.

A backup is a folder: the database as of one instant, the bytes of every upload, the two secrets,
the labels of competitions, and a list of what belongs to it. The database is copied first and the
store only ever grows, so every row of the copy finds its bytes. Made into the same folder again, it
copies new uploads only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, inspect, make_url

from portal.platform.config import COMPETITIONS, GRADING_FILE, SECRET_FILE, PortalConfig
from portal.platform.db import make_engine
from portal.platform.errors import ConfigError
from portal.platform.store import Store

LIST = "backup.json"
_FORMAT = 1
_SQLITE, _POSTGRES = "portal.db", "portal.pgdump"
_STORE = "store"


@dataclass(frozen=True)
class Backup:
    """What a backup holds."""

    folder: Path
    files: int  # uploads and pictures
    copied: int  # of these, copied now
    database_bytes: int


def make_backup(config: PortalConfig, folder: Path, *, now: datetime) -> Backup:
    """Copy an installation that may be in use into a folder, new or of an earlier backup.

    Raises ConfigError if the folder holds something else, or the database's own tool fails.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / LIST).is_file():
        raise ConfigError(f"{folder} holds something else; name a new folder or an earlier backup")
    url = make_url(config.database_url)
    name = _SQLITE if _is_sqlite(url) else _POSTGRES
    fresh = folder / f".{name}"
    fresh.unlink(missing_ok=True)
    (_copy_sqlite if _is_sqlite(url) else _dump_postgres)(url, fresh)
    fresh.replace(folder / name)
    files, copied = _copy_store(config.store, folder / _STORE)
    for secret in (SECRET_FILE, GRADING_FILE):
        _copy(config.instance / secret, folder / secret)
    _copy_labels(config.competitions, folder / COMPETITIONS)
    database = folder / name
    listed = {
        "format": _FORMAT,
        "made_at": now.isoformat(timespec="seconds"),
        "database": name,
        "database_sha256": _digest(database),
        "files": files,
    }
    _write(folder / LIST, json.dumps(listed, indent=2) + "\n")
    return Backup(folder, files, copied, database.stat().st_size)


def restore_backup(folder: Path, instance: Path, database_url: str | None = None) -> Backup:
    """Make an installation from a backup: in a folder that is not there yet, all or nothing.

    A dump of PostgreSQL needs the URL of an empty database. Raises ConfigError if the backup is
    damaged or something stands in the way.
    """
    listed = _read_list(folder)
    if instance.exists() and any(instance.iterdir()):
        raise ConfigError(f"{instance} is there already; restore into a folder of another name")
    database = folder / str(listed["database"])
    if not database.is_file() or _digest(database) != listed["database_sha256"]:
        raise ConfigError(f"{database} is damaged or missing; take another backup")
    files = list(_files(folder / _STORE))
    if len(files) < int(listed["files"]):
        raise ConfigError(
            f"{folder / _STORE} holds {len(files)} files of {listed['files']}; take another backup"
        )
    half = instance.with_name(f".{instance.name}.restoring")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700, parents=True)
    try:
        for secret in (SECRET_FILE, GRADING_FILE):
            _copy(folder / secret, half / secret)
        _copy_labels(folder / COMPETITIONS, half / COMPETITIONS)
        for file in files:
            if _digest(file) != file.name:
                raise ConfigError(f"{file} is damaged; take another backup")
        _copy_store(folder / _STORE, half / _STORE)
        if database.name == _SQLITE:
            _copy(database, half / _SQLITE)
        else:
            _load_postgres(database, database_url)
        if instance.exists():
            instance.rmdir()
        half.replace(instance)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return Backup(folder, len(files), len(files), database.stat().st_size)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _copy_sqlite(url: URL, target: Path) -> None:
    """Write the database as of one instant.

    VACUUM INTO reads within one transaction, which writers neither wait for nor undo; the online
    backup begins anew whenever somebody writes, so that it never ends on a portal in use.
    """
    try:
        with closing(sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise ConfigError(f"the database {url.database} cannot be copied: {error}") from error
    target.chmod(0o600)


def _dump_postgres(url: URL, target: Path) -> None:
    target.touch(mode=0o600)
    _run("pg_dump", url, "--format=custom", f"--file={target}")


def _load_postgres(dump: Path, database_url: str | None) -> None:
    if database_url is None:
        raise ConfigError(
            "this is a backup of PostgreSQL; set PORTAL_DATABASE_URL to an empty database"
        )
    engine = make_engine(database_url)
    try:
        if inspect(engine).get_table_names():
            raise ConfigError("the database of PORTAL_DATABASE_URL has tables; name an empty one")
    finally:
        engine.dispose()
    _run("pg_restore", make_url(database_url), "--no-owner", "--exit-on-error", str(dump))


def _run(tool: str, url: URL, *arguments: str) -> None:
    """Run one of PostgreSQL's own tools; the password goes by the environment, which `ps` hides."""
    plain = url.set(drivername="postgresql", password=None)
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    try:
        subprocess.run(  # noqa: S603 - a fixed tool, found by the system's path
            [tool, f"--dbname={plain.render_as_string()}", *arguments],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise ConfigError(f"{tool} is not installed; install PostgreSQL's client") from None
    except subprocess.CalledProcessError as error:
        raise ConfigError(f"{tool} failed: {error.stderr.strip()}") from error


def _copy_store(source: Path, target: Path) -> tuple[int, int]:
    """Copy what is not there yet; return how many files there are and how many were copied."""
    target.mkdir(mode=0o700, exist_ok=True)
    count = copied = 0
    for file in _files(source):
        count += 1
        place = target / file.parent.name / file.name
        if not place.is_file():
            place.parent.mkdir(mode=0o700, exist_ok=True)
            _copy(file, place)
            copied += 1
    return count, copied


def _copy_labels(source: Path, target: Path) -> None:
    """Copy the labels of competitions, in the place of older ones; an older backup has none."""
    for file in sorted(source.glob("*/*.csv")):
        place = target / file.parent.name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        _copy(file, place / file.name)


def _files(store: Path) -> Iterator[Path]:
    """Yield the finished files of a store; what is still being written has another name."""
    known = Store(store)
    for file in sorted(store.glob("??/*")):
        if file.name in known:
            yield file


def _copy(source: Path, target: Path) -> None:
    """Copy a file: under its name it is whole, or not there."""
    half = target.with_name(f".{target.name}.half")
    try:
        with source.open("rb") as reading, half.open("wb") as writing:
            half.chmod(0o600)
            shutil.copyfileobj(reading, writing)
            writing.flush()
            os.fsync(writing.fileno())
    except FileNotFoundError:
        raise ConfigError(f"{source} is missing") from None
    half.replace(target)


def _write(target: Path, text: str) -> None:
    half = target.with_name(f".{target.name}.half")
    half.write_text(text, encoding="utf-8")
    half.replace(target)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_list(folder: Path) -> dict[str, Any]:
    try:
        listed: dict[str, Any] = json.loads((folder / LIST).read_text(encoding="utf-8"))
        if listed["format"] != _FORMAT or listed["database"] not in {_SQLITE, _POSTGRES}:
            raise ValueError("another format")
        return listed | {"files": int(listed["files"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{folder} is no backup that this version reads: {error}") from None
