"""Which run speaks for a submission: the newest graded one, else the newest. Said here alone.

Runs of a trial do not speak, until somebody lets them count. Whoever reads runs for anything but a
trial asks for those that may: `MAY_SPEAK`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from portal.runs.models import GradingRun, RunState

Correlated = InstrumentedAttribute[str]  # the submission's id, of the query around

MAY_SPEAK = GradingRun.speaks
# The order of a submission's runs in which the first one that may speak does.
SPEAKS_FIRST = (
    (GradingRun.state == RunState.GRADED).desc(),
    GradingRun.created_at.desc(),
    GradingRun.id.desc(),
)


def has_graded(submission_id: Correlated) -> ColumnElement[bool]:
    """Return the condition that the run which speaks for a submission is a graded one."""
    return exists().where(
        GradingRun.submission_id == submission_id, MAY_SPEAK, GradingRun.state == RunState.GRADED
    )


def graded_suite(submission_id: Correlated) -> ScalarSelect[str]:
    """Select the digest of the suite by which a submission's speaking run was graded, if it was."""
    return (
        select(GradingRun.suite_digest)
        .where(
            GradingRun.submission_id == submission_id,
            MAY_SPEAK,
            GradingRun.state == RunState.GRADED,
        )
        .order_by(*SPEAKS_FIRST[1:])
        .limit(1)
        .scalar_subquery()
    )


def spoken_for_by(states: Collection[RunState]) -> Select[str]:
    """Select the submissions for which a run in one of some states speaks, none of them graded.

    Found from the runs in these states, which are few.
    """
    other = aliased(GradingRun)
    newer = or_(
        other.created_at > GradingRun.created_at,
        and_(other.created_at == GradingRun.created_at, other.id > GradingRun.id),
    )
    speaks_before = exists().where(
        other.submission_id == GradingRun.submission_id,
        other.speaks,
        or_(other.state == RunState.GRADED, newer),
    )
    return select(GradingRun.submission_id).where(
        GradingRun.state.in_(states), MAY_SPEAK, ~speaks_before
    )


def current_runs(session: Session, submission_ids: Iterable[str]) -> dict[str, GradingRun]:
    """Return the run that speaks for each submission."""
    runs = session.scalars(
        select(GradingRun)
        .where(GradingRun.submission_id.in_(list(submission_ids)), MAY_SPEAK)
        .order_by(*SPEAKS_FIRST)
    )
    chosen: dict[str, GradingRun] = {}
    for run in runs:
        chosen.setdefault(run.submission_id, run)
    return chosen
