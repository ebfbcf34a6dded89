"""The form by which staff mark an item: what it shows, and what it sends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy.orm import Session

from portal.courses.models import Offering
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.standings.criteria import criteria_of
from portal.standings.judging import SentMark
from portal.standings.models import Criterion, ManualMark
from portal.standings.rubric import ManualItem
from portal.standings.ticks import together


@dataclass(frozen=True)
class MarkForm:
    """One item's form, filled with what counts now or with what was refused."""

    item: ManualItem
    criteria: tuple[Criterion, ...]
    ticked: frozenset[int] = frozenset()
    points: str = ""  # "": what is ticked decides
    comment: str = ""
    reason: str = ""
    apart: bool = False  # it marks one of a team alone, and asks why
    problem: str = ""
    wrong: str = ""  # the field that the problem is about

    @property
    def total(self) -> Decimal:
        """What is ticked comes to."""
        worth = (one.points for one in self.criteria if one.id in self.ticked)
        return together(worth, self.item.points)


def read_mark(form: Mapping[str, str], ticked: Iterable[str]) -> SentMark:
    """Read what a form sends: its fields, and each box of a criterion that is ticked."""
    return SentMark(
        item_id=form.get("item", ""),
        points=form.get("points", ""),
        comment="\n".join(form.get("comment", "").splitlines()),
        reason=form.get("reason", "").strip(),
        ticked=tuple(int(one) for one in ticked if re.fullmatch("[0-9]{1,9}", one)),
    )


def mark_forms(
    session: Session,
    offering: Offering,
    items: Sequence[ManualItem],
    marks: Sequence[ManualMark],
    *,
    apart: bool = False,
    refused: SentMark | None = None,
    problem: Invalid | None = None,
) -> list[MarkForm]:
    """Return a form for each item, by its last mark in `marks`, the newest first.

    `apart`: what counts is a team's, and the mark is for one of them alone.

    The item of a `refused` mark has what was typed, and the problem beside it.
    """
    criteria = criteria_of(session, offering.id)
    last: Mapping[str, ManualMark] = {one.item_id: one for one in reversed(marks)}
    forms = [
        replace(_form(item, criteria.get(item.id, []), last.get(item.id)), apart=apart)
        for item in items
    ]
    if refused is None or problem is None:
        return forms
    return [
        replace(
            form,
            points=refused.points,
            comment=refused.comment,
            reason=refused.reason,
            ticked=frozenset(refused.ticked),
            problem=str(problem),
            wrong=problem.field or "points",
        )
        if form.item.id == refused.item_id
        else form
        for form in forms
    ]


def saved_mark(given: ManualMark, name: str) -> str:
    """Say that a mark was given, to a student or, on an attempt of several, to all of them."""
    if given.submission is not None and len(given.submission.members) > 1:
        return gettext(
            "Saved: %(points)s points for the team of %(name)s.", points=given.points, name=name
        )
    return gettext("Saved: %(points)s points for %(name)s.", points=given.points, name=name)


def _form(item: ManualItem, criteria: Sequence[Criterion], mark: ManualMark | None) -> MarkForm:
    known = {one.id for one in criteria}
    ticked = frozenset(tick.criterion_id for tick in mark.ticks) & known if mark else frozenset()
    form = MarkForm(item, tuple(criteria), ticked)
    if mark is None:
        return form
    by_ticks = bool(criteria) and form.ticked and mark.points == form.total
    points = "" if by_ticks else f"{mark.points:f}"
    return replace(form, points=points, comment=mark.comment, reason=mark.reason)
