"""Back up a portal of 60,000 submissions while a worker lives and somebody writes, and restore it.

    python bench/backup.py
    python bench/backup.py --submissions 60000 --database URL --restored-to URL

The term is that of `bench/scale.py`, with an upload of every submission in the store. The worker
writes its heartbeat, and a thread writes a row of the audit log as often as it can. Prints the
seconds of a first backup, of a second into the same folder and of the restoration, and exits with 1
unless every row from before the backup, every upload's digest and every score is in what is
restored. PostgreSQL needs two empty databases.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from big_term import Size, fill
from kill9 import CHEAP, PASSWORD, Process
from sqlalchemy import Engine, select, text

from grader.lab.catalogue import Catalogue
from portal.app import FEATURES
from portal.audit.service import record
from portal.platform.backup import make_backup, restore_backup
from portal.platform.config import create_instance, load_config
from portal.platform.db import make_engine, read_session, write_session
from portal.platform.engine import prepare
from portal.platform.feature import tables_of
from portal.platform.passwords import Passwords
from portal.platform.schema import check_schema, upgrade
from portal.platform.store import Store
from portal.runs.models import Result
from portal.submissions.models import Submission

ROOT = Path(__file__).resolve().parents[1]
GROWING = {"audit_entry", "heartbeat"}  # rows that come and change while it is copied
_T = TypeVar("_T")


def rows_of(engine: Engine) -> dict[str, int]:
    """Return how many rows each table of the portal has."""
    with engine.connect() as connection:
        return {
            name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0
            for name in tables_of(FEATURES).tables
        }


def scores_of(engine: Engine) -> list[tuple[object, ...]]:
    """Return every upload with its digest, run and score."""
    with read_session(engine) as session:
        sent = session.execute(
            select(Submission.id, Submission.upload_sha256).order_by(Submission.id)
        )
        graded = session.execute(select(Result.run_id, Result.score).order_by(Result.run_id))
        return [*map(tuple, sent), *map(tuple, graded)]


def timed(what: str, work: Callable[[], _T]) -> _T:
    """Print the wall seconds of some work and return what it returns."""
    began = time.monotonic()
    found = work()
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)
    return found


def write_without_end(engine: Engine, stop: threading.Event) -> None:
    """Write rows of the audit log, one a transaction."""
    while not stop.is_set():
        with write_session(engine) as session:
            record(session, at=datetime.now(UTC), actor_id=None, action="bench", subject="backup")


def run(folder: Path, submissions: int, database: str, restored_to: str) -> bool:
    """Fill, back up twice, restore, and tell whether nothing is missing."""
    instance = folder / "portal"
    create_instance(instance)
    environ = {"GRADER_HOME": str(ROOT)} | ({"PORTAL_DATABASE_URL": database} if database else {})
    config = load_config(instance, environ)
    engine = make_engine(config.database_url, durable=False)
    upgrade(engine)
    prepare(config.database_url)
    size = Size(students=500, labs=6, submissions=submissions)
    fill(engine, Catalogue(ROOT), size, Passwords(CHEAP).hash(PASSWORD))
    before, scores = rows_of(engine), scores_of(engine)
    store = Store(config.store, durable=False)
    with read_session(engine) as session:
        for name in session.scalars(select(Submission.id)):
            store.put(name.encode())  # whose digest the row has
    print(f"{submissions} submissions, {sum(before.values())} rows", flush=True)
    worker = Process(
        [sys.executable, "-m", "portal", "worker", "--instance", str(instance)],
        {**os.environ, **environ},
    )
    stop = threading.Event()
    writer = threading.Thread(target=write_without_end, args=(engine, stop))
    writer.start()
    try:
        target = folder / "backup"
        made = timed("backup", lambda: make_backup(config, target, now=datetime.now(UTC)))
        timed("once more", lambda: make_backup(config, target, now=datetime.now(UTC)))
    finally:
        stop.set()
        writer.join()
        worker.stop()
    print(f"{made.database_bytes / 1e6:.0f} MB of database, {made.files} uploads")
    written = rows_of(engine)["audit_entry"] - before["audit_entry"]
    print(f"{written} rows written meanwhile")
    elsewhere = folder / "restored"
    timed("restore", lambda: restore_backup(target, elsewhere, restored_to or None))
    other = make_engine(restored_to or f"sqlite:///{elsewhere / 'portal.db'}")
    check_schema(other)
    after = rows_of(other)
    lost = [
        f"{name}: {rows} rows, restored {after.get(name)}"
        for name, rows in before.items()
        if (after.get(name, -1) < rows if name in GROWING else after.get(name) != rows)
    ]
    if scores_of(other) != scores:
        lost.append("digests or scores")
    kept = Store(elsewhere / "store")
    if not all(kept.get(sha256) for _, sha256 in scores[:submissions]):
        lost.append("uploads")
    print("\n".join(lost) or "every row, digest, score and upload is there")
    engine.dispose()
    other.dispose()
    return not lost


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--submissions", type=int, default=60_000)
    parser.add_argument(
        "--database", default="", help="an empty one; a new SQLite file if left out"
    )
    parser.add_argument("--restored-to", default="", help="empty too, for PostgreSQL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="proctor-backup-") as folder:
        sound = run(Path(folder), options.submissions, options.database, options.restored_to)
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
