"""Which run speaks for a submission: the newest graded one, else the newest. Said here alone."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.runs.models import GradingRun, RunState

# The order of a submission's runs in which the first one speaks.
SPEAKS_FIRST = (
    (GradingRun.state == RunState.GRADED).desc(),
    GradingRun.created_at.desc(),
    GradingRun.id.desc(),
)


def current_runs(session: Session, submission_ids: Iterable[str]) -> dict[str, GradingRun]:
    """Return the run that speaks for each submission."""
    runs = session.scalars(
        select(GradingRun)
        .where(GradingRun.submission_id.in_(list(submission_ids)))
        .order_by(*SPEAKS_FIRST)
    )
    chosen: dict[str, GradingRun] = {}
    for run in runs:
        chosen.setdefault(run.submission_id, run)
    return chosen
