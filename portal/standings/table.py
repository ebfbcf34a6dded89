"""The gradebook of a term: a row a student, a column an offering, in a handful of queries."""

from __future__ import annotations

from dataclasses import dataclass
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
    def missing(self) -> int:
        """How many offerings have no score."""
        return sum(line.missing for line in self.lines)


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

    def missing(self) -> list[tuple[Offering, int]]:
        """Return the published offerings where students have no score, and how many of them."""
        counts = (
            (offering, sum(row.lines[place].missing for row in self.rows))
            for place, offering in enumerate(self.offerings)
            if offering.published
        )
        return [(offering, count) for offering, count in counts if count]


def gradebook(session: Session, catalogue: Catalogue, term: Term) -> Gradebook:
    """Work out a term's gradebook, students by name."""
    offerings = tuple(term.offerings)
    items = rubrics(catalogue, offerings)
    standings = standings_in(session, term.id)
    rows = []
    for enrolment in students(session, term.id):
        lines = tuple(
            score_card(offering, items[offering.id], standings.get((enrolment.id, offering.id)))
            for offering in offerings
        )
        rows.append(GradebookRow(enrolment, lines))
    return Gradebook(term, offerings, tuple(rows))
