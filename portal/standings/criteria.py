"""The rubrics of an offering: the criteria of each item that people mark, and changing them.

A change says first which marks it would move. Made, it gives every such mark anew, so that the
points of a student always are what the rubric says, plus what somebody adjusted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.audit.service import record
from portal.courses.models import Enrolment, Offering
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.standings.models import Criterion, ManualMark, MarkTick
from portal.standings.rubric import ManualItem
from portal.standings.ticks import moved, together

MOST_CRITERIA = 50  # of an offering
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 1000


@dataclass(frozen=True)
class WantedCriterion:
    """A criterion as it is to be."""

    item_id: str
    title: str
    points: Decimal
    description: str = ""
    id: int | None = None  # of the one that it changes; None: of the same title, else a new one


@dataclass(frozen=True)
class CriterionChange:
    """A criterion before and after; None where there is none."""

    before: Criterion | None
    after: WantedCriterion | None


@dataclass(frozen=True)
class MovedMark:
    """A mark that counts and would come to other points or ticks."""

    mark: ManualMark
    points: Decimal  # it would come to


@dataclass(frozen=True)
class CriteriaPlan:
    """What a change of criteria would do."""

    wanted: tuple[WantedCriterion, ...]
    changes: tuple[CriterionChange, ...]
    marks: tuple[MovedMark, ...]

    @property
    def moved(self) -> tuple[MovedMark, ...]:
        """The marks that would have other points; of the rest only a tick goes."""
        return tuple(one for one in self.marks if one.points != one.mark.points)

    @property
    def digest(self) -> str:
        """Which marks it would give anew, and with how many points, in few characters."""
        said = " ".join(f"{one.mark.id}:{one.points}" for one in self.marks)
        return hashlib.sha256(said.encode()).hexdigest()


def criteria_of(session: Session, offering_id: int) -> dict[str, list[Criterion]]:
    """Return the criteria of an offering's items, in order; an item without any is not there."""
    query = (
        select(Criterion)
        .where(Criterion.offering_id == offering_id, ~Criterion.removed)
        .order_by(Criterion.position, Criterion.id)
    )
    found: dict[str, list[Criterion]] = {}
    for one in session.scalars(query):
        found.setdefault(one.item_id, []).append(one)
    return found


def plan_criteria(
    session: Session,
    offering_id: int | None,
    items: Sequence[ManualItem],
    wanted: Sequence[WantedCriterion],
) -> CriteriaPlan:
    """Return what it would change if these were all criteria; None is an offering to be made.

    Raises Invalid with every problem.
    """
    problems = list(_problems(items, wanted))
    if problems:
        raise Invalid("; ".join(problems))
    there = criteria_of(session, offering_id) if offering_id is not None else {}
    before = [one for group in there.values() for one in group]
    paired = _paired(before, wanted)
    kept = {one.id for one in paired if one.id is not None}
    changes = [CriterionChange(one, None) for one in before if one.id not in kept]
    known = {one.id: one for one in before}
    for one in paired:
        old = known.get(one.id or 0)
        if old is None or (old.title, old.points, old.description) != (
            one.title,
            one.points,
            one.description,
        ):
            changes.append(CriterionChange(old, one))
    worth = {one.id: one.points for one in paired if one.id is not None}
    marks = _moved_marks(session, offering_id, items, worth) if offering_id is not None else ()
    return CriteriaPlan(tuple(paired), tuple(changes), tuple(marks))


def change_criteria(
    session: Session,
    offering: Offering,
    items: Sequence[ManualItem],
    wanted: Sequence[WantedCriterion],
    *,
    actor_id: int | None,
    now: datetime,
    seen: str | None = None,
) -> CriteriaPlan:
    """Make these all criteria of an offering and give the marks anew that this moves.

    The caller commits. `seen` is the digest of the plan that was confirmed. Raises Invalid with
    every problem, or if other marks would move by now; it has changed nothing then.
    """
    plan = plan_criteria(session, offering.id, items, wanted)
    if seen is not None and plan.digest != seen:
        raise Invalid(gettext("meanwhile marks were given; look again at what would change"))
    _write(session, offering, plan)
    if plan.changes:
        record(
            session,
            at=now,
            actor_id=actor_id,
            action="rubric.change",
            subject=f"offering:{offering.id}",
            changes={_name(change): _points_of(change) for change in plan.changes},
            marks=len(plan.marks),
        )
    for one in plan.marks:
        _give_anew(session, one, plan, actor_id=actor_id, now=now)
    return plan


def _problems(items: Sequence[ManualItem], wanted: Sequence[WantedCriterion]) -> Iterator[str]:
    known = {item.id: item for item in items}
    if len(wanted) > MOST_CRITERIA:
        yield gettext(
            "there are %(count)s criteria; a lab has %(most)s at most",
            count=len(wanted),
            most=MOST_CRITERIA,
        )
    for one in wanted:
        if one.item_id not in known:
            names = ", ".join(repr(name) for name in known) or gettext("none")
            yield gettext(
                "%(item)r is not marked by hand; these items are: %(known)s",
                item=one.item_id[:40],
                known=names,
            )
        elif abs(one.points) > known[one.item_id].points:
            yield gettext(
                "criterion %(title)r: %(points)s points are more than its item has, %(most)s",
                title=one.title[:60],
                points=one.points,
                most=known[one.item_id].points,
            )
        if not one.title:
            yield gettext("a criterion has no title; write what is looked for")
        if len(one.title) > LONGEST_TITLE or len(one.description) > LONGEST_DESCRIPTION:
            yield gettext(
                "criterion %(title)r is too long: %(first)s characters for the title, "
                "%(second)s for the description",
                title=one.title[:60],
                first=LONGEST_TITLE,
                second=LONGEST_DESCRIPTION,
            )
    titles = Counter((one.item_id, one.title) for one in wanted)
    for (_, title), times in titles.items():
        if times > 1 and title:
            yield gettext("two criteria are called %(title)r; name them apart", title=title[:60])


def _paired(
    before: Sequence[Criterion], wanted: Sequence[WantedCriterion]
) -> list[WantedCriterion]:
    """Return what is wanted with the criterion that each changes: by id, else by its title."""
    ids = {one.id: one for one in before}
    taken = {one.id for one in wanted if one.id is not None}
    by_title = {(one.item_id, one.title): one.id for one in before if one.id not in taken}
    paired = []
    for one in wanted:
        old = ids.get(one.id) if one.id is not None else None
        known = one.id if old is not None and old.item_id == one.item_id else None
        if one.id is None:
            known = by_title.get((one.item_id, one.title))
        paired.append(WantedCriterion(one.item_id, one.title, one.points, one.description, known))
    return paired


def _moved_marks(
    session: Session,
    offering_id: int,
    items: Sequence[ManualItem],
    worth: dict[int, Decimal],
) -> Iterator[MovedMark]:
    """Yield the marks that count and whose ticks would be worth something else."""
    most = {item.id: item.points for item in items}
    for mark in _counting(session, offering_id):
        if not mark.ticks or mark.item_id not in most:
            continue
        if all(worth.get(tick.criterion_id) == tick.points for tick in mark.ticks):
            continue
        top = most[mark.item_id]
        before = together((tick.points for tick in mark.ticks), top)
        left = (worth[one.criterion_id] for one in mark.ticks if one.criterion_id in worth)
        yield MovedMark(mark, moved(mark.points, before, together(left, top), top))


def _counting(session: Session, offering_id: int) -> list[ManualMark]:
    """Return the last mark of each student and item, by its id."""
    query = (
        select(ManualMark)
        .where(ManualMark.offering_id == offering_id)
        .options(
            selectinload(ManualMark.ticks),
            joinedload(ManualMark.enrolment).joinedload(Enrolment.user),
        )
        .order_by(ManualMark.id)
    )
    last = {(one.enrolment_id, one.item_id): one for one in session.scalars(query)}
    return sorted(last.values(), key=lambda one: one.id)


def _write(session: Session, offering: Offering, plan: CriteriaPlan) -> None:
    """Write the rows of the criteria, in their order."""
    for change in plan.changes:
        if change.before is not None and change.after is None:
            change.before.removed = True
    there = {one.id: one for group in criteria_of(session, offering.id).values() for one in group}
    for position, one in enumerate(plan.wanted, 1):
        row = there.get(one.id or 0)
        if row is None:
            row = Criterion(offering_id=offering.id, item_id=one.item_id)
            session.add(row)
        row.position, row.title = position, one.title
        row.points, row.description = one.points, one.description
    session.flush()


def _give_anew(
    session: Session,
    one: MovedMark,
    plan: CriteriaPlan,
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Give a mark again with what its ticks are worth now; its author stays who judged the work."""
    old, worth = one.mark, {each.id: each.points for each in plan.wanted}
    left = [tick.criterion_id for tick in old.ticks if tick.criterion_id in worth]
    session.add(
        ManualMark(
            enrolment_id=old.enrolment_id,
            offering_id=old.offering_id,
            item_id=old.item_id,
            submission_id=old.submission_id,
            points=one.points,
            comment=old.comment,
            reason=old.reason,
            author_id=old.author_id,
            created_at=now,
            ticks=[
                MarkTick(criterion_id=number, number=place, points=worth[number])
                for place, number in enumerate(left)
            ],
        )
    )
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="mark.by_rubric",
        subject=f"enrolment:{old.enrolment_id}",
        offering=old.offering_id,
        item=old.item_id,
        before=str(old.points),
        after=str(one.points),
    )


def _name(change: CriterionChange) -> str:
    named = change.after or change.before
    return named.title if named else ""


def _points_of(change: CriterionChange) -> list[str]:
    return [str(one.points) if one else "none" for one in (change.before, change.after)]
