"""Grading a submission anew, by the suite as it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, case, func, null, or_, select
from sqlalchemy.orm import Session

from grader.api import Catalogue, ManifestError, UnknownAssignment
from portal.audit.service import record
from portal.marking.finding import Filter, labs_of, matching
from portal.platform.db import sought_last
from portal.platform.engine import JobEngine
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.runs import service as runs
from portal.runs.models import OPEN_STATES, GradingRun
from portal.runs.queues import queue_of
from portal.runs.speaking import MAY_SPEAK, graded_suite
from portal.runs.suites import digest_now, digest_of
from portal.submissions.models import Submission


@dataclass(frozen=True)
class Batch:
    """The submissions that a filter finds, and which of them a regrade would grade otherwise."""

    all: tuple[str, ...]
    outdated: tuple[str, ...]  # graded by another suite than today's, or not to an end


@dataclass(frozen=True)
class BatchSize:
    """How many of each there are."""

    all: int
    outdated: int


def batch(session: Session, catalogue: Catalogue, wanted: Filter) -> Batch:
    """Return what a filter finds, the oldest first.

    Without what is in the queue or being graded anyway, and what has no files here to grade it by.
    """
    query = _regradable(session, catalogue, wanted)
    found = session.execute(query.order_by(Submission.received_at, Submission.id)).all()
    return Batch(
        tuple(number for number, _ in found),
        tuple(number for number, outdated in found if outdated),
    )


def batch_size(session: Session, catalogue: Catalogue, wanted: Filter) -> BatchSize:
    """Count what `batch` returns."""
    found = _regradable(session, catalogue, wanted).subquery()
    counts = select(func.count(), func.count().filter(found.c.outdated)).select_from(found)
    return BatchSize(*session.execute(counts).one())


def _regradable(session: Session, catalogue: Catalogue, wanted: Filter) -> Select[str, bool]:
    """Select what can be graded anew, each with whether it would be otherwise than it was."""
    digests = {
        lab.id: digest
        for lab in labs_of(session, wanted)
        if (digest := digest_now(catalogue, lab.assignment_slug)) is not None
    }
    waiting = select(GradingRun.submission_id).where(GradingRun.state.in_(OPEN_STATES), MAY_SPEAK)
    today = case(digests, value=Submission.offering_id) if digests else null()
    graded_by = func.coalesce(graded_suite(Submission.id), "")
    return (
        matching(wanted)
        .add_columns((graded_by != today).label("outdated"))
        .where(sought_last(Submission.offering_id).in_(digests), Submission.id.not_in(waiting))
    )


def confirmed(
    session: Session, catalogue: Catalogue, wanted: Filter, form: Mapping[str, str]
) -> tuple[str, ...]:
    """Return which submissions a form asks for by a filter; Invalid if they are others by now."""
    found = batch(session, catalogue, wanted)
    chosen = found.outdated if form.get("which") == "outdated" else found.all
    if str(len(chosen)) != form.get("count"):
        raise Invalid(
            gettext(
                "meanwhile other submissions came or were graded; go back, reload and look again"
            )
        )
    return chosen


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
    """Queue a new run of a submission, behind fresh ones; return it.

    The same `key` queues it once. While another run of it waits or goes on, nothing is queued: that
    one is returned, whoever asked for it. Raises Invalid if the lab's files are not on this server.
    """
    reason = f"regrade:{key}"
    # Pressed twice at one instant: the second waits here until it can see the first one's run.
    session.execute(select(Submission.id).where(Submission.id == submission.id).with_for_update())
    known = session.scalar(
        select(GradingRun).where(
            GradingRun.submission_id == submission.id,
            MAY_SPEAK,
            or_(GradingRun.reason_key == reason, GradingRun.state.in_(OPEN_STATES)),
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
