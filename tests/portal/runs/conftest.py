"""A small course in a database of its own, a job engine made of a dictionary, and reports."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from support.databases import sqlite_url
from support.reports import bare_report

from portal.courses.models import AttemptPolicy, Enrolment, Offering, OfferingKind, Role, Term
from portal.people.models import User
from portal.platform.db import make_engine, write_session
from portal.platform.engine import Job
from portal.runs import service
from portal.submissions.models import Submission

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class DictEngine:
    """Owes deliveries in memory. Unlike the real one it forgets a transaction's rollback."""

    owed: dict[str, Job] = field(default_factory=dict)
    made: int = 0

    def enqueue_in(self, session: Session, run_id: str, queue: str, priority: int) -> None:
        self.made += 1
        job = Job(f"{run_id}.{self.made}", run_id, queue, None)
        self.owed[job.id] = job

    def cancel(self, run_ids: Iterable[str]) -> None:
        gone = set(run_ids)
        self.owed = {key: job for key, job in self.owed.items() if job.run_id not in gone}

    def pending_of(self, run_ids: Iterable[str] | None = None) -> list[Job]:
        wanted = None if run_ids is None else set(run_ids)
        return [job for job in self.owed.values() if wanted is None or job.run_id in wanted]

    def resume(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            if job.id in self.owed:
                self.owed[job.id] = replace(job, executor=None)

    def take(self, executor: str) -> Job | None:
        """Give the oldest waiting job to a worker."""
        for job in self.owed.values():
            if job.executor is None:
                self.owed[job.id] = replace(job, executor=executor)
                return self.owed[job.id]
        return None

    def end(self, job: Job) -> None:
        """Strike a job that a worker has returned from."""
        self.owed.pop(job.id, None)


@dataclass
class Course:
    """One term with one lab, and as many students as a test asks for."""

    engine: Engine
    jobs: DictEngine
    offering_id: int
    term_id: int
    people: int = 0

    def student(self) -> int:
        """Enrol one more student and return the enrolment's id."""
        self.people += 1
        name = f"student{self.people}"
        with write_session(self.engine) as session:
            user = User(username=name, display_name=name, password_hash="x", created_at=NOON)
            session.add(user)
            session.flush()
            enrolment = Enrolment(term_id=self.term_id, user_id=user.id, role=Role.STUDENT)
            session.add(enrolment)
            session.flush()
            return enrolment.id

    def run(self, enrolment_id: int | None = None, now: datetime = NOON) -> str:
        """Book an upload of a student and return its run's id."""
        enrolment_id = enrolment_id or self.student()
        with write_session(self.engine) as session:
            number = session.query(Submission).count()
            submission = Submission(
                id=f"submission-{number}",
                enrolment_id=enrolment_id,
                offering_id=self.offering_id,
                client_key=f"key-{number}",
                upload_sha256="0" * 64,
                filename="lab.py",
                size=1,
                content_digest="0" * 64,
                intake='{"files": []}',
                attempt=number + 1,
                received_at=now,
            )
            session.add(submission)
            session.flush()
            run = service.open_run(
                session,
                self.jobs,
                submission,
                suite_digest="suite",
                base_priority=service.PRIORITY_FRESH,
                now=now,
            )
            return run.id


def make_course(url: str, policy: AttemptPolicy = AttemptPolicy.BEST) -> Course:
    engine = make_engine(url, durable=False)
    with write_session(engine) as session:
        term = Term(slug="spring", title="Spring", timezone="Asia/Shanghai")
        session.add(term)
        session.flush()
        offering = Offering(
            term_id=term.id,
            kind=OfferingKind.LAB,
            assignment_slug="sums",
            title="Sums",
            points=Decimal(14),
            position=1,
            opens_at=NOON - timedelta(days=7),
            due_at=NOON + timedelta(days=7),
            policy=policy,
            published=True,
        )
        session.add(offering)
        session.flush()
        return Course(engine, DictEngine(), offering.id, term.id)


@pytest.fixture
def new_course(tmp_path):
    """A maker of courses, each in a database of its own."""
    made = []

    def make(policy=AttemptPolicy.BEST):
        made.append(make_course(sqlite_url(tmp_path / f"course{len(made)}.db"), policy))
        return made[-1]

    yield make
    for course in made:
        course.engine.dispose()


@pytest.fixture
def course(new_course):
    """One course."""
    return new_course()


@pytest.fixture
def new_report():
    """A maker of reports: ``new_report(2.5)``."""
    return bare_report
