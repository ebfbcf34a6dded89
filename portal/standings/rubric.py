"""What people mark by hand in an offering, and on which scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.api import Assignment, Catalogue, ManifestError, UnknownAssignment
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
    is_whole: bool = False  # the offering itself: there are no tests beside it


def is_by_rank(catalogue: Catalogue, offering: Offering) -> bool:
    """Tell whether ranks score an offering: a competition whose assignment states the rules."""
    assignment = assignment_of(catalogue, offering)
    by_rules = assignment is not None and assignment.competition is not None
    return offering.kind is OfferingKind.COMPETITION and by_rules


def manual_items(catalogue: Catalogue, offering: Offering) -> tuple[ManualItem, ...]:
    """Return what people mark in an offering.

    Of an assignment: the items its manifest calls manual; none if its files are not here. Of a
    competition by rank, and of a competition or a feedback without an assignment: the whole. Of a
    lab that has none yet: nothing.
    """
    assignment = assignment_of(catalogue, offering)
    if _is_whole(offering, assignment):
        return (ManualItem(WHOLE, offering.title, offering.points, is_whole=True),)
    if assignment is None:
        return ()
    return tuple(
        ManualItem(item.id, item.title, item.points, item.bonus, item.title_zh)
        for item in assignment.items
        if item.manual
    )


def rubric_items(catalogue: Catalogue, offering: Offering) -> tuple[ManualItem, ...]:
    """Return the items of an offering that may have criteria: those that no rank decides."""
    return () if is_by_rank(catalogue, offering) else manual_items(catalogue, offering)


def _is_whole(offering: Offering, assignment: Assignment | None) -> bool:
    """Tell whether an offering gets one mark; a competition whose files are gone keeps its own."""
    if offering.kind is OfferingKind.COMPETITION:
        return assignment is None or assignment.competition is not None
    return offering.kind is OfferingKind.FEEDBACK and offering.assignment_slug is None


def assignment_of(catalogue: Catalogue, offering: Offering) -> Assignment | None:
    """Return an offering's assignment, None if it has none or its files are not here."""
    try:
        return catalogue.get(offering.assignment_slug or "").assignment
    except (UnknownAssignment, ManifestError):
        return None


def rubrics(
    catalogue: Catalogue, offerings: Sequence[Offering]
) -> dict[int, tuple[ManualItem, ...]]:
    """Return the hand-marked items of each offering, by offering id."""
    return {offering.id: manual_items(catalogue, offering) for offering in offerings}
