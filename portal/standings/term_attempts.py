"""Every attempt of a term at once, without the reports: what scores are worked out from."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager, defer

from portal.courses.models import Offering
from portal.grants.service import Place, granted_in_term
from portal.runs.models import GradingRun, Result, RunState
from portal.standings.attempts import Attempt, conditions_of
from portal.submissions.models import Submission


def attempts_in_term(
    session: Session, term_id: int, enrolment_id: int | None = None
) -> dict[Place, list[Attempt]]:
    """Return the attempts of a term, or of one student in it, in two queries."""
    granted = granted_in_term(session, term_id)
    speaking: dict[str, Attempt] = {}
    for submission, run, result in session.execute(_query(term_id, enrolment_id)):
        present = speaking.get(submission.id)
        # As `runs.current_runs` has it: the newest graded run speaks, else the newest.
        graded = present is not None and present.run.state is RunState.GRADED
        if not graded or run.state is RunState.GRADED:
            own = conditions_of(submission, granted)
            speaking[submission.id] = Attempt(submission, run, result, own)
    places: dict[Place, list[Attempt]] = {}
    for attempt in speaking.values():
        place = (attempt.submission.enrolment_id, attempt.submission.offering_id)
        places.setdefault(place, []).append(attempt)
    return places


def _query(term_id: int, enrolment_id: int | None) -> Select[Submission, GradingRun, Result]:
    query = (
        select(Submission, GradingRun, Result)
        .join(Offering, Submission.offering_id == Offering.id)
        .join(GradingRun, GradingRun.submission_id == Submission.id)
        .outerjoin(Result, Result.run_id == GradingRun.id)
        .where(Offering.term_id == term_id)
        .options(
            contains_eager(Submission.offering),
            defer(Submission.intake, raiseload=True),
            defer(Result.report, raiseload=True),
            defer(Result.environment, raiseload=True),
        )
        .order_by(GradingRun.created_at, GradingRun.id)
    )
    if enrolment_id is not None:
        query = query.where(Submission.enrolment_id == enrolment_id)
    return query
