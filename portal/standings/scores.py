"""How the points of a student in an offering come about.

    raw     = score by tests of the counted attempt + marks given by hand
    points  = raw / (most that tests and people can give) * the offering's points

Everything is decimal arithmetic, rounded once, to hundredths, so that totals add up to what the
page shows. Where nothing has been scored there are no points, which is not the same as zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from sqlalchemy.orm import Session

from grader.api import Catalogue
from portal.courses.models import Enrolment, Offering
from portal.runs.models import RunState
from portal.standings.attempts import Attempt, counted
from portal.standings.marks import marks_in_term
from portal.standings.models import ManualMark
from portal.standings.rubric import ManualItem, is_by_hand, rubrics
from portal.standings.term_attempts import attempts_in_term

_CENT = Decimal("0.01")


class ScoreState(StrEnum):
    """Where a score stands."""

    ABSENT = "not offered yet"  # a lab without an assignment
    NONE = "no submission"
    GRADING = "being graded"
    STAFF = "needs staff"  # our fault three times, or tests that could not be judged
    MARKING = "to be marked by hand"
    FINAL = "graded"


@dataclass(frozen=True)
class ScoreLine:
    """One student's score in one offering."""

    points: Decimal | None  # None: nothing scored yet, which is not a zero
    max_points: Decimal
    state: ScoreState
    submission_id: str | None = None  # the attempt that counts, else the newest
    attempts: int = 0

    @property
    def missing(self) -> bool:
        """Whether there is no score at all."""
        return self.points is None


def score_line(
    offering: Offering,
    items: Sequence[ManualItem],
    attempts: Sequence[Attempt],
    marks: Mapping[str, ManualMark],
) -> ScoreLine:
    """Work out one score from a student's attempts and the marks that count, by item id."""
    chosen = counted(attempts, offering.policy)
    newest = max(attempts, key=lambda attempt: attempt.submission.attempt, default=None)
    shown = chosen or newest
    given = [marks[item.id].points for item in items if item.id in marks]
    return ScoreLine(
        points=_points(offering, items, chosen, given),
        max_points=offering.points,
        state=_state(offering, items, attempts, chosen, len(given)),
        submission_id=shown.submission.id if shown else None,
        attempts=len(attempts),
    )


def scores_of(session: Session, enrolment: Enrolment, catalogue: Catalogue) -> dict[int, ScoreLine]:
    """Return a student's scores by offering id, in as many queries whatever their number."""
    offerings = enrolment.term.offerings
    items = rubrics(catalogue, offerings)
    attempts = attempts_in_term(session, enrolment.term_id, enrolment.id)
    marks = marks_in_term(session, enrolment.term_id, enrolment.id)
    return {
        offering.id: score_line(
            offering,
            items[offering.id],
            attempts.get((enrolment.id, offering.id), []),
            marks.get((enrolment.id, offering.id), {}),
        )
        for offering in offerings
    }


def scaled(raw: Decimal, raw_max: Decimal, points: Decimal) -> Decimal:
    """Return ``raw / raw_max * points`` rounded half up to hundredths; zero of nothing is zero."""
    if raw_max <= 0:
        return Decimal(0)
    return (raw * points / raw_max).quantize(_CENT, ROUND_HALF_UP)


def _points(
    offering: Offering,
    items: Sequence[ManualItem],
    chosen: Attempt | None,
    given: Sequence[Decimal],
) -> Decimal | None:
    result = chosen.result if chosen else None
    if result is None and not given:
        return None
    if result is None and not is_by_hand(offering):
        return None  # a hand mark alone says nothing about what the tests will give
    by_tests = Decimal(str(result.score)) if result else Decimal(0)
    most = Decimal(str(result.max_score)) if result else Decimal(0)
    most += sum((item.points for item in items if not item.bonus), Decimal(0))
    return scaled(by_tests + sum(given, Decimal(0)), most, offering.points)


def _state(
    offering: Offering,
    items: Sequence[ManualItem],
    attempts: Sequence[Attempt],
    chosen: Attempt | None,
    given: int,
) -> ScoreState:
    by_hand_only = is_by_hand(offering)
    if chosen is not None and chosen.result is not None and chosen.result.pending_score:
        return ScoreState.STAFF
    if chosen is not None or (by_hand_only and given):
        return ScoreState.FINAL if given == len(items) else ScoreState.MARKING
    if any(attempt.state.is_open for attempt in attempts):
        return ScoreState.GRADING
    if any(attempt.state is RunState.NEEDS_HUMAN for attempt in attempts):
        return ScoreState.STAFF
    if by_hand_only:
        return ScoreState.MARKING
    return ScoreState.NONE if offering.assignment_slug else ScoreState.ABSENT
