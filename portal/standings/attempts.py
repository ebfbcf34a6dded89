"""Submissions as pages show them: each with the run that speaks for it, and its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, load_only

from portal.courses.models import Enrolment, Offering
from portal.courses.policy import Conditions
from portal.grants.service import conditions_together, granted_to
from portal.runs.models import GradingRun, Result, RunState
from portal.runs.speaking import current_runs
from portal.submissions.members import sent_by
from portal.submissions.models import Submission


@dataclass(frozen=True)
class Attempt:
    """One submission with the run that speaks for it and, once there is one, its result."""

    submission: Submission
    run: GradingRun
    result: Result | None
    conditions: Conditions  # that hold for its members

    @property
    def late(self) -> bool:
        """Whether it came after its members' due date."""
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
    """Return the attempts that a student had a part in, the newest first, without the reports."""
    mine = session.scalars(
        select(Submission)
        .where(sent_by([enrolment.id], offering.id))
        .options(joinedload(Submission.members))
        .order_by(Submission.attempt.desc())
    )
    return attempts_from(session, mine.unique().all())


def attempt_of(session: Session, submission: Submission) -> Attempt:
    """Return one submission as an attempt, with its report."""
    return attempts_from(session, [submission], reports=True)[0]


def attempts_from(
    session: Session, submissions: Sequence[Submission], *, reports: bool = False
) -> list[Attempt]:
    """Join submissions with their runs and results, in as many queries whatever their number.

    If the members of several are loaded already, that is.
    """
    current = current_runs(session, [submission.id for submission in submissions])
    found = select(Result).where(Result.run_id.in_([run.id for run in current.values()]))
    if not reports:
        # From their index: in a row scores stand behind the report, which is long.
        scores = (Result.score, Result.max_score, Result.pending_score)
        found = found.options(load_only(*scores, raiseload=True))
    results = {result.run_id: result for result in session.scalars(found)}
    members = {one.id: [each.enrolment_id for each in one.members] for one in submissions}
    granted = granted_to(session, set(chain.from_iterable(members.values())))
    return [
        Attempt(
            submission,
            run,
            results.get(run.id),
            conditions_together(granted, members[submission.id], submission.offering),
        )
        for submission in submissions
        if (run := current.get(submission.id)) is not None
    ]
