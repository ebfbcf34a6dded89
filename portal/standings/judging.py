"""Looking at what somebody gives for an item by hand, before it is a mark or an opinion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sqlalchemy.orm import Session

from grader.api import Catalogue
from portal.courses.models import Enrolment, Offering, Role
from portal.platform.errors import Invalid
from portal.platform.language import gettext, lazy, titled
from portal.platform.reasons import bounded
from portal.standings.criteria import criteria_of
from portal.standings.models import Criterion
from portal.standings.rubric import ManualItem, manual_items
from portal.standings.ticks import together
from portal.submissions.members import had_part
from portal.submissions.models import Submission

MAX_COMMENT = 4000


@dataclass(frozen=True)
class SentMark:
    """What somebody wants to give for an item: text as a form sends it, not yet looked at."""

    item_id: str
    points: str  # "": what is ticked decides
    comment: str = ""
    reason: str = ""
    ticked: tuple[int, ...] = ()  # ids of criteria


@dataclass(frozen=True)
class Judgement:
    """What somebody gives for an item, looked at and found to be in order."""

    item: ManualItem
    points: Decimal
    comment: str
    reason: str  # why the points are not what the ticks come to
    criteria: tuple[Criterion, ...]  # those that are ticked


def judged(
    session: Session,
    catalogue: Catalogue,
    sent: SentMark,
    *,
    enrolment: Enrolment,
    offering: Offering,
    submission: Submission | None = None,
) -> Judgement:
    """Look at what is to be given to a student for an item.

    Its points are the sum of the criteria that are ticked; points that are written, and differ,
    adjust it and need a reason. An item without criteria has written points alone.

    Raises Invalid, with the field that is to be mended, if `submission`, the one that was looked
    at, is not this student's for this offering, if the item is not marked by hand, if a criterion
    is not of it, or if the points are not between 0 and its most.
    """
    if enrolment.role is not Role.STUDENT:
        raise Invalid(
            gettext(
                "%(name)s is staff in this term and gets no marks", name=enrolment.user.display_name
            )
        )
    item = _item(manual_items(catalogue, offering), sent.item_id)
    if submission is not None and (
        submission.offering_id != offering.id or not had_part(session, submission.id, enrolment.id)
    ):
        raise Invalid(gettext("this attempt belongs to another student or lab; reload the page"))
    comment = bounded(sent.comment, MAX_COMMENT, "comment")
    reason = bounded(sent.reason, MAX_COMMENT, "reason")
    criteria = criteria_of(session, offering.id).get(item.id, [])
    chosen = _chosen(criteria, sent.ticked)
    total = together((one.points for one in chosen), item.points)
    worth = _worth(sent.points, item, total, chosen=chosen, criteria=criteria)
    adjusted = bool(criteria) and worth != total
    if adjusted and not reason:
        raise Invalid(
            gettext(
                "what is ticked comes to %(total)s and not to %(points)s; say why",
                total=total,
                points=worth,
            ),
            field="reason",
        )
    return Judgement(item, worth, comment, reason if adjusted else "", chosen)


def _chosen(criteria: Sequence[Criterion], ticked: Sequence[int]) -> tuple[Criterion, ...]:
    """Return the criteria that are ticked, in the rubric's order."""
    known = {one.id for one in criteria}
    if not set(ticked) <= known:
        raise Invalid(gettext("the rubric was changed meanwhile; reload the page"), field="ticked")
    return tuple(one for one in criteria if one.id in set(ticked))


def _worth(
    points: str,
    item: ManualItem,
    total: Decimal,
    *,
    chosen: Sequence[Criterion],
    criteria: Sequence[Criterion],
) -> Decimal:
    """Return the points that are written, else what the ticks come to."""
    if points.strip() or not criteria:
        return parse_points(points, item)
    if not chosen:
        raise Invalid(
            gettext("nothing is ticked; tick what holds, or write points"), field="points"
        )
    return total


def parse_points(text: str, item: ManualItem) -> Decimal:
    """Read points for an item; Invalid unless a number from 0 to its most, in hundredths."""
    wanted = gettext(
        "give %(item)r a number from 0 to %(most)s", item=titled(item), most=item.points
    )
    try:
        points = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        said = lazy("%(text)r is not a number; %(wanted)s")
    else:
        if not points.is_finite() or not 0 <= points <= item.points:
            said = lazy("%(text)r is outside the scale; %(wanted)s")
        elif points != points.quantize(Decimal("0.01")):
            said = lazy("%(text)r is finer than a hundredth; %(wanted)s, two decimals at most")
        else:
            return points
    raise Invalid(str(said.filled({"text": text[:40], "wanted": wanted})), field="points")


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
