"""Trying a regrade: what is graded anew counts for nothing until somebody lets it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Catalogue
from portal.audit.service import record
from portal.courses.models import Term
from portal.marking.models import RegradeTrial, TrialRun, TrialState
from portal.marking.trialpage import TrialPage, TrialRow, read_trial
from portal.platform.engine import JobEngine
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.reasons import for_the_history
from portal.runs import service as runs
from portal.runs.models import GradingRun
from portal.runs.queues import queue_of
from portal.runs.speaking import current_runs
from portal.runs.suites import digest_of
from portal.submissions.models import Submission

MAX_REASON = 4000


class Which(StrEnum):
    """Which of a trial's runs are let count."""

    ALL = "all"
    CHANGING = "changing"


def begin_trial(
    session: Session,
    jobs: JobEngine,
    catalogue: Catalogue,
    submission_ids: Sequence[str],
    *,
    key: str,
    term: Term,
    actor_id: int,
    now: datetime,
) -> RegradeTrial:
    """Queue a run of each submission behind everything else, none of which speaks.

    The same `key` begins one trial. Each submission must have a run that speaks, and the files of
    its lab must be here.
    """
    # Pressed twice at one instant: the second waits here until it can see the first one's trial.
    session.execute(select(Term.id).where(Term.id == term.id).with_for_update())
    known = session.get(RegradeTrial, key)
    if known is not None:
        return known
    if not submission_ids:
        raise Invalid(gettext("nothing was found to try; go back and look again"))
    trial = RegradeTrial(id=key, term_id=term.id, author_id=actor_id, created_at=now)
    session.add(trial)
    session.flush()
    _queue(session, jobs, catalogue, trial, submission_ids)
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="trial.begin",
        subject=f"term:{term.slug}",
        trial=trial.id,
        submissions=len(submission_ids),
    )
    return trial


def let_count(
    session: Session,
    catalogue: Catalogue,
    trial_id: str,
    *,
    which: Which,
    count: str,
    reason: str,
    actor_id: int,
    now: datetime,
) -> int:
    """Let runs of a trial speak, once; return how many. The standings follow in the transaction.

    `count` is how many its reader was told. Raises Invalid if there are others by now, if the trial
    was ended, goes on or is stale, and without a reason.
    """
    trial = _open(session, trial_id)
    reason = for_the_history(reason, MAX_REASON)
    _keep_regrades_out(session, trial)
    page = read_trial(session, catalogue, trial)
    chosen = page.to_count if which is Which.ALL else page.changing
    _refuse_early(page)
    if not chosen or str(len(chosen)) != count:
        raise Invalid(
            gettext("meanwhile submissions were graded anew; go back, reload and look again")
        )
    for row in chosen:
        _speak(session, row, trial, actor_id=actor_id, now=now)
    trial.reason = reason
    _end(session, trial, TrialState.APPLIED, len(chosen), actor_id=actor_id, now=now)
    return len(chosen)


def discard(session: Session, trial_id: str, *, actor_id: int, now: datetime) -> list[str]:
    """End a trial of which nothing is to count; return the runs whose jobs are to be cancelled.

    What is being graded goes on to its end, and does not speak.
    """
    trial = _open(session, trial_id)
    mine = select(TrialRun.run_id).where(TrialRun.trial_id == trial.id)
    given_up = runs.give_up(session, session.scalars(mine).all(), now=now)
    _end(session, trial, TrialState.DISCARDED, 0, actor_id=actor_id, now=now)
    return given_up


def _queue(
    session: Session,
    jobs: JobEngine,
    catalogue: Catalogue,
    trial: RegradeTrial,
    submission_ids: Sequence[str],
) -> None:
    before = current_runs(session, submission_ids)
    labs = {}
    for number in submission_ids:
        submission = session.get_one(Submission, number)
        slug = submission.offering.assignment_slug or ""
        if slug not in labs:
            lab = catalogue.get(slug)
            labs[slug] = digest_of(lab), queue_of(lab.assignment)
        digest, queue = labs[slug]
        run = runs.open_run(
            session,
            jobs,
            submission,
            suite_digest=digest,
            queue=queue,
            base_priority=runs.PRIORITY_TRIAL,
            now=trial.created_at,
            reason_key=f"trial:{trial.id}",
            speaks=False,
        )
        session.add(TrialRun(run_id=run.id, trial_id=trial.id, before_id=before[number].id))


def _open(session: Session, trial_id: str) -> RegradeTrial:
    """Return a trial that nobody has ended, and keep others from ending it meanwhile."""
    trial = session.get_one(RegradeTrial, trial_id, with_for_update=True)
    if trial.state is TrialState.APPLIED:
        raise Invalid(gettext("somebody has let this trial count already; reload the page"))
    if trial.state is TrialState.DISCARDED:
        raise Invalid(gettext("somebody has discarded this trial; reload the page"))
    return trial


def _keep_regrades_out(session: Session, trial: RegradeTrial) -> None:
    """Let no submission of a trial be regraded until this is committed."""
    mine = (
        select(GradingRun.submission_id)
        .join(TrialRun, TrialRun.run_id == GradingRun.id)
        .where(TrialRun.trial_id == trial.id)
    )
    session.execute(
        select(Submission.id)
        .where(Submission.id.in_(mine))
        .order_by(Submission.received_at, Submission.id)
        .with_for_update()
    )


def _refuse_early(page: TrialPage) -> None:
    if page.stale:
        raise Invalid(
            gettext("the tests have changed since this trial began; discard it and try again")
        )
    if page.waiting:
        raise Invalid(gettext("the trial still goes on; wait until all of it is graded"))


def _speak(
    session: Session, row: TrialRow, trial: RegradeTrial, *, actor_id: int, now: datetime
) -> None:
    row.run.speaks = True
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="submission.regrade",
        subject=f"submission:{row.submission.id}",
        run=row.run.id,
        trial=trial.id,
    )


def _end(
    session: Session,
    trial: RegradeTrial,
    state: TrialState,
    count: int,
    *,
    actor_id: int,
    now: datetime,
) -> None:
    trial.state, trial.ended_by_id, trial.ended_at = state, actor_id, now
    applied = state is TrialState.APPLIED
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="trial.apply" if applied else "trial.discard",
        subject=f"term:{trial.term.slug}",
        trial=trial.id,
        **({"submissions": count, "reason": trial.reason} if applied else {}),
    )
