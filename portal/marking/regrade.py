"""Grading a submission anew, by the suite as it is now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Catalogue, ManifestError, UnknownAssignment
from portal.audit.service import record
from portal.platform.engine import JobEngine
from portal.platform.errors import Invalid
from portal.runs import service as runs
from portal.runs.models import GradingRun
from portal.runs.queues import queue_of
from portal.runs.suites import digest_of
from portal.submissions.models import Submission


def regrade(
    session: Session,
    jobs: JobEngine,
    catalogue: Catalogue,
    submission: Submission,
    *,
    key: str,
    actor_id: int,
    now: datetime,
) -> GradingRun:
    """Queue a new run of a submission, behind fresh ones; the same `key` queues it once.

    Raises Invalid if the lab's files are not on this server.
    """
    reason = f"regrade:{key}"
    # Pressed twice at one instant: the second waits here until it can see the first one's run.
    session.execute(select(Submission.id).where(Submission.id == submission.id).with_for_update())
    known = session.scalar(
        select(GradingRun).where(
            GradingRun.submission_id == submission.id, GradingRun.reason_key == reason
        )
    )
    if known is not None:
        return known
    try:
        lab = catalogue.get(submission.offering.assignment_slug or "")
    except (UnknownAssignment, ManifestError) as error:
        raise Invalid(f"this submission cannot be graded now: {error}") from error
    run = runs.open_run(
        session,
        jobs,
        submission,
        suite_digest=digest_of(lab),
        queue=queue_of(lab.assignment),
        base_priority=runs.PRIORITY_REGRADE,
        now=now,
        reason_key=reason,
    )
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="submission.regrade",
        subject=f"submission:{submission.id}",
        run=run.id,
    )
    return run
