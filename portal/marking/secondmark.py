"""Marking on the page of a submission, alone or as one of two, and what a reader sees of two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from grader.api import Catalogue
from portal.standings.judging import SentMark
from portal.standings.marks import give_sent_mark
from portal.standings.models import ManualMark, Opinion
from portal.standings.opinions import Opinions, give_opinion, opinions_of
from portal.submissions.models import Submission


@dataclass(frozen=True)
class TwoMarks:
    """One item's independent marks as somebody may read them."""

    shown: tuple[Opinion, ...] = ()
    own: Opinion | None = None
    apart: bool = False
    may_settle: bool = False


class ByItem(dict[str, TwoMarks]):
    """Those of each item; an item that nobody has marked has none."""

    def __missing__(self, item_id: str) -> TwoMarks:
        """Return what there is of an item that nobody has marked."""
        return TwoMarks()


def give(
    session: Session,
    catalogue: Catalogue,
    attempt: Submission,
    sent: SentMark,
    *,
    author_id: int,
    now: datetime,
) -> tuple[ManualMark | Opinion, ManualMark | None]:
    """Give a mark, or one of two; return it, and the mark that counts now, if one came of it."""
    if attempt.offering.wants_two_marks:
        return give_opinion(
            session, catalogue, sent, submission=attempt, author_id=author_id, now=now
        )
    mark = give_sent_mark(
        session,
        catalogue,
        sent,
        enrolment=attempt.enrolment,
        offering=attempt.offering,
        author_id=author_id,
        now=now,
        submission=attempt,
    )
    return mark, mark


def two_marks(
    session: Session, submission: Submission, reader_id: int, *, leads: bool
) -> ByItem | None:
    """Return the independent marks of a submission for a reader; None where one person marks."""
    if not submission.offering.wants_two_marks:
        return None
    found = opinions_of(session, submission.offering_id).get(submission.enrolment_id, {})
    here = {item: one for item, one in found.items() if one.given[0].submission_id == submission.id}
    return ByItem({item: _seen(one, reader_id, leads) for item, one in here.items()})


def _seen(found: Opinions, reader_id: int, leads: bool) -> TwoMarks:
    return TwoMarks(
        shown=found.shown_to(reader_id, leads=leads),
        own=found.of(reader_id),
        apart=found.apart,
        may_settle=found.may_settle(reader_id, leads=leads),
    )
