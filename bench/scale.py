"""Measure every page of the portal on a term of 500 students, 6 labs and 6,000 or 60,000 uploads.

    python bench/scale.py --submissions 6000
    python bench/scale.py --submissions 60000 --database postgresql+psycopg://postgres@/scale

The database is an SQLite file in a folder of its own, or an empty one that is named. Of each page
it prints the CPU time of this process and the wall time, median and p95 of several requests one
after the other, and how many queries it takes. PostgreSQL's own CPU time is not in it; what its
autovacuum does in an installation is done once the database is filled.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from big_term import NOW, SLUG, Size, fill
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session

from grader.lab.catalogue import Catalogue
from portal.app import create_app
from portal.courses.models import Enrolment, Offering, Role, Term
from portal.people.models import User
from portal.platform.config import PasswordCost, PortalConfig
from portal.platform.db import make_engine
from portal.platform.engine import prepare
from portal.platform.passwords import Passwords
from portal.platform.schema import upgrade
from portal.submissions.models import Submission

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "correct horse battery"
CHEAP = PasswordCost(time_cost=1, memory_kib=8, parallelism=1)


@dataclass(frozen=True)
class Page:
    """A page, by the name of what it shows, and who looks at it."""

    name: str
    who: str
    address: str


@dataclass(frozen=True)
class Cost:
    """What one request took."""

    cpu: float  # seconds
    wall: float
    queries: int


def pages(session: Session) -> Iterator[Page]:
    """Return every page that reads the term, as each of its people opens it."""
    term = session.scalars(select(Term)).one()
    lab = session.scalars(select(Offering).order_by(Offering.position)).first()
    student = session.scalars(select(Enrolment).where(Enrolment.role == Role.STUDENT)).first()
    assert lab is not None and student is not None
    newest = select(Submission.id).where(Submission.enrolment_id == student.id)
    sent = session.scalars(newest.order_by(Submission.received_at.desc())).first()
    name = session.get_one(User, student.user_id).username
    staff = f"/staff/{SLUG}"
    yield Page("home", name, "/")
    yield Page("lab", name, f"/labs/{lab.id}/")
    yield Page("result", name, f"/submissions/{sent}")
    yield Page("explain", name, f"/submissions/{sent}/explain")
    yield Page("receipt", name, f"/submissions/{sent}/receipt")
    yield Page("account", name, "/account")
    yield Page("gradebook", "tess", f"{staff}/gradebook")
    yield Page("gradebook, one found", "tess", f"{staff}/gradebook?q=student0007")
    yield Page("gradebook as CSV", "tess", f"{staff}/gradebook.csv")
    yield Page("a student", "tess", f"{staff}/gradebook/{student.id}")
    yield Page("dashboard", "tess", f"{staff}/dashboard?offering={lab.id}")
    yield Page("inbox", "tess", f"{staff}/inbox")
    yield Page("submissions", "tess", f"{staff}/submissions")
    yield Page("submissions by state", "tess", f"{staff}/submissions?state=graded")
    yield Page("a submission", "tess", f"/staff/submissions/{sent}")
    yield Page("regrade, a lab", "tess", f"{staff}/submissions/regrade?offering={lab.id}")
    yield Page("extensions", "tess", f"{staff}/extensions")
    yield Page("roster", "ines", f"{staff}/roster")
    yield Page("settings", "ines", f"{staff}/settings")
    yield Page("settings of a lab", "ines", f"{staff}/settings/{lab.id}")
    yield Page("history", "ines", f"{staff}/history")
    assert term.slug == SLUG


def measure(client: FlaskClient, address: str, engine: Engine, times: int) -> list[Cost]:
    """Open a page several times after once that does not count."""
    counted = itertools.count()
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen = next(counted) + 1

    event.listen(engine, "before_cursor_execute", count)
    costs = []
    for _ in range(times + 1):
        before, cpu, wall = seen, time.process_time(), time.perf_counter()
        answer = client.get(address)
        costs.append(Cost(time.process_time() - cpu, time.perf_counter() - wall, seen - before))
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}")
    event.remove(engine, "before_cursor_execute", count)
    return costs[1:]


def report(page: Page, costs: list[Cost]) -> str:
    """Return a page's line."""
    cpu = sorted(1000 * one.cpu for one in costs)
    wall = sorted(1000 * one.wall for one in costs)
    last = max(0, -(-95 * len(costs) // 100) - 1)
    return (
        f"{page.name:<22} {statistics.median(cpu):9.0f} {cpu[last]:7.0f} "
        f"{statistics.median(wall):9.0f} {wall[last]:7.0f} {max(one.queries for one in costs):8d}"
    )


def run(folder: Path, size: Size, database: str | None, times: int) -> None:
    """Fill a database and print what every page takes."""
    url = database or f"sqlite:///{folder / 'portal.db'}"
    config = PortalConfig(
        instance=folder,
        database_url=url,
        secret_key="0" * 64,
        grading_key=b"1" * 32,
        home=ROOT,
        password_cost=CHEAP,
    )
    engine = make_engine(url, durable=False)
    upgrade(engine)
    prepare(url)
    began = time.perf_counter()
    fill(engine, Catalogue(ROOT), size, Passwords(CHEAP).hash(PASSWORD))
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
    app = create_app(config, engine=engine, clock=lambda: NOW)
    app.config["WTF_CSRF_ENABLED"] = False
    gc.collect()
    gc.freeze()  # as the web process does
    clients: dict[str, FlaskClient] = {}
    print(f"{'page':<22} {'CPU ms':>9} {'p95':>7} {'wall ms':>9} {'p95':>7} {'queries':>8}")
    with Session(engine) as session:
        found = list(pages(session))
    for page in found:
        if page.who not in clients:
            clients[page.who] = app.test_client()
            form = {"username": page.who, "password": PASSWORD}
            clients[page.who].post("/login", data=form)
        print(report(page, measure(clients[page.who], page.address, engine, times)), flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--students", type=int, default=500)
    parser.add_argument("--labs", type=int, default=6)
    parser.add_argument("--submissions", type=int, default=6000)
    parser.add_argument("--times", type=int, default=10, help="requests of each page")
    parser.add_argument("--database", help="an empty database; a new SQLite file if left out")
    options = parser.parse_args()
    size = Size(options.students, options.labs, options.submissions)
    with tempfile.TemporaryDirectory(prefix="proctor-scale-") as folder:
        run(Path(folder), size, options.database, options.times)


if __name__ == "__main__":
    main()
