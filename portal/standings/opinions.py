"""Two people mark independently: neither reads the other's mark before their own is given.

Marks no further apart than the lab says become their mean. Others wait until an instructor, or one
of the two, settles them with a reason. Only what comes of them is a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from grader.api import Catalogue
from portal.audit.service import record
from portal.courses.models import Enrolment, Offering
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.standings.judging import Judgement, SentMark, judged
from portal.standings.marks import for_whom, write_mark
from portal.standings.models import ManualMark, Opinion
from portal.submissions.models import Submission

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Opinions:
    """What waits of an item: the last of each who marked the newest attempt so, at most two."""

    given: tuple[Opinion, ...] = ()

    @property
    def apart(self) -> bool:
        """Whether two were given: two that agree do not wait."""
        return len(self.given) > 1

    def of(self, user_id: int) -> Opinion | None:
        """Return what somebody gave."""
        return next((one for one in self.given if one.author_id == user_id), None)

    def shown_to(self, user_id: int, *, leads: bool) -> tuple[Opinion, ...]:
        """Return those that somebody may read: after their own, or to settle them."""
        open_to = self.of(user_id) is not None or (self.apart and leads)
        return self.given if open_to else ()

    def may_settle(self, user_id: int, *, leads: bool) -> bool:
        """Tell whether somebody may say what counts."""
        return self.apart and (leads or self.of(user_id) is not None)

    def asks(self, user_id: int) -> bool:
        """Tell whether an opinion of somebody's is still asked for."""
        return not self.apart and self.of(user_id) is None


def opinions_of(session: Session, offering_id: int) -> dict[int, dict[str, Opinions]]:
    """Return what waits in an offering: {enrolment: {item: opinions}}."""
    query = (
        select(Opinion)
        .where(Opinion.offering_id == offering_id, Opinion.mark_id.is_(None))
        .options(joinedload(Opinion.author))
        .order_by(Opinion.id)
    )
    found: dict[int, dict[str, list[Opinion]]] = {}
    for one in session.scalars(query):
        found.setdefault(one.enrolment_id, {}).setdefault(one.item_id, []).append(one)
    return {
        student: {item: Opinions(_last_of_each(given)) for item, given in items.items()}
        for student, items in found.items()
    }


def give_opinion(
    session: Session,
    catalogue: Catalogue,
    sent: SentMark,
    *,
    submission: Submission,
    author_id: int,
    now: datetime,
) -> tuple[Opinion, ManualMark | None]:
    """Add somebody's own mark of an item; return it and, if two agree by now, the mark of both.

    Until somebody else has given one it can be given again. Raises Invalid as `judged`, and
    if two were given, which are settled and not added to.
    """
    enrolment, offering = submission.enrolment, submission.offering
    # Two at one instant: the second waits here until it can see the first one's.
    session.execute(select(Enrolment.id).where(Enrolment.id == enrolment.id).with_for_update())
    found = judged(
        session, catalogue, sent, enrolment=enrolment, offering=offering, submission=submission
    )
    waiting = _waiting(session, enrolment, offering, sent.item_id)
    if waiting.apart and waiting.given[0].submission_id == submission.id:
        raise Invalid(gettext("two have marked this and are apart; settle it instead"))
    own = _add(session, found, submission, author_id=author_id, now=now)
    others = [
        one
        for one in waiting.given
        if one.author_id != author_id and one.submission_id == submission.id
    ]
    if not others or not _agree(others[0], own, offering):
        return own, None
    return own, _together(session, found, others[0], own, author_id=author_id, now=now)


def settle(
    session: Session,
    catalogue: Catalogue,
    sent: SentMark,
    *,
    submission: Submission,
    author_id: int,
    leads: bool,
    now: datetime,
) -> ManualMark:
    """Say what counts where two are apart; `leads` tells that the author is an instructor.

    Raises Invalid without a reason, for points off the scale, and to whoever is neither.
    """
    enrolment, offering = submission.enrolment, submission.offering
    session.execute(select(Enrolment.id).where(Enrolment.id == enrolment.id).with_for_update())
    waiting = _waiting(session, enrolment, offering, sent.item_id)
    if not waiting.apart:
        raise Invalid(gettext("there is nothing to settle (any more); reload the page"))
    if not waiting.may_settle(author_id, leads=leads):
        raise Invalid(gettext("an instructor settles this, or one of the two who marked it"))
    if not sent.reason.strip() or not sent.points.strip():
        raise Invalid(gettext("write the points that count, and why"), field="reason")
    found = judged(session, catalogue, sent, enrolment=enrolment, offering=offering)
    return write_mark(
        session,
        replace(found, reason=sent.reason.strip()),
        receivers=for_whom(session, session.get_one(Submission, waiting.given[0].submission_id)),
        offering=offering,
        author_id=author_id,
        now=now,
        submission_id=waiting.given[0].submission_id,
        action="mark.settle",
    )


def _waiting(session: Session, enrolment: Enrolment, offering: Offering, item_id: str) -> Opinions:
    return opinions_of(session, offering.id).get(enrolment.id, {}).get(item_id, Opinions())


def mean(first: Decimal, second: Decimal) -> Decimal:
    """Return the mean of two marks, rounded half up to hundredths."""
    return ((first + second) / 2).quantize(_CENT, ROUND_HALF_UP)


def _last_of_each(given: Sequence[Opinion]) -> tuple[Opinion, ...]:
    """Return each author's last on the attempt that was looked at last."""
    newest = given[-1].submission_id
    last = {one.author_id: one for one in given if one.submission_id == newest}
    return tuple(sorted(last.values(), key=lambda one: one.id))


def _agree(first: Opinion, second: Opinion, offering: Offering) -> bool:
    within = offering.two_marks_within
    return within is not None and abs(first.points - second.points) <= within


def _add(
    session: Session, found: Judgement, submission: Submission, *, author_id: int, now: datetime
) -> Opinion:
    made = Opinion(
        enrolment_id=submission.enrolment_id,
        offering_id=submission.offering_id,
        item_id=found.item.id,
        submission_id=submission.id,
        points=found.points,
        ticked=[one.id for one in found.criteria],
        comment=found.comment,
        reason=found.reason,
        author_id=author_id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    record(
        session,
        at=now,
        actor_id=author_id,
        action="mark.opinion",
        subject=f"enrolment:{submission.enrolment_id}",
        offering=submission.offering_id,
        item=found.item.id,
        points=str(made.points),
        submission=submission.id,
        comment=found.comment,
        criteria=[one.title for one in found.criteria],
        reason=found.reason,
    )
    return made


def _together(
    session: Session,
    found: Judgement,
    first: Opinion,
    second: Opinion,
    *,
    author_id: int,
    now: datetime,
) -> ManualMark:
    """Write the mark that two opinions come to: both comments, and the ticks that both have."""
    same = set(first.ticked) == set(second.ticked) and first.points == second.points
    words = f"mean of two marks, {first.points:f} and {second.points:f}"
    comments = dict.fromkeys(one.comment for one in (first, second) if one.comment)
    both = replace(
        found,
        points=mean(first.points, second.points),
        comment="\n\n".join(comments),
        reason=found.reason if same else words,
        criteria=found.criteria if same else (),
    )
    return write_mark(
        session,
        both,
        receivers=for_whom(session, session.get_one(Submission, second.submission_id)),
        offering=session.get_one(Offering, second.offering_id),
        author_id=author_id,
        now=now,
        submission_id=second.submission_id,
    )
