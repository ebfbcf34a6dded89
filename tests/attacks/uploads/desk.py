"""Where hostile uploads arrive: a lab, a student before the portal's form, and a host to harm."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from grader.intake.limited import child as limited
from grader.intake.limited import run_limited
from portal.courses.models import Role, Term
from portal.courses.service import enrol
from portal.people.service import create_user
from portal.platform.config import PortalConfig
from portal.platform.db import read_session, write_session
from portal.platform.passwords import Passwords
from portal.submissions.models import Submission

PASSWORD = "correct horse battery"
START = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)
HONEST = (
    ("maths.py", b"def double(x):\n    return x + x\n"),
    ("net.py", b"class Net:\n    '''Honest.'''\n"),
)
# What may stand in no page, log or export: terminal commands and characters that turn text round.
UNSEEN = {*map(chr, range(32)), "\x7f", *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}
UNSEEN -= {"\n", "\t", "\r"}


def load(name: str, path: Path):
    """Import a file of the tests, which are no package, under a name of its own."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


class Host:
    """Things of the host that no upload may read, change or reach."""

    SECRET = "CANARY-7f3a"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "host"
        self.folder.mkdir()
        for name in ("secret.txt", "maths.py"):
            (self.folder / name).write_text(f"# {self.SECRET}\n")
            (self.folder / name).chmod(0o666)
        for name in ("cwd", "tmp", "beside"):
            (root / name).mkdir()
        (root / "beside" / "store.txt").write_text(self.SECRET)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self._before = self._look()

    def _look(self):
        """Describe every file but the database's and the store's, and our own children."""
        files = {}
        for at, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if Path(at, name) != self.store]
            for name in [*names, *folders]:
                path = Path(at, name)
                if not path.name.startswith("portal.db"):
                    files[str(path)] = self._describe(path)
        return files, {child.pid for child in psutil.Process().children(recursive=True)}

    @staticmethod
    def _settle() -> None:
        """Give the warm interpreter's forks, which have answered, the time to end.

        No other child's: a server that another test has started keeps its own for as long as it
        runs.
        """
        readers = [c for c in psutil.Process().children() if limited.__file__ in c.cmdline()]
        forks = [fork for reader in readers for fork in reader.children()]
        psutil.wait_procs(forks, timeout=10)

    @property
    def store(self) -> Path:
        """The portal's store, the one place an accepted upload may be written to."""
        return self.root / "instance" / "store"

    @staticmethod
    def _describe(path: Path):
        if path.is_symlink() or not path.is_file():
            return path.lstat().st_mode
        return path.lstat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest()

    def begin(self) -> None:
        """Take the host as it is now for what it must stay."""
        run_limited("print()", b"")  # the warm interpreter of the intake is there from now on
        self._settle()
        self._before = self._look()

    def check(self) -> None:
        """Fail if anything has changed, is left running or has knocked."""
        self._settle()
        assert self._look() == self._before
        try:
            self.listener.accept()
        except BlockingIOError:
            return
        raise AssertionError("an upload connected to the host")

    def close(self) -> None:
        """Stop listening."""
        self.listener.close()


def multipart(files, **fields) -> dict:
    """Return a form as a browser sends it, whatever the files are called."""
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [(f'name="files"; filename="{name}"', data) for name, data in files]
    body = b"".join(
        f"--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    )
    return {"data": body + b"--edge--\r\n", "content_type": "multipart/form-data; boundary=edge"}


@dataclass
class Desk:
    """A student, and staff, in front of a portal that takes uploads for the tiny lab."""

    app: Flask
    engine: Engine
    offering_id: int
    enrolment_id: int
    student: FlaskClient
    staff: FlaskClient
    sent: int = 0

    def send(self, files, *, json: bool):
        """Send files through the upload form."""
        self.sent += 1
        return self.student.post(
            f"/labs/{self.offering_id}/submissions",
            headers={"Accept": "application/json" if json else "text/html"},
            **multipart(files, client_key=f"upload-{self.sent:04}", again="yes"),
        )

    def submissions(self) -> list[Submission]:
        """Return the student's rows, oldest first."""
        query = select(Submission).where(Submission.enrolment_id == self.enrolment_id)
        with read_session(self.engine) as session:
            return list(session.scalars(query.order_by(Submission.attempt)))

    def pages(self):
        """Return every page and answer that shows the student something of the uploads."""
        places = ["/", f"/labs/{self.offering_id}/"]
        for one in self.submissions():
            places += [f"/submissions/{one.id}{page}" for page in ("", "/receipt", "/progress")]
        return [self.student.get(place).text for place in places]

    def staff_pages(self):
        """Return the staff's pages of the uploads."""
        places = [f"/staff/submissions/{one.id}" for one in self.submissions()]
        return [self.staff.get(place).text for place in places]


@dataclass
class Site:
    """A portal whose students each try one thing."""

    app: Flask
    engine: Engine
    config: PortalConfig
    people: int = 0

    def desk(self) -> Desk:
        """Enrol a new student and log in as them and as one of the staff."""
        self.people += 1
        names = {Role.STUDENT: f"student{self.people}", Role.TA: f"staff{self.people}"}
        with write_session(self.engine) as session:
            term = session.scalars(select(Term)).one()
            offering = next(one for one in term.offerings if one.assignment_slug)
            enrolled = {
                role: enrol(session, term, self._account(session, name), role)
                for role, name in names.items()
            }
        browsers = {role: self._log_in(name) for role, name in names.items()}
        return Desk(
            app=self.app,
            engine=self.engine,
            offering_id=offering.id,
            enrolment_id=enrolled[Role.STUDENT].id,
            student=browsers[Role.STUDENT],
            staff=browsers[Role.TA],
        )

    def _account(self, session, name):
        passwords = Passwords(self.config.password_cost)
        return create_user(
            session, passwords, username=name, display_name=name, password=PASSWORD, now=START
        )

    def _log_in(self, name) -> FlaskClient:
        client = self.app.test_client()
        sent = client.post("/login", data={"username": name, "password": PASSWORD})
        assert sent.status_code == 302
        return client


def unseen(text: str) -> set[str]:
    """Return the characters of a text that hide, move or command."""
    return UNSEEN & set(text)
