"""What the ticked criteria of a rubric come to. Reads no database and no clock."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal


def together(points: Iterable[Decimal], most: Decimal) -> Decimal:
    """Return the sum of what is ticked, not below zero and not above the item's most."""
    return _within(sum(points, Decimal(0)), most)


def moved(points: Decimal, before: Decimal, after: Decimal, most: Decimal) -> Decimal:
    """Return a mark whose ticks come to something else: what it was adjusted by stays."""
    return _within(points - before + after, most)


def _within(points: Decimal, most: Decimal) -> Decimal:
    return max(Decimal(0), min(points, most))
