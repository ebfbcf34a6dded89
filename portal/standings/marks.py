"""Giving marks by hand. A mark is never changed: a later one for the same item replaces it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from grader.api import Catalogue
from portal.audit.service import record
from portal.courses.models import Enrolment, Offering, Role
from portal.platform.errors import Invalid
from portal.platform.language import gettext, titled
from portal.standings.models import ManualMark
from portal.standings.rubric import ManualItem, manual_items
from portal.submissions.models import Submission

MAX_COMMENT = 4000


def marks_of(session: Session, enrolment_id: int) -> dict[int, dict[str, ManualMark]]:
    """Return the marks of a student that count: {offering: {item: mark}}."""
    query = (
        select(ManualMark)
        .where(ManualMark.enrolment_id == enrolment_id)
        .options(joinedload(ManualMark.author), joinedload(ManualMark.submission))
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
        .options(joinedload(ManualMark.author), joinedload(ManualMark.submission))
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
    submission: Submission | None = None,
) -> ManualMark:
    """Add a mark and an entry in the audit log; the caller commits.

    `submission` is the one its author looked at, if there is one to look at. Raises Invalid if it
    is not this student's for this offering, if the item is not marked by hand, or if the points are
    not between 0 and its most.
    """
    if enrolment.role is not Role.STUDENT:
        raise Invalid(
            gettext(
                "%(name)s is staff in this term and gets no marks", name=enrolment.user.display_name
            )
        )
    item = _item(manual_items(catalogue, offering), item_id)
    if submission is not None and (submission.enrolment_id, submission.offering_id) != (
        enrolment.id,
        offering.id,
    ):
        raise Invalid(gettext("this attempt belongs to another student or lab; reload the page"))
    comment = comment.strip()
    if len(comment) > MAX_COMMENT:
        raise Invalid(
            gettext(
                "the comment has %(count)s characters; shorten it to %(most)s",
                count=len(comment),
                most=MAX_COMMENT,
            )
        )
    mark = ManualMark(
        enrolment_id=enrolment.id,
        offering_id=offering.id,
        item_id=item.id,
        submission_id=submission.id if submission else None,
        points=parse_points(points, item),
        comment=comment,
        author_id=author_id,
        created_at=now,
    )
    session.add(mark)
    record(
        session,
        at=now,
        actor_id=author_id,
        action="mark.give",
        subject=f"enrolment:{enrolment.id}",
        offering=offering.id,
        item=item.id,
        points=str(mark.points),
        submission=mark.submission_id,
        comment=comment,
    )
    return mark


def parse_points(text: str, item: ManualItem) -> Decimal:
    """Read points for an item; Invalid unless a number from 0 to its most, in hundredths."""
    wanted = gettext(
        "give %(item)r a number from 0 to %(most)s", item=titled(item), most=item.points
    )
    sent = text[:40]
    try:
        points = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise Invalid(
            gettext("%(text)r is not a number; %(wanted)s", text=sent, wanted=wanted)
        ) from None
    if not points.is_finite() or not 0 <= points <= item.points:
        raise Invalid(
            gettext("%(text)r is outside the scale; %(wanted)s", text=sent, wanted=wanted)
        )
    if points != points.quantize(Decimal("0.01")):
        raise Invalid(
            gettext(
                "%(text)r is finer than a hundredth; %(wanted)s, two decimals at most",
                text=sent,
                wanted=wanted,
            )
        )
    return points


def _item(items: tuple[ManualItem, ...], item_id: str) -> ManualItem:
    for item in items:
        if item.id == item_id:
            return item
    known = ", ".join(repr(item.id) for item in items) or gettext("none in this offering")
    raise Invalid(
        gettext(
            "%(item)r is not marked by hand; these items are: %(known)s",
            item=item_id[:40],
            known=known,
        )
    )
