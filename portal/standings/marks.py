"""Giving marks by hand. A mark is never changed: a later one for the same item replaces it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from grader.api import Catalogue
from portal.audit.service import record
from portal.courses.models import Enrolment, Offering, Role
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.standings.judging import Judgement, SentMark, judged
from portal.standings.models import ManualMark, MarkTick, Opinion, StudentStanding
from portal.submissions.members import members_of
from portal.submissions.models import Submission


def marks_of(session: Session, enrolment_id: int) -> dict[int, dict[str, ManualMark]]:
    """Return the marks of a student that count: {offering: {item: mark}}."""
    query = (
        select(ManualMark)
        .where(ManualMark.enrolment_id == enrolment_id)
        .options(
            joinedload(ManualMark.author),
            joinedload(ManualMark.submission),
            selectinload(ManualMark.ticks),
        )
        .order_by(ManualMark.id)
    )
    marks: dict[int, dict[str, ManualMark]] = {}
    for mark in session.scalars(query):
        marks.setdefault(mark.offering_id, {})[mark.item_id] = mark
    return marks


def history(session: Session, enrolment_id: int, offering_id: int) -> list[ManualMark]:
    """Return every mark a student got in an offering, the newest first, with its author."""
    query = (
        select(ManualMark)
        .where(ManualMark.enrolment_id == enrolment_id, ManualMark.offering_id == offering_id)
        .options(
            joinedload(ManualMark.author),
            joinedload(ManualMark.submission),
            selectinload(ManualMark.ticks),
        )
        .order_by(ManualMark.id.desc())
    )
    return list(session.scalars(query))


def give_mark(
    session: Session,
    catalogue: Catalogue,
    *,
    enrolment: Enrolment,
    offering: Offering,
    item_id: str,
    points: str,
    comment: str,
    author_id: int,
    now: datetime,
) -> ManualMark:
    """Add a mark of one student that no form sent; the caller commits. Invalid as `judged`."""
    return give_sent_mark(
        session,
        catalogue,
        SentMark(item_id, points, comment),
        enrolment=enrolment,
        offering=offering,
        author_id=author_id,
        now=now,
    )


def give_sent_mark(
    session: Session,
    catalogue: Catalogue,
    sent: SentMark,
    *,
    enrolment: Enrolment,
    offering: Offering,
    author_id: int,
    now: datetime,
    submission: Submission | None = None,
    alone: bool = False,
) -> ManualMark:
    """Add a mark that a form sent and an entry in the audit log; the caller commits.

    A mark on a `submission`, the one its author looked at, goes to everybody whom it concerns
    (`for_whom`), and one of them is returned; `alone` gives it to this student only, and needs a
    reason where a team's attempt counts. Raises Invalid as `judged`.
    """
    found = judged(
        session, catalogue, sent, enrolment=enrolment, offering=offering, submission=submission
    )
    if alone and is_shared(session, enrolment.id, offering.id):
        if not sent.reason.strip():
            raise Invalid(
                gettext(
                    "this lab is a team's: say why %(name)s alone gets these points",
                    name=enrolment.user.display_name,
                ),
                field="reason",
            )
        found = replace(found, reason=sent.reason.strip())
    receivers = [enrolment] if alone or submission is None else for_whom(session, submission)
    return write_mark(
        session,
        found,
        receivers=receivers,
        offering=offering,
        author_id=author_id,
        now=now,
        submission_id=submission.id if submission else None,
    )


def write_mark(
    session: Session,
    found: Judgement,
    *,
    receivers: Sequence[Enrolment],
    offering: Offering,
    author_id: int,
    now: datetime,
    submission_id: str | None,
    action: str = "mark.give",
) -> ManualMark:
    """Add a mark that counts for each receiver, with an entry in the audit log; return the first.

    Opinions that waited are done with.
    """
    marks = [
        ManualMark(
            enrolment_id=one.id,
            offering_id=offering.id,
            item_id=found.item.id,
            submission_id=submission_id,
            points=found.points,
            comment=found.comment,
            reason=found.reason,
            author_id=author_id,
            created_at=now,
            ticks=[
                MarkTick(criterion_id=one.id, number=place, points=one.points)
                for place, one in enumerate(found.criteria)
            ],
        )
        for one in receivers
    ]
    session.add_all(marks)
    session.flush()
    for mark in marks:
        _close_opinions(session, mark)
        record(
            session,
            at=now,
            actor_id=author_id,
            action=action,
            subject=f"enrolment:{mark.enrolment_id}",
            offering=offering.id,
            item=found.item.id,
            points=str(mark.points),
            submission=mark.submission_id,
            comment=found.comment,
            criteria=[one.title for one in found.criteria],
            reason=mark.reason,
        )
    return marks[0]


def _close_opinions(session: Session, mark: ManualMark) -> None:
    waiting = select(Opinion).where(
        Opinion.enrolment_id == mark.enrolment_id,
        Opinion.offering_id == mark.offering_id,
        Opinion.item_id == mark.item_id,
        Opinion.mark_id.is_(None),
    )
    for one in session.scalars(waiting):
        one.mark_id = mark.id


def for_whom(session: Session, submission: Submission) -> list[Enrolment]:
    """Return who gets a mark on an attempt: whoever had a part in it, its sender first.

    But for those who have gone on without these people: another attempt, sent in other company or
    alone, counts for them. Raises Invalid if nobody is left.
    """
    people = [one for one in submission.people if one.role is Role.STUDENT]
    counting = select(StudentStanding.enrolment_id, StudentStanding.submission_id).where(
        StudentStanding.offering_id == submission.offering_id,
        StudentStanding.enrolment_id.in_([one.id for one in people]),
        StudentStanding.submission_id.is_not(None),
    )
    counts = {student: counted for student, counted in session.execute(counting) if counted}
    parties = members_of(session, {submission.id, *counts.values()})
    here = parties[submission.id]
    staying = [one for one in people if parties[counts.get(one.id, submission.id)] == here]
    if people and not staying:
        raise Invalid(gettext("this attempt counts for nobody any more; mark the one that does"))
    return staying


def is_shared(session: Session, enrolment_id: int, offering_id: int) -> bool:
    """Tell whether a student has what counts, else their newest attempt, together with others."""
    standing = session.get(StudentStanding, (enrolment_id, offering_id))
    attempt = (standing.submission_id or standing.newest_id) if standing else None
    return attempt is not None and len(members_of(session, [attempt])[attempt]) > 1
