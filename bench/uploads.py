"""Upload by ever more clients at once, and count the receipts that a second brings.

    python bench/uploads.py
    python bench/uploads.py --clients 4,300 --seconds 20 --database-url postgresql+psycopg://...

A fresh portal takes uploads of a lab, no two alike, from so many students, each of whom sends one
after another; nothing grades them. Who is told that the portal is busy (503) waits as long as the
answer says. Receipts and rows must be as many, no answer but a receipt or such a 503 may come, and
receipts a second must never fall below half of the best: the exit code is 1 otherwise.
"""

from __future__ import annotations

import http.client
import io
import os
import shutil
import sys
import tempfile
import threading
import time
import urllib.error
import uuid
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click
from kill9 import Browser, Scene, answers, count, free_port, running, set_up, wait_for

from grader.authoring import reference_submission
from grader.lab.catalogue import Catalogue
from portal.platform.db import make_engine
from portal.submissions.models import Submission

ROOT = Path(__file__).resolve().parents[1]
LAB = "fnn"
PATIENCE = 300.0  # seconds, for all to log in
SLOWEST = 0.5  # of the best
# The portal as it is served, but that a student may upload more than 30 times a minute.
SERVE = """
import sys
from dataclasses import replace
from pathlib import Path
from portal.platform.config import load_config
from portal.serving import serve
config = replace(load_config(Path(sys.argv[1])), limits={"uploads.upload": "1000000 per minute"})
serve(config, host="127.0.0.1", port=int(sys.argv[2]), threads=%d, with_worker=False)
"""
THREADS = 16  # as `portal run` has


@dataclass
class Answers:
    """What came back, while it was counted."""

    ready: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    counting: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    seconds: list[float] = field(default_factory=list)  # from the upload to its receipt
    receipts: int = 0  # all of them, also of those that were on the way when the time was over
    busy: int = 0
    others: Counter[str] = field(default_factory=Counter)
    guard: threading.Lock = field(default_factory=threading.Lock)


def package(files: dict[str, bytes], note: str) -> bytes:
    """Return a zip of files, the Python ones with a comment, so that no two are alike."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            added = f"\n# {note}\n".encode() if path.endswith(".py") else b""
            archive.writestr(path, content + added)
    return made.getvalue()


def keep_uploading(
    browser: Browser, offering_id: int, files: dict[str, bytes], found: Answers
) -> None:
    """Send one upload after another until the time is over, all from one page of the lab."""
    token = browser.token(f"/labs/{offering_id}/")
    found.ready.release()
    found.counting.wait()
    while not found.over.is_set():
        key = str(uuid.uuid4())
        data, began = package(files, key), time.monotonic()
        while not found.over.is_set():
            try:
                browser.upload(offering_id, key, "lab.zip", data, token)
            except urllib.error.HTTPError as error:
                with error:
                    wait = error.headers.get("Retry-After")
                    with found.guard:
                        if error.code == 503 and wait is not None:
                            found.busy += 1
                        else:
                            found.others[f"HTTP {error.code}"] += 1
                found.over.wait(float(wait or 1))
                continue
            except (OSError, http.client.HTTPException) as error:
                with found.guard:
                    found.others[type(error).__name__] += 1
                found.over.wait(1)
                continue
            with found.guard:
                found.receipts += 1
                if not found.over.is_set():
                    found.seconds.append(time.monotonic() - began)
            break


def measure(clients: int, seconds: float, database_url: str) -> tuple[Answers, int]:
    """Let so many students upload for so long; return what came back, and the rows."""
    folder = Path(tempfile.mkdtemp(prefix="uploads-"))
    url = database_url or f"sqlite:///{folder / 'portal.db'}"
    command = [sys.executable, "-c", SERVE % THREADS, str(folder), "{port}"]
    scene = Scene(
        folder=folder,
        database_url=url,
        home=ROOT,
        assignment=LAB,
        upload=b"",
        filename="",
        portal=command,
        worker=(),
        environ={"GRADER_HOME": str(ROOT), "PORTAL_DATABASE_URL": url},
        students=clients,
    )
    engine = make_engine(url)
    offering_id = set_up(engine, scene)
    lab = Catalogue(ROOT).get(LAB)
    files = {file.path: file.content for file in reference_submission(lab).files}
    port = free_port()
    found = Answers()
    portal = [part.replace("{port}", str(port)) for part in scene.portal]
    with running(portal, {**os.environ, **scene.environ}):
        # /healthz fails, for nobody grades.
        wait_for(lambda: answers(port, "/login"), PATIENCE, "the portal to answer")
        browsers = [Browser(f"http://127.0.0.1:{port}") for _ in range(clients)]
        for number, browser in enumerate(browsers):
            browser.log_in(f"student{number}")
        crowd = [
            threading.Thread(target=keep_uploading, args=(browser, offering_id, files, found))
            for browser in browsers
        ]
        for one in crowd:
            one.start()
        for _ in crowd:
            found.ready.acquire()
        found.counting.set()
        time.sleep(seconds)
        found.over.set()
        for one in crowd:
            one.join()
    rows = count(engine, Submission)
    engine.dispose()
    shutil.rmtree(folder)
    return found, rows


@click.command()
@click.option("--clients", default="4,24,80,300", show_default=True, help="How many, in turn.")
@click.option("--seconds", default=20.0, show_default=True, help="For how long each.")
@click.option("--database-url", default="", help="Its {n} is the number; default: a SQLite file.")
def main(clients: str, seconds: float, database_url: str) -> None:
    """Measure each number of clients and print a line."""
    print(f"{'clients':>7} {'receipts/s':>11} {'median s':>9} {'worst s':>8} {'503':>6}  others")
    rates, sound = [], True
    for number in map(int, clients.split(",")):
        found, rows = measure(number, seconds, database_url.replace("{n}", str(number)))
        took = sorted(found.seconds) or [float("nan")]
        rates.append(len(found.seconds) / seconds)
        print(
            f"{number:>7} {rates[-1]:>11.2f} {took[len(took) // 2]:>9.2f} {took[-1]:>8.2f} "
            f"{found.busy:>6}  {dict(found.others) or ''}",
            flush=True,
        )
        if rows != found.receipts:
            print(f"{rows} rows for {found.receipts} receipts")
        sound &= rows == found.receipts and not found.others
    sys.exit(0 if sound and min(rates) >= SLOWEST * max(rates) else 1)


if __name__ == "__main__":
    main()
