"""Kill the portal and a worker in the middle of queued submissions, and count what is left.

    python bench/kill9.py --times 5 --upload fnn.zip

Each round starts a portal and a worker on a fresh database. Twenty students log in and upload at
once, each under one key, again and again until they hold a receipt, as a browser's retry would.
When some receipts are out the portal is killed with SIGKILL and started again; when some results
are in, the worker is. A round is sound if receipts, submissions, runs and results are as many as
students, and no run has ended twice.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import click
from sqlalchemy import Engine, func, select

from portal.courses.models import Enrolment, Offering, OfferingKind, Role, Term
from portal.people.service import create_user
from portal.platform.config import PasswordCost, create_instance
from portal.platform.db import make_engine, read_session, write_session
from portal.platform.engine import prepare
from portal.platform.passwords import Passwords
from portal.platform.schema import upgrade
from portal.runs.models import OPEN_STATES, Event, EventKind, GradingRun, Result, RunState
from portal.submissions.models import Submission

PASSWORD = "correct horse battery"
CHEAP = PasswordCost(time_cost=1, memory_kib=8, parallelism=1)
POLL = 0.02
OPEN = set(OPEN_STATES)


@dataclass(frozen=True)
class Scene:
    """Where a round plays: the commands start in the environment given with them."""

    folder: Path  # of the instance
    database_url: str
    home: Path
    assignment: str
    upload: bytes
    filename: str
    portal: Sequence[str]  # "{port}" stands for the port it is to listen on
    worker: Sequence[str]
    environ: dict[str, str] = field(default_factory=dict)
    students: int = 20
    patience: float = 120.0  # seconds a round may take


@dataclass(frozen=True)
class Figures:
    """What a round left behind."""

    receipts: int
    submissions: int
    runs: int
    results: int
    ended_twice: int
    claims: int  # more than runs: some were taken again after a kill
    portal_kills: int
    worker_kills: int
    seconds: float

    def sound(self, students: int) -> bool:
        """Tell whether nothing was lost and nothing booked twice."""
        counts = {self.receipts, self.submissions, self.runs, self.results}
        return counts == {students} and self.ended_twice == 0


def play(scene: Scene) -> Figures:
    """Play one round."""
    began = time.monotonic()
    engine = make_engine(scene.database_url)
    offering_id = set_up(engine, scene)
    port = free_port()
    environ = {**os.environ, **scene.environ}
    command = [part.replace("{port}", str(port)) for part in scene.portal]
    with (
        running(command, environ, whole_group=True) as portal,
        running(scene.worker, environ) as worker,
    ):
        wait_for(lambda: answers(port), scene.patience, "the portal to answer")
        receipts: dict[str, str] = {}
        crowd = [
            threading.Thread(
                target=hand_in,
                args=(scene, port, offering_id, number, receipts),
                name=f"student{number}",
            )
            for number in range(scene.students)
        ]
        for student in crowd:
            student.start()
        third = scene.students // 3
        wait_for(lambda: len(receipts) >= third, scene.patience, "the first receipts")
        portal.kill_and_restart()
        wait_for(
            lambda: count(engine, Result) >= third and RunState.RUNNING in states(engine),
            scene.patience,
            "the first results, with another being graded",
        )
        worker.kill_and_restart()
        for student in crowd:
            student.join(scene.patience)
        wait_for(
            lambda: count(engine, Result) >= scene.students and not OPEN & states(engine),
            scene.patience,
            "all results",
        )
        kills = portal.kills, worker.kills
    figures = read_figures(engine, len(set(receipts.values())), kills, time.monotonic() - began)
    engine.dispose()
    return figures


def set_up(engine: Engine, scene: Scene) -> int:
    """Make the tables, a term with one open lab, and the students; return the offering's id."""
    create_instance(scene.folder)
    upgrade(engine)
    prepare(scene.database_url)
    now = datetime.now(UTC)
    with write_session(engine) as session:
        term = Term(slug="kill9", title="Kill -9", timezone="UTC")
        session.add(term)
        session.flush()
        offering = Offering(
            term_id=term.id,
            kind=OfferingKind.LAB,
            assignment_slug=scene.assignment,
            title="Lab",
            points=Decimal(14),
            position=1,
            opens_at=now - timedelta(days=1),
            due_at=now + timedelta(days=1),
            published=True,
        )
        session.add(offering)
        for number in range(scene.students):
            user = create_user(
                session,
                Passwords(CHEAP),
                username=f"student{number}",
                password=PASSWORD,
                display_name=f"Student {number}",
                now=now,
            )
            session.add(Enrolment(term_id=term.id, user_id=user.id, role=Role.STUDENT))
        session.flush()
        return offering.id


class Process:
    """A child process that can be killed without warning and started again."""

    def __init__(
        self, command: Sequence[str], environ: dict[str, str], *, whole_group: bool = False
    ) -> None:
        self.command, self.environ, self.kills = list(command), environ, 0
        self.whole_group = whole_group
        self.start()

    def start(self) -> None:
        """Start it in a session of its own, so that its helpers can be ended with it."""
        self.child = subprocess.Popen(self.command, env=self.environ, start_new_session=True)

    def kill_and_restart(self) -> None:
        """SIGKILL the process and start it again.

        Its helpers must find that out by themselves, unless `whole_group` says that they are
        part of what is to be lost (a server whose master alone dies would go on serving).
        """
        if self.whole_group:
            os.killpg(self.child.pid, signal.SIGKILL)
        else:
            self.child.kill()
        self.child.wait()
        self.kills += 1
        self.start()

    def stop(self) -> int:
        """Ask it to end and wait; return its exit status."""
        self.child.terminate()
        try:
            return self.child.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            return self.child.wait()


@contextmanager
def running(
    command: Sequence[str], environ: dict[str, str], *, whole_group: bool = False
) -> Iterator[Process]:
    """Run a process for the length of the block."""
    process = Process(command, environ, whole_group=whole_group)
    try:
        yield process
    finally:
        process.stop()


def hand_in(
    scene: Scene, port: int, offering_id: int, number: int, receipts: dict[str, str]
) -> None:
    """Log in and upload until there is a receipt, under one key throughout."""
    browser = Browser(f"http://127.0.0.1:{port}")
    key = str(uuid.uuid4())
    deadline = time.monotonic() + scene.patience
    while time.monotonic() < deadline:
        try:
            browser.log_in(f"student{number}")
            receipts[key] = browser.upload(offering_id, key, scene.filename, scene.upload)
            return
        except (OSError, http.client.HTTPException):
            time.sleep(POLL)  # the portal is away; a browser would try again


class Browser:
    """As much of a browser as an upload needs."""

    def __init__(self, site: str) -> None:
        self.site = site
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def log_in(self, username: str) -> None:
        """Log in; OSError if the portal does not answer."""
        fields = {"username": username, "password": PASSWORD, "csrf_token": self.token("/login")}
        self._post("/login", urllib.parse.urlencode(fields).encode())

    def upload(
        self, offering_id: int, key: str, filename: str, data: bytes, token: str = ""
    ) -> str:
        """Upload a file and return the submission's id; OSError if there is no receipt."""
        token = token or self.token(f"/labs/{offering_id}/")
        body, content_type = multipart(
            {"csrf_token": token, "client_key": key, "again": "yes"}, "files", filename, data
        )
        answer = self._post(
            f"/labs/{offering_id}/submissions",
            body,
            {"Content-Type": content_type, "Accept": "application/json"},
        )
        return str(json.loads(answer)["id"])

    def open(self, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
        """Ask for a page and return the answer, which may still be coming in."""
        request = urllib.request.Request(self.site + path, headers=headers or {})
        return self.opener.open(request, timeout=30)

    def token(self, path: str) -> str:
        """Return what the forms of a page carry; OSError if there are none."""
        with self.open(path) as page:
            found = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
        if found is None:
            raise OSError(f"{path} carries no token")
        return found.group(1)

    def _post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> str:
        request = urllib.request.Request(self.site + path, body, headers or {})
        with self.opener.open(request, timeout=30) as answer:
            return str(answer.read().decode())


def multipart(fields: dict[str, str], name: str, filename: str, data: bytes) -> tuple[bytes, str]:
    """Return a form with one file, and its content type."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = (
        f"--{boundary}\r\nContent-Disposition: form-data; "
        f'name="{name}"; filename="{filename}"\r\n\r\n'
    )
    parts += [head.encode(), data, f"\r\n--{boundary}--\r\n".encode()]
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def wait_for(reached: Callable[[], bool], patience: float, what: str) -> None:
    """Poll until `reached`; TimeoutError after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(POLL)


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, path: str = "/healthz") -> bool:
    """Tell whether a portal answers on this port."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as page:
            return bool(page.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def count(engine: Engine, model: type) -> int:
    """Count the rows of a table."""
    with read_session(engine) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def states(engine: Engine) -> set[RunState]:
    """Return the states in which there is any run."""
    with read_session(engine) as session:
        return set(session.scalars(select(GradingRun.state).distinct()))


def read_figures(engine: Engine, receipts: int, kills: tuple[int, int], seconds: float) -> Figures:
    """Count what the database holds."""
    with read_session(engine) as session:
        endings = session.execute(
            select(Event.run_id, func.count())
            .where(Event.kind.in_([EventKind.GRADED, EventKind.NEEDS_HUMAN]))
            .group_by(Event.run_id)
        ).all()
        claims = session.scalar(select(func.sum(GradingRun.fence))) or 0
    return Figures(
        receipts=receipts,
        submissions=count(engine, Submission),
        runs=count(engine, GradingRun),
        results=count(engine, Result),
        ended_twice=sum(1 for _run, number in endings if number > 1),
        claims=int(claims),
        portal_kills=kills[0],
        worker_kills=kills[1],
        seconds=seconds,
    )


@click.command()
@click.option("--times", default=5, show_default=True, help="Rounds to play.")
@click.option("--students", default=20, show_default=True, help="Uploads a round.")
@click.option("--assignment", default="fnn", show_default=True, help="Lab to grade by.")
@click.option("--home", type=click.Path(path_type=Path), default=Path.cwd, help="The checkout.")
@click.option(
    "--upload", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True
)
@click.option("--database-url", default="", help="An empty database; default: a SQLite file.")
def main(
    times: int, students: int, assignment: str, home: Path, upload: Path, database_url: str
) -> None:
    """Play the rounds with the real portal, worker and grader, and print what each left."""
    sound = True
    for number in range(1, times + 1):
        folder = Path(tempfile.mkdtemp(prefix="kill9-"))
        url = database_url or f"sqlite:///{folder / 'portal.db'}"
        portal = [sys.executable, "-m", "portal"]
        scene = Scene(
            folder=folder,
            database_url=url,
            home=home,
            assignment=assignment,
            upload=upload.read_bytes(),
            filename=upload.name,
            portal=[
                *portal,
                *("run", "--instance", str(folder), "--port", "{port}", "--no-workers-inline"),
            ],
            worker=[*portal, "worker", "--instance", str(folder)],
            environ={"GRADER_HOME": str(home), "PORTAL_DATABASE_URL": url},
            students=students,
            patience=1800,
        )
        figures = play(scene)
        sound &= figures.sound(students)
        click.echo(f"round {number}: {figures}")
        shutil.rmtree(folder)
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
