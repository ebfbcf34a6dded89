"""Grading a submission anew, by the suite as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Catalogue, ManifestError, UnknownAssignment
from portal.audit.service import record
from portal.courses.models import Offering
from portal.marking.service import Filter, ids_of
from portal.platform.engine import JobEngine
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.runs import service as runs
from portal.runs.models import OPEN_STATES, GradingRun, RunState
from portal.runs.queues import queue_of
from portal.runs.speaking import current_runs
from portal.runs.suites import digest_of
from portal.submissions.models import Submission


@dataclass(frozen=True)
class Batch:
    """The submissions that a filter finds, and which of them a regrade would grade otherwise."""

    all: tuple[str, ...]
    outdated: tuple[str, ...]  # graded by another suite than today's, or not to an end


def batch(session: Session, catalogue: Catalogue, wanted: Filter) -> Batch:
    """Return what a filter finds, without what is in the queue or being graded anyway."""
    ids = ids_of(session, wanted)
    current = current_runs(session, ids)
    slugs = (
        select(Submission.id, Offering.assignment_slug)
        .join(Submission.offering)
        .where(Submission.id.in_(ids))
    )
    assignment = {number: slug for number, slug in session.execute(slugs)}
    waiting = set(
        session.scalars(
            select(GradingRun.submission_id).where(
                GradingRun.submission_id.in_(ids), GradingRun.state.in_(OPEN_STATES)
            )
        )
    )
    digests: dict[str | None, str | None] = {}
    found, outdated = [], []
    for number in ids:
        slug = assignment[number]
        if slug not in digests:
            digests[slug] = _digest(catalogue, slug)
        run = current.get(number)
        if run is None or number in waiting or digests[slug] is None:
            continue
        found.append(number)
        if run.state is not RunState.GRADED or run.suite_digest != digests[slug]:
            outdated.append(number)
    return Batch(tuple(found), tuple(outdated))


def regrade_many(
    session: Session,
    jobs: JobEngine,
    catalogue: Catalogue,
    submission_ids: Sequence[str],
    *,
    key: str,
    actor_id: int,
    now: datetime,
) -> int:
    """Queue a new run of each submission, behind fresh ones; return how many."""
    for number in submission_ids:
        regrade(
            session,
            jobs,
            catalogue,
            session.get_one(Submission, number),
            key=key,
            actor_id=actor_id,
            now=now,
        )
    return len(submission_ids)


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
        raise Invalid(
            gettext("this submission cannot be graded now: %(error)s", error=error)
        ) from error
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


def _digest(catalogue: Catalogue, slug: str | None) -> str | None:
    """Return the digest of a lab's suite; None if its files are not here."""
    try:
        return digest_of(catalogue.get(slug or ""))
    except (UnknownAssignment, ManifestError):
        return None
