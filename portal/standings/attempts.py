"""A student's attempts at an offering, and which of them counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.courses.models import AttemptPolicy, Enrolment, Offering
from portal.courses.policy import NOTHING, Conditions, Granted, conditions
from portal.grants.service import Place, granted_to
from portal.runs import service as runs
from portal.runs.models import GradingRun, Result, RunState
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
    def days_late(self) -> int:
        """How many days it came late; a day begun is a day."""
        return self.conditions.days_late(self.submission.received_at)

    @property
    def late_factor(self) -> Decimal:
        """Which share of its points it keeps: 1 in time, less for each day late."""
        return self.conditions.late_factor(self.submission.received_at)

    @property
    def state(self) -> RunState:
        """How its run stands."""
        return self.run.state

    @property
    def score(self) -> float | None:
        """Points by tests, in the assignment's own points; None without a result."""
        return self.result.score if self.result else None

    @property
    def worth(self) -> Decimal:
        """Points by tests after what its lateness costs: by this attempts are compared."""
        return Decimal(str(self.score or 0)) * self.late_factor


def attempts_of(session: Session, enrolment: Enrolment, offering: Offering) -> list[Attempt]:
    """Return a student's attempts at an offering, the newest first."""
    return _attempts(
        session,
        session.scalars(
            select(Submission)
            .where(Submission.enrolment_id == enrolment.id, Submission.offering_id == offering.id)
            .order_by(Submission.attempt.desc())
        ).all(),
    )


def attempt_of(session: Session, submission: Submission) -> Attempt:
    """Return one submission as an attempt."""
    return _attempts(session, [submission])[0]


def conditions_of(submission: Submission, granted: Mapping[Place, Granted]) -> Conditions:
    """Return the conditions under which a submission was sent, by what its student was granted."""
    own = granted.get((submission.enrolment_id, submission.offering_id), NOTHING)
    return conditions(submission.offering, own)


def counted(attempts: Iterable[Attempt], policy: AttemptPolicy) -> Attempt | None:
    """Return the attempt that counts among one student's: the last graded, or the best.

    The best is that whose points by tests are the most after what its lateness costs. Of equal ones
    the latest counts: it holds what the student wrote last, for the person who marks it.
    """
    graded = [attempt for attempt in attempts if attempt.result is not None]
    if not graded:
        return None
    if policy is AttemptPolicy.LAST:
        return max(graded, key=lambda attempt: attempt.submission.attempt)
    return max(graded, key=lambda attempt: (attempt.worth, attempt.submission.attempt))


def _attempts(session: Session, submissions: Sequence[Submission]) -> list[Attempt]:
    """Join submissions with their runs and results, in as many queries whatever their number."""
    current = runs.current_runs(session, [submission.id for submission in submissions])
    run_ids = [run.id for run in current.values()]
    results = {
        result.run_id: result
        for result in session.scalars(select(Result).where(Result.run_id.in_(run_ids)))
    }
    granted = granted_to(session, {submission.enrolment_id for submission in submissions})
    return [
        Attempt(submission, run, results.get(run.id), conditions_of(submission, granted))
        for submission in submissions
        if (run := current.get(submission.id)) is not None
    ]
