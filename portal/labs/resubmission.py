"""Files that a student has handed in already: it is said before they cost another attempt."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Assignment, Rejected
from portal.platform.errors import Invalid
from portal.platform.formats import moment
from portal.platform.language import gettext
from portal.runs.models import RunState
from portal.runs.speaking import current_runs
from portal.submissions.arrival import SentFile, receive
from portal.submissions.members import sent_by
from portal.submissions.models import Submission


class SentBefore(Invalid):
    """An upload of files that are an attempt already, and nobody said to grade them once more."""

    def __init__(self, earlier: Submission) -> None:
        super().__init__(said_of(earlier))
        self.earlier_id = earlier.id


def sent_before(
    session: Session, enrolment_id: int, offering_id: int, content_digest: str
) -> Submission | None:
    """Return the newest attempt that a student had a part in with these files; None without one.

    One that was replaced before it was graded has no result to look at, so it is none.
    """
    same = session.scalars(
        select(Submission)
        .where(
            sent_by([enrolment_id], offering_id),
            Submission.content_digest == content_digest,
        )
        .order_by(Submission.attempt.desc())
    ).all()
    runs = current_runs(session, [one.id for one in same])
    kept = (one for one in same if one.id in runs)
    return next((one for one in kept if runs[one.id].state is not RunState.SUPERSEDED), None)


def foreseen(
    session: Session,
    enrolment_id: int,
    offering_id: int,
    files: Sequence[SentFile],
    assignment: Assignment,
) -> Submission | None:
    """Return which attempt these files are already, by what intake would make of them."""
    try:
        digest = receive(files, assignment).content_digest
    except Rejected:
        return None  # the preview says what is wrong; there is nothing to compare
    return sent_before(session, enrolment_id, offering_id, digest)


def said_of(earlier: Submission) -> str:
    """Say to the reader which attempt the files are."""
    return gettext(
        "You handed in these very files already: attempt %(number)s, received %(when)s.",
        number=earlier.attempt,
        when=moment(earlier.received_at, earlier.offering.term.timezone),
    )
