"""Points by item: an offering's columns of them, and what a student has in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.api import Catalogue
from portal.courses.models import Offering
from portal.standings.rubric import assignment_of, manual_items
from portal.standings.scores import ScoreCard
from portal.standings.table import Gradebook

Columns = Mapping[int, Sequence["ItemColumn"]]  # by offering id


@dataclass(frozen=True)
class ItemColumn:
    """One item of an offering."""

    id: str
    title: str
    points: Decimal | None  # the most it gives; None: the assignment has it no more
    bonus: bool = False


def item_columns(book: Gradebook, catalogue: Catalogue) -> dict[int, tuple[ItemColumn, ...]]:
    """Return the items of every offering: its assignment's in order, then what runs had besides."""
    found = {}
    for place, offering in enumerate(book.offerings):
        known = _known(catalogue, offering)
        scored = {item for row in book.rows for item in points_by_item(row.lines[place])}
        others = sorted(scored - {one.id for one in known})
        found[offering.id] = (*known, *(ItemColumn(item, item, None) for item in others))
    return found


def points_by_item(card: ScoreCard) -> dict[str, Decimal]:
    """Return a student's points by item, before lateness and scaling, where there are any.

    By tests they are those of the run that counts, by hand those that count now.
    """
    by_tests = card.counted.items if card.counted else {}
    found = {item: Decimal(str(score)) for item, (score, _) in by_tests.items()}
    by_hand = {line.item.id: line.points for line in card.marks if line.points is not None}
    return found | by_hand


def _known(catalogue: Catalogue, offering: Offering) -> list[ItemColumn]:
    """Return the items that an offering has by its assignment; the whole, if one mark scores it."""
    by_hand = manual_items(catalogue, offering)
    assignment = assignment_of(catalogue, offering)
    if assignment is None or any(item.is_whole for item in by_hand):
        return [ItemColumn(item.id, item.title, item.points, item.bonus) for item in by_hand]
    return [ItemColumn(one.id, one.title, one.points, one.bonus) for one in assignment.items]
