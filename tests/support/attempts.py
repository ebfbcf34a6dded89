"""Attempts with results that no worker has graded: rows, as grading would have left them."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.report import Report
from portal.courses.models import Enrolment, Term
from portal.platform.db import write_session
from portal.runs import service as runs
from portal.runs.models import GradingRun, RunState
from portal.runs.speaking import current_runs
from portal.runs.web import engine_jobs
from portal.submissions.models import Submission
from support.portal import START, Site
from support.reports import class_report

ANSWER = b"def answer():\n    return 42\n"


class Classroom:
    """A term with the lab `demo`, in which students have results without a worker."""

    def __init__(self, site: Site) -> None:
        self.engine, self.offering_id, self.enrol = site.engine, site.offering_id, site.make_member
        self._site = site
        self._made = 0

    @property
    def term(self) -> Term:
        """The term."""
        return self._site.term

    def send(
        self,
        who: Enrolment,
        *scores: float | None,
        code: bytes = ANSWER,
        detail: str = "AssertionError: relative error 0.25",
        at: datetime = START,
    ) -> list[str]:
        """Add an attempt a score; None for one that still waits. Return the submissions' ids."""
        reports = [None if score is None else class_report(score, detail) for score in scores]
        return self.send_reports(who, *reports, code=code, at=at)

    def send_reports(
        self, who: Enrolment, *reports: Report | None, code: bytes = ANSWER, at: datetime = START
    ) -> list[str]:
        """Add an attempt a report, as `send` does."""
        digest = self._site.store.put(code)
        with write_session(self.engine) as session:
            added = []
            for report in reports:
                self._made += 1
                when = at + timedelta(minutes=self._made)
                submission = self._submission(session, who, digest, len(code), when)
                self._run(session, submission, report)
                added.append(submission.id)
            return added

    def _submission(
        self, session: Session, who: Enrolment, digest: str, size: int, when: datetime
    ) -> Submission:
        earlier = select(Submission.id).where(
            Submission.enrolment_id == who.id, Submission.offering_id == self.offering_id
        )
        submission = Submission(
            id=str(uuid.UUID(int=self._made)),
            enrolment_id=who.id,
            offering_id=self.offering_id,
            client_key=f"key-{self._made}",
            upload_sha256=digest,
            filename="answer.py",
            size=size,
            content_digest=digest,
            intake='{"files": []}',
            attempt=len(session.scalars(earlier).all()) + 1,
            received_at=when,
        )
        session.add(submission)
        session.flush()
        return submission

    def _run(self, session: Session, submission: Submission, report: Report | None) -> None:
        run = GradingRun(
            id=f"run-{self._made}",
            submission_id=submission.id,
            suite_digest="s",
            queue="cpu",
            priority=1,
            state=RunState.QUEUED if report is None else RunState.GRADED,
            created_at=submission.received_at,
        )
        session.add(run)
        session.flush()
        if report is not None:
            runs.add_result(session, run.id, report, fence=1, now=run.created_at)


def book(site: Site, submission_id: str, report: Report) -> None:
    """Book a report for a submission's run, as a worker does."""
    with write_session(site.engine) as session:
        held = _claim(session, submission_id, site.clock())
        assert runs.finish(session, held, report, now=site.clock())


def fault(
    site: Site, submission_id: str, times: int = runs.MAX_FAULTS, said: str = "disk full"
) -> None:
    """Let grading fail through our fault."""
    for _ in range(times):
        with site.app.test_request_context():
            jobs = engine_jobs()  # writes its own tables when it is first made
        with write_session(site.engine) as session:
            held = _claim(session, submission_id, site.clock())
            runs.fail(session, jobs, held, fault=said, now=site.clock())


def _claim(session: Session, submission_id: str, now: datetime) -> runs.Claim:
    run = current_runs(session, [submission_id])[submission_id]
    held = runs.claim(session, run.id, executor="w", now=now)
    assert held is not None
    return held
