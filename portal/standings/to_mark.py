"""Whose work waits for a mark by hand."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Catalogue
from portal.courses.models import Enrolment, Offering, Role
from portal.people.models import User
from portal.standings.models import StudentStanding
from portal.standings.rubric import manual_items


@dataclass(frozen=True)
class Unmarked:
    """A student's counted attempt that lacks a mark."""

    enrolment_id: int
    submission_id: str


def to_mark(session: Session, catalogue: Catalogue, offering: Offering) -> list[Unmarked]:
    """Return what waits in an offering, by the students' names.

    What the tests could not judge waits for that first.
    """
    items = {item.id for item in manual_items(catalogue, offering)}
    if not items:
        return []
    query = (
        select(StudentStanding.enrolment_id, StudentStanding.submission_id, StudentStanding.marks)
        .join(Enrolment, StudentStanding.enrolment_id == Enrolment.id)
        .join(User, Enrolment.user_id == User.id)
        .where(
            StudentStanding.offering_id == offering.id,
            StudentStanding.submission_id.is_not(None),
            StudentStanding.pending == 0,
            Enrolment.active,
            Enrolment.role == Role.STUDENT,
        )
        .order_by(User.display_name, User.username)
    )
    return [
        Unmarked(enrolment, submission)
        for enrolment, submission, marks in session.execute(query)
        if submission and not items <= set(marks)
    ]
