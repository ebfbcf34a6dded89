"""Attempts with results that no worker has graded: rows, as grading would have left them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.report import Report
from portal.courses.models import Enrolment, Term
from portal.marking.models import RegradeTrial, TrialRun
from portal.platform.db import write_session
from portal.runs import service as runs
from portal.runs.models import GradingRun, RunState
from portal.runs.speaking import current_runs
from portal.runs.web import engine_jobs
from portal.submissions.members import sent_by
from portal.submissions.models import Submission, SubmissionMember
from portal.teams.models import Team, TeamMove
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
        mates: Sequence[Enrolment] = (),
    ) -> list[str]:
        """Add an attempt a score; None for one that still waits. Return the submissions' ids.

        `mates` are in the team of whoever sends them.
        """
        reports = [None if score is None else class_report(score, detail) for score in scores]
        return self.send_reports(who, *reports, code=code, at=at, mates=mates)

    def send_reports(
        self,
        who: Enrolment,
        *reports: Report | None,
        code: bytes = ANSWER,
        at: datetime = START,
        mates: Sequence[Enrolment] = (),
    ) -> list[str]:
        """Add an attempt a report, as `send` does."""
        digest = self._site.store.put(code)
        with write_session(self.engine) as session:
            added = []
            for report in reports:
                self._made += 1
                when = at + timedelta(minutes=self._made)
                submission = self._submission(session, who, mates, digest, len(code), when)
                self._run(session, submission, report)
                added.append(submission.id)
            return added

    def try_regrade(
        self, who: Enrolment, *submissions: str, score: float | None = 5.0
    ) -> tuple[uuid.UUID, uuid.UUID]:
        """Let a trial have graded submissions anew; None: they still wait.

        Return the ids of the trial, and of the run of the first.
        """
        trial, *runs_made = (self._id_of_digits() for _ in range(len(submissions) + 1))
        with write_session(self.engine) as session:
            before = current_runs(session, submissions)
            session.add(
                RegradeTrial(
                    id=str(trial), term_id=who.term_id, author_id=who.user_id, created_at=START
                )
            )
            session.flush()
            for number, made in zip(submissions, runs_made, strict=True):
                report = None if score is None else class_report(score, "AssertionError: 0.5")
                submission = session.get_one(Submission, number)
                self._run(session, submission, report, run_id=str(made), speaks=False)
                session.add(
                    TrialRun(run_id=str(made), trial_id=str(trial), before_id=before[number].id)
                )
        return trial, runs_made[0]

    def _id_of_digits(self) -> uuid.UUID:
        """Return a new id without letters, which a page could take for words."""
        self._made += 1
        return uuid.UUID(f"{2 * 10**7 + self._made:032d}")

    def _submission(
        self,
        session: Session,
        who: Enrolment,
        mates: Sequence[Enrolment],
        digest: str,
        size: int,
        when: datetime,
    ) -> Submission:
        people = [one.id for one in (who, *mates)]
        last = select(func.max(Submission.attempt)).where(sent_by(people, self.offering_id))
        team_id = self._team(session, people) if mates else None
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
            attempt=(session.scalar(last) or 0) + 1,
            received_at=when,
            team_id=team_id,
            members=[SubmissionMember(enrolment_id=one) for one in people],
        )
        session.add(submission)
        session.flush()
        return submission

    def _team(self, session: Session, people: Sequence[int]) -> int:
        """Return the team of these people, formed if there is none."""
        name = f"Team {'-'.join(map(str, sorted(people)))}"
        here = (Team.offering_id == self.offering_id, Team.name == name)
        team = session.scalar(select(Team).where(*here))
        if team is None:
            team = Team(offering_id=self.offering_id, name=name, created_at=START)
            session.add(team)
            session.flush()
            for one in people:
                author = session.get_one(Enrolment, one).user_id
                session.add(TeamMove(team_id=team.id, enrolment_id=one, author_id=author, at=START))
            session.flush()
        return team.id

    def _run(
        self,
        session: Session,
        submission: Submission,
        report: Report | None,
        *,
        run_id: str = "",
        speaks: bool = True,
    ) -> None:
        run = GradingRun(
            id=run_id or str(uuid.UUID(int=10**6 + self._made)),
            submission_id=submission.id,
            suite_digest="s",
            reason_key="" if speaks else f"trial:{run_id}",
            queue="cpu",
            priority=1,
            speaks=speaks,
            state=RunState.QUEUED if report is None else RunState.GRADED,
            created_at=submission.received_at + timedelta(hours=0 if speaks else 1),
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
