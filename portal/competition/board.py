"""The public board. It tells of each team what the Ladder tells, and nothing else.

Whatever a page says of scores before the result is made here, of shown numbers alone: ranks, points
as they stand, the history of a team's own entries, and which of them is its best.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from grader.api import Ladder
from portal.competition.models import CompetitionEntry
from portal.competition.opening import Competition


@dataclass(frozen=True)
class BoardStep:
    """An entry, and the number that its team had on the board from then on."""

    entry: CompetitionEntry
    shown: float | None  # None: hidden, the board stood still by then
    moved: bool  # whether this entry changed the number


@dataclass(frozen=True)
class BoardRow:
    """A line of the board: a team's, or the baseline's."""

    name: str  # "" for the baseline
    number: float
    place: int | None  # None: the baseline
    tied: bool = False
    points: Decimal | None = None
    entries: int = 0
    is_own: bool = False


@dataclass(frozen=True)
class BoardTeam:
    """What the board has to know of a team."""

    name: str
    scores: Sequence[float]  # on the public rows, of entries that count and came before the freeze
    is_own: bool = False


def steps(
    ladder: Ladder, entries: Iterable[CompetitionEntry], frozen_from: datetime
) -> list[BoardStep]:
    """Return the history of one team's entries on the shown numbers, the oldest first."""
    ordered = sorted(entries, key=lambda one: one.number)
    seen = [one.public_score for one in ordered if one.received_at < frozen_from]
    numbers = iter(ladder.history(seen))
    found: list[BoardStep] = []
    before: float | None = None
    for entry in ordered:
        if entry.received_at >= frozen_from:
            found.append(BoardStep(entry, None, moved=False))
            continue
        shown = next(numbers)
        found.append(BoardStep(entry, shown, moved=shown != before))
        before = shown
    return found


def public_board(competition: Competition, teams: Iterable[BoardTeam]) -> list[BoardRow]:
    """Return the board, the best first and the baseline in its place.

    A team without a number is left out. Equal numbers are a tie: what tells such teams apart is not
    for the board to tell.
    """
    numbers: list[tuple[float, BoardTeam]] = []
    for team in teams:
        number = competition.ladder.shown(team.scores)
        if number is not None:
            numbers.append((number, team))
    rows = [_row(competition, one, numbers) for one in numbers]
    rows.append(BoardRow("", competition.rules.baseline, None))
    sign = -1 if competition.rules.metric.higher_is_better else 1
    return sorted(rows, key=lambda row: (sign * row.number, row.place is None, row.name.casefold()))


def best_shown(history: Sequence[BoardStep]) -> CompetitionEntry | None:
    """Return the entry that gave a team the number it has: the last that moved the board."""
    return next((step.entry for step in reversed(history) if step.moved), None)


def _row(
    competition: Competition,
    one: tuple[float, BoardTeam],
    numbers: Sequence[tuple[float, BoardTeam]],
) -> BoardRow:
    number, team = one
    place = 1 + sum(competition.better(other, number) for other, _ in numbers)
    return BoardRow(
        name=team.name,
        number=number,
        place=place,
        tied=sum(other == number for other, _ in numbers) > 1,
        points=competition.points(number, place, len(numbers)),
        entries=len(team.scores),
        is_own=team.is_own,
    )
