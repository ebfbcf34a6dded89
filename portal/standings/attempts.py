"""Submissions as pages show them: each with the run that speaks for it, and its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from portal.courses.models import Enrolment, Offering
from portal.courses.policy import NOTHING, Conditions, Granted, conditions
from portal.grants.service import Place, granted_to
from portal.runs.models import GradingRun, Result, RunState
from portal.runs.speaking import current_runs
from portal.submissions.models import Submission


@dataclass(frozen=True)
class Attempt:
    """One submission with the run that speaks for it and, once there is one, its result."""

    submission: Submission
    run: GradingRun
    result: Result | None
    conditions: Conditions  # that hold for its student

    @property
    def late(self) -> bool:
        """Whether it came after its student's due date."""
        return self.conditions.is_late(self.submission.received_at)

    @property
    def state(self) -> RunState:
        """How its run stands."""
        return self.run.state

    @property
    def score(self) -> float | None:
        """Points by tests, in the assignment's own points; None without a result."""
        return self.result.score if self.result else None


def attempts_of(session: Session, enrolment: Enrolment, offering: Offering) -> list[Attempt]:
    """Return a student's attempts at an offering, the newest first, without the reports."""
    mine = session.scalars(
        select(Submission)
        .where(Submission.enrolment_id == enrolment.id, Submission.offering_id == offering.id)
        .order_by(Submission.attempt.desc())
    ).all()
    return attempts_from(session, mine)


def attempt_of(session: Session, submission: Submission) -> Attempt:
    """Return one submission as an attempt, with its report."""
    return attempts_from(session, [submission], reports=True)[0]


def attempts_from(
    session: Session, submissions: Sequence[Submission], *, reports: bool = False
) -> list[Attempt]:
    """Join submissions with their runs and results, in as many queries whatever their number."""
    current = current_runs(session, [submission.id for submission in submissions])
    found = select(Result).where(Result.run_id.in_([run.id for run in current.values()]))
    if not reports:
        found = found.options(defer(Result.report, raiseload=True))
    results = {result.run_id: result for result in session.scalars(found)}
    granted = granted_to(session, {submission.enrolment_id for submission in submissions})
    return [
        Attempt(submission, run, results.get(run.id), _conditions_of(submission, granted))
        for submission in submissions
        if (run := current.get(submission.id)) is not None
    ]


def _conditions_of(submission: Submission, granted: Mapping[Place, Granted]) -> Conditions:
    """Return the conditions under which a submission was sent, by what its student was granted."""
    own = granted.get((submission.enrolment_id, submission.offering_id), NOTHING)
    return conditions(submission.offering, own)
