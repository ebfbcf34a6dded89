"""What people mark by hand in an offering, and on which scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.api import Catalogue, ManifestError, UnknownAssignment
from portal.courses.models import Offering, OfferingKind

WHOLE = "whole"  # the one item of an offering that has no assignment


@dataclass(frozen=True)
class ManualItem:
    """One thing a person gives points for."""

    id: str
    title: str
    points: Decimal  # the most one can get, on the item's own scale
    bonus: bool = False
    title_zh: str = ""  # "" if there is none


def is_by_hand(offering: Offering) -> bool:
    """Tell whether people alone score an offering: a competition or a feedback without tests."""
    return offering.assignment_slug is None and offering.kind is not OfferingKind.LAB


def manual_items(catalogue: Catalogue, offering: Offering) -> tuple[ManualItem, ...]:
    """Return what people mark in an offering.

    Of an assignment: the items its manifest calls manual; none if its files are not here. Of a
    competition or a feedback without one: the whole. Of a lab that has none yet: nothing.
    """
    if is_by_hand(offering):
        return (ManualItem(WHOLE, offering.title, offering.points),)
    try:
        assignment = catalogue.get(offering.assignment_slug or "").assignment
    except (UnknownAssignment, ManifestError):
        return ()
    return tuple(
        ManualItem(item.id, item.title, item.points, item.bonus, item.title_zh)
        for item in assignment.items
        if item.manual
    )


def rubrics(
    catalogue: Catalogue, offerings: Sequence[Offering]
) -> dict[int, tuple[ManualItem, ...]]:
    """Return the hand-marked items of each offering, by offering id."""
    return {offering.id: manual_items(catalogue, offering) for offering in offerings}
