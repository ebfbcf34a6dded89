"""How many late days a student has left."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.courses.models import Enrolment, Offering
from portal.standings.models import StudentStanding


def late_days_left(session: Session, enrolment: Enrolment) -> int:
    """Return how many of a term's late days a student has not spent."""
    return max(0, enrolment.term.late_days - _spent(session, enrolment.id))


def late_days_for(session: Session, enrolment: Enrolment, offering: Offering) -> int:
    """Return how many late days an upload to a lab may take: what other labs spent is gone."""
    if not enrolment.term.late_days:
        return 0
    elsewhere = _spent(session, enrolment.id, but=offering.id)
    return enrolment.term.bank.available(elsewhere)


def _spent(session: Session, enrolment_id: int, but: int | None = None) -> int:
    query = select(func.sum(StudentStanding.days_spent)).where(
        StudentStanding.enrolment_id == enrolment_id
    )
    if but is not None:
        query = query.where(StudentStanding.offering_id != but)
    return int(session.scalar(query) or 0)
