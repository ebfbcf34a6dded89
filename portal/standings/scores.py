"""How the points of a student in an offering come about.

    raw     = score by tests of the counted attempt + marks given by hand
    kept    = raw * the share that the counted attempt keeps for its lateness
    points  = kept / (most that tests and people can give) * the offering's points

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
from portal.platform.language import Phrase, lazy
from portal.runs.models import RunState
from portal.standings.attempts import Attempt, attempts_of, counted
from portal.standings.marks import marks_in_term
from portal.standings.models import ManualMark
from portal.standings.rubric import ManualItem, manual_items, rubrics
from portal.standings.term_attempts import attempts_in_term

_CENT = Decimal("0.01")


class ScoreState(StrEnum):
    """Where a score stands."""

    ABSENT = "not offered yet"  # a lab without an assignment
    NONE = "no submission"
    GRADING = "being graded"
    STAFF = "needs staff"  # our fault three times, or tests that could not be judged
    MARKING = "to be marked by hand"
    RANKING = "ranked at the end"
    FINAL = "graded"


WORDS: Mapping[ScoreState, Phrase] = {
    ScoreState.ABSENT: lazy("not offered yet"),
    ScoreState.NONE: lazy("no submission"),
    ScoreState.GRADING: lazy("being graded"),
    ScoreState.STAFF: lazy("needs staff"),
    ScoreState.MARKING: lazy("to be marked by hand"),
    ScoreState.RANKING: lazy("ranked at the end"),
    ScoreState.FINAL: lazy("graded"),
}


@dataclass(frozen=True)
class MarkLine:
    """One item that a person marks, and the mark that counts; None if there is none to be seen."""

    item: ManualItem
    mark: ManualMark | None


@dataclass(frozen=True)
class ScoreCard:
    """One student's score in one offering, and everything it is made of."""

    max_points: Decimal
    state: ScoreState
    counted: Attempt | None  # None: no attempt has a result
    newest: Attempt | None
    attempts: int
    marks: tuple[MarkLine, ...]
    by_hand_only: bool  # no tests: people alone score it

    @property
    def by_tests(self) -> Decimal:
        """Points by tests of the attempt that counts."""
        result = self.counted.result if self.counted else None
        return Decimal(str(result.score)) if result else Decimal(0)

    @property
    def max_by_tests(self) -> Decimal:
        """The most that the tests of that attempt could give."""
        result = self.counted.result if self.counted else None
        return Decimal(str(result.max_score)) if result else Decimal(0)

    @property
    def by_hand(self) -> Decimal:
        """Points by the marks that count."""
        return sum((line.mark.points for line in self.marks if line.mark), Decimal(0))

    @property
    def max_by_hand(self) -> Decimal:
        """The most that people can give, without what is a bonus."""
        return sum((line.item.points for line in self.marks if not line.item.bonus), Decimal(0))

    @property
    def late_factor(self) -> Decimal:
        """Which share of its points the counted attempt keeps: 1 unless it came late."""
        return self.counted.late_factor if self.counted else Decimal(1)

    @property
    def raw(self) -> Decimal:
        """Points by tests and by hand together, before lateness and scaling."""
        return self.by_tests + self.by_hand

    @property
    def max_raw(self) -> Decimal:
        """The most that tests and people can give together."""
        return self.max_by_tests + self.max_by_hand

    @property
    def points(self) -> Decimal | None:
        """The official points; None if nothing has been scored yet, which is not a zero."""
        if self.by_hand_only:
            scored = any(line.mark for line in self.marks)
        else:  # a hand mark alone says nothing about what the tests will give
            scored = self.counted is not None
        if not scored:
            return None
        return scaled(self.raw * self.late_factor, self.max_raw, self.max_points)

    @property
    def missing(self) -> bool:
        """Whether there is no score at all."""
        return self.points is None

    @property
    def submission_id(self) -> str | None:
        """The attempt that counts, else the newest."""
        shown = self.counted or self.newest
        return shown.submission.id if shown else None


def score_card(
    offering: Offering,
    items: Sequence[ManualItem],
    attempts: Sequence[Attempt],
    marks: Mapping[str, ManualMark],
) -> ScoreCard:
    """Work out one score from a student's attempts and the marks that count, by item id."""
    chosen = counted(attempts, offering.policy)
    lines = tuple(MarkLine(item, marks.get(item.id)) for item in items)
    given = sum(line.mark is not None for line in lines)
    return ScoreCard(
        max_points=offering.points,
        state=_state(offering, items, attempts, chosen, given),
        counted=chosen,
        newest=max(attempts, key=lambda attempt: attempt.submission.attempt, default=None),
        attempts=len(attempts),
        marks=lines,
        by_hand_only=_is_whole(items),
    )


def scores_of(
    session: Session, enrolment: Enrolment, catalogue: Catalogue, *, as_student: bool = False
) -> dict[int, ScoreCard]:
    """Return a student's scores by offering id, in as many queries whatever their number.

    `as_student` leaves out the marks that are not published yet.
    """
    offerings = enrolment.term.offerings
    items = rubrics(catalogue, offerings)
    attempts = attempts_in_term(session, enrolment.term_id, enrolment.id)
    marks = marks_in_term(session, enrolment.term_id, enrolment.id)
    return {
        offering.id: score_card(
            offering,
            items[offering.id],
            attempts.get((enrolment.id, offering.id), []),
            marks.get((enrolment.id, offering.id), {})
            if offering.marks_published or not as_student
            else {},
        )
        for offering in offerings
    }


def score_for_student(
    session: Session, enrolment: Enrolment, offering: Offering, catalogue: Catalogue
) -> ScoreCard:
    """Return one score as its student may see it."""
    marks = (
        marks_in_term(session, enrolment.term_id, enrolment.id) if offering.marks_published else {}
    )
    return score_card(
        offering,
        manual_items(catalogue, offering),
        attempts_of(session, enrolment, offering),
        marks.get((enrolment.id, offering.id), {}),
    )


def scaled(raw: Decimal, raw_max: Decimal, points: Decimal) -> Decimal:
    """Return ``raw / raw_max * points`` rounded half up to hundredths; zero of nothing is zero."""
    if raw_max <= 0:
        return Decimal(0)
    return (raw * points / raw_max).quantize(_CENT, ROUND_HALF_UP)


def _state(
    offering: Offering,
    items: Sequence[ManualItem],
    attempts: Sequence[Attempt],
    chosen: Attempt | None,
    given: int,
) -> ScoreState:
    by_hand_only = _is_whole(items)
    if chosen is not None and chosen.result is not None and chosen.result.pending_score:
        return ScoreState.STAFF
    if chosen is not None or (by_hand_only and given):
        return ScoreState.FINAL if given == len(items) else ScoreState.MARKING
    if any(attempt.state.is_open for attempt in attempts):
        return ScoreState.GRADING
    if any(attempt.state is RunState.NEEDS_HUMAN for attempt in attempts):
        return ScoreState.STAFF
    if by_hand_only:
        return ScoreState.RANKING if offering.assignment_slug else ScoreState.MARKING
    return ScoreState.NONE if offering.assignment_slug else ScoreState.ABSENT


def _is_whole(items: Sequence[ManualItem]) -> bool:
    """Tell whether one mark alone scores the offering: there are no tests."""
    return any(item.is_whole for item in items)
