"""Whose work waits for a mark by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Catalogue
from portal.courses.models import Enrolment, Offering, Role
from portal.standings.models import StudentStanding
from portal.standings.opinions import Opinions, opinions_of
from portal.standings.rubric import manual_items
from portal.submissions.models import Submission


@dataclass(frozen=True)
class Unmarked:
    """An attempt that counts and lacks a mark; of a team that sent it, once."""

    enrolment_id: int  # of its sender
    submission_id: str


def to_mark(
    session: Session, catalogue: Catalogue, offering: Offering, reader_id: int
) -> list[Unmarked]:
    """Return what waits for somebody in an offering, in the order of its lots.

    What the tests could not judge waits for that first. Where two people mark, what the reader has
    marked waits for others.
    """
    items = {item.id for item in manual_items(catalogue, offering)}
    if not items:
        return []
    query = (
        select(Submission.enrolment_id, Submission.id, StudentStanding.marks)
        .join(StudentStanding, StudentStanding.submission_id == Submission.id)
        .join(Enrolment, StudentStanding.enrolment_id == Enrolment.id)
        .where(
            StudentStanding.offering_id == offering.id,
            StudentStanding.pending == 0,
            Enrolment.active,
            Enrolment.role == Role.STUDENT,
        )
    )
    opinions = opinions_of(session, offering.id) if offering.wants_two_marks else {}

    def asks(sender: int, marks: Collection[str]) -> bool:
        given = opinions.get(sender, {})
        return any(given.get(item, Opinions()).asks(reader_id) for item in items.difference(marks))

    found = {
        submission: Unmarked(sender, submission)
        for sender, submission, marks in session.execute(query)
        if asks(sender, marks)
    }
    return sorted(found.values(), key=lambda one: lot(offering.id, one.enrolment_id))


def lot(offering_id: int, enrolment_id: int) -> str:
    """Return a student's lot: an order of chance that stays the same for everybody who marks.

    Who comes last in the alphabet is not always marked by tired eyes, and no order tells a name.
    """
    return hashlib.sha256(f"{offering_id} {enrolment_id}".encode()).hexdigest()
