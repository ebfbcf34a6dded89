"""Whose submissions are whose: conditions and questions about who had a part in them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from portal.platform.db import sought_last
from portal.submissions.models import Submission, SubmissionMember


def sent_by(enrolment_ids: Collection[int], offering_id: int) -> ColumnElement[bool]:
    """Return the condition that some of these people had a part in a submission of an offering."""
    theirs = select(SubmissionMember.submission_id).where(
        SubmissionMember.enrolment_id.in_(enrolment_ids)
    )
    # Looked for among what is theirs, which is little, and not in the lab, where everybody's is.
    return and_(Submission.id.in_(theirs), sought_last(Submission.offering_id) == offering_id)


def sent_by_no_other(enrolment_ids: Collection[int]) -> ColumnElement[bool]:
    """Return the condition that nobody but these people had a part in a submission."""
    return ~exists().where(
        SubmissionMember.submission_id == Submission.id,
        SubmissionMember.enrolment_id.not_in(enrolment_ids),
    )


def members_of(session: Session, submission_ids: Collection[str]) -> dict[str, tuple[int, ...]]:
    """Return the enrolments of all who had a part in some submissions, by submission."""
    query = (
        select(SubmissionMember.submission_id, SubmissionMember.enrolment_id)
        .where(SubmissionMember.submission_id.in_(submission_ids))
        .order_by(SubmissionMember.enrolment_id)
    )
    found: dict[str, tuple[int, ...]] = {}
    for submission, enrolment in session.execute(query):
        found[submission] = (*found.get(submission, ()), enrolment)
    return found


def had_part(session: Session, submission_id: str, enrolment_id: int) -> bool:
    """Tell whether somebody had a part in a submission."""
    return session.get(SubmissionMember, (submission_id, enrolment_id)) is not None
