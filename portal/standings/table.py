"""The gradebook of a term: a row a student, a column an offering, in a handful of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from grader.api import Catalogue
from portal.courses.models import Enrolment, Offering, Term
from portal.courses.service import students
from portal.standings.rubric import rubrics
from portal.standings.scores import ScoreCard, score_card, standings_in


@dataclass(frozen=True)
class GradebookRow:
    """One student's scores, in the order of the offerings."""

    enrolment: Enrolment
    lines: tuple[ScoreCard, ...]

    @property
    def days_spent(self) -> int:
        """How many of the student's late days are spent."""
        return sum(line.days_spent for line in self.lines)

    @property
    def total(self) -> Decimal:
        """The points so far; what has no score adds nothing."""
        return sum((line.points for line in self.lines if line.points is not None), Decimal(0))

    @property
    def is_empty(self) -> bool:
        """Whether nothing has a score."""
        return all(line.missing for line in self.lines)


@dataclass(frozen=True)
class MissingScores:
    """An offering where students have no score."""

    offering: Offering
    students: int
    overdue: bool  # it was due already, so that they should have one


@dataclass(frozen=True)
class Gradebook:
    """A term's scores."""

    term: Term
    offerings: tuple[Offering, ...]
    rows: tuple[GradebookRow, ...]

    @property
    def max_total(self) -> Decimal:
        """What the term's offerings are worth together: 100 in the standard scheme."""
        return sum((offering.points for offering in self.offerings), Decimal(0))

    def missing(self, now: datetime) -> list[MissingScores]:
        """Return the published offerings where students have no score at `now`."""
        counts = (
            (offering, sum(row.lines[place].missing for row in self.rows))
            for place, offering in enumerate(self.offerings)
            if offering.published
        )
        return [
            MissingScores(offering, count, overdue=offering.due_at < now)
            for offering, count in counts
            if count
        ]


NAME, TOTAL, LATE_DAYS = "name", "total", "late days"


def in_order(
    book: Gradebook, rows: Sequence[GradebookRow], by: str, *, descending: bool
) -> list[GradebookRow]:
    """Return rows by name, total, late days or the id of an offering; of equal ones by name.

    Where there is no score, a row comes last in either direction. An order that is none is by name.
    """
    places = {str(offering.id): place for place, offering in enumerate(book.offerings)}
    if by in places:
        found = [(row, row.lines[places[by]].points) for row in rows]
    elif by == TOTAL:
        found = [(row, None if row.is_empty else row.total) for row in rows]
    elif by == LATE_DAYS:
        found = [(row, Decimal(row.days_spent)) for row in rows]
    else:
        return list(reversed(rows)) if descending else list(rows)
    sign = -1 if descending else 1
    scored = [(sign * points, row) for row, points in found if points is not None]
    rest = [row for row, points in found if points is None]
    return [row for _, row in sorted(scored, key=lambda one: one[0])] + rest


def gradebook(
    session: Session, catalogue: Catalogue, term: Term, *, by_item: bool = False
) -> Gradebook:
    """Work out a term's gradebook, students by name; `by_item` loads their points by item too."""
    offerings = tuple(term.offerings)
    items = rubrics(catalogue, offerings)
    standings = standings_in(session, term.id, by_item=by_item)
    rows = []
    for enrolment in students(session, term.id):
        lines = tuple(
            score_card(offering, items[offering.id], standings.get((enrolment.id, offering.id)))
            for offering in offerings
        )
        rows.append(GradebookRow(enrolment, lines))
    return Gradebook(term, offerings, tuple(rows))
