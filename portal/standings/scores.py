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
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from grader.api import Catalogue
from portal.courses.models import Enrolment, Offering
from portal.platform.language import Phrase, lazy
from portal.standings.marks import marks_of
from portal.standings.models import ManualMark, Place, StudentStanding
from portal.standings.rubric import ManualItem, manual_items, rubrics

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
    """One item that a person marks, and the points that count; None if there are none to be seen.

    Who gave them, and what they said, is read for one student's pages only.
    """

    item: ManualItem
    points: Decimal | None
    mark: ManualMark | None = None


@dataclass(frozen=True)
class ScoreCard:
    """One student's score in one offering, and everything it is made of."""

    max_points: Decimal
    state: ScoreState
    standing: StudentStanding | None  # None: nothing was handed in and nothing marked
    marks: tuple[MarkLine, ...]
    by_hand_only: bool  # no tests: people alone score it

    @property
    def counted(self) -> StudentStanding | None:
        """Where the student stands, if an attempt of theirs counts."""
        return self.standing if self.standing and self.standing.submission_id else None

    @property
    def attempts(self) -> int:
        """How many attempts there are."""
        return self.standing.attempts if self.standing else 0

    @property
    def days_spent(self) -> int:
        """Late days that are spent on the attempt that counts."""
        return self.standing.days_spent if self.standing else 0

    @property
    def by_tests(self) -> Decimal:
        """Points by tests of the attempt that counts."""
        return self.standing.by_tests if self.standing else Decimal(0)

    @property
    def max_by_tests(self) -> Decimal:
        """The most that the tests of that attempt could give."""
        return self.standing.max_by_tests if self.standing else Decimal(0)

    @property
    def by_hand(self) -> Decimal:
        """Points by the marks that count."""
        return sum((line.points for line in self.marks if line.points is not None), Decimal(0))

    @property
    def max_by_hand(self) -> Decimal:
        """The most that people can give, without what is a bonus."""
        return sum((line.item.points for line in self.marks if not line.item.bonus), Decimal(0))

    @property
    def late_factor(self) -> Decimal:
        """Which share of its points the counted attempt keeps: 1 unless it came late."""
        return self.standing.late_factor if self.standing else Decimal(1)

    @property
    def raw(self) -> Decimal:
        """Points by tests and by hand together, before lateness and scaling."""
        return self.by_tests + self.by_hand

    @property
    def max_raw(self) -> Decimal:
        """The most that tests and people can give together."""
        return self.max_by_tests + self.max_by_hand

    @cached_property
    def points(self) -> Decimal | None:
        """The official points; None if nothing has been scored yet, which is not a zero."""
        if self.by_hand_only:
            scored = any(line.points is not None for line in self.marks)
        else:  # a hand mark alone says nothing about what the tests will give
            scored = self.counted is not None
        if not scored:
            return None
        return scaled(self.raw * self.late_factor, self.max_raw, self.max_points)

    @property
    def is_rounded(self) -> bool:
        """Whether the official points are not exactly what the parts come to."""
        if self.points is None or self.max_raw <= 0:
            return False
        return self.points * self.max_raw != self.raw * self.late_factor * self.max_points

    @property
    def missing(self) -> bool:
        """Whether there is no score at all."""
        return self.points is None

    @property
    def submission_id(self) -> str | None:
        """The attempt that counts, else the newest."""
        if self.standing is None:
            return None
        return self.standing.submission_id or self.standing.newest_id


def score_card(
    offering: Offering,
    items: Sequence[ManualItem],
    standing: StudentStanding | None,
    marks: Mapping[str, ManualMark] | None = None,
    *,
    hide_marks: bool = False,
) -> ScoreCard:
    """Work out one score from where its student stands.

    `marks` are the rows of the points by hand, where who gave them is shown.
    """
    points = standing.marks if standing and not hide_marks else {}
    rows = marks or {}
    lines = tuple(
        MarkLine(
            item,
            Decimal(points[item.id]) if item.id in points else None,
            rows.get(item.id) if item.id in points else None,
        )
        for item in items
    )
    given = sum(line.points is not None for line in lines)
    return ScoreCard(
        max_points=offering.points,
        state=_state(offering, items, standing, given),
        standing=standing,
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
    mine = select(StudentStanding).where(StudentStanding.enrolment_id == enrolment.id)
    standings = {one.offering_id: one for one in session.scalars(mine)}
    marks = marks_of(session, enrolment.id)
    return {
        offering.id: score_card(
            offering,
            items[offering.id],
            standings.get(offering.id),
            marks.get(offering.id),
            hide_marks=as_student and not offering.marks_published,
        )
        for offering in offerings
    }


def score_for_student(
    session: Session, enrolment: Enrolment, offering: Offering, catalogue: Catalogue
) -> ScoreCard:
    """Return one score as its student may see it."""
    return score_card(
        offering,
        manual_items(catalogue, offering),
        standing_of(session, enrolment.id, offering.id),
        marks_of(session, enrolment.id).get(offering.id),
        hide_marks=not offering.marks_published,
    )


def standing_of(session: Session, enrolment_id: int, offering_id: int) -> StudentStanding | None:
    """Return where a student stands in an offering; None if nothing was handed in or marked."""
    return session.get(StudentStanding, (enrolment_id, offering_id))


def standings_in(
    session: Session, term_id: int, *, by_item: bool = False
) -> dict[Place, StudentStanding]:
    """Return where everybody stands in a term, by student and offering; with items if asked."""
    query = (
        select(StudentStanding)
        .join(Offering, StudentStanding.offering_id == Offering.id)
        .where(Offering.term_id == term_id)
    )
    if not by_item:
        query = query.options(defer(StudentStanding.items, raiseload=True))
    return {one.place: one for one in session.scalars(query)}


def scaled(raw: Decimal, raw_max: Decimal, points: Decimal) -> Decimal:
    """Return ``raw / raw_max * points`` rounded half up to hundredths; zero of nothing is zero."""
    if raw_max <= 0:
        return Decimal(0)
    return (raw * points / raw_max).quantize(_CENT, ROUND_HALF_UP)


def _state(
    offering: Offering, items: Sequence[ManualItem], standing: StudentStanding | None, given: int
) -> ScoreState:
    by_hand_only = _is_whole(items)
    counts = standing is not None and standing.submission_id is not None
    if standing and counts and standing.pending:
        return ScoreState.STAFF
    if counts or (by_hand_only and given):
        return ScoreState.FINAL if given == len(items) else ScoreState.MARKING
    if standing and standing.waiting:
        return ScoreState.GRADING
    if standing and standing.stuck:
        return ScoreState.STAFF
    if by_hand_only:
        return ScoreState.RANKING if offering.assignment_slug else ScoreState.MARKING
    return ScoreState.NONE if offering.assignment_slug else ScoreState.ABSENT


def _is_whole(items: Sequence[ManualItem]) -> bool:
    """Tell whether one mark alone scores the offering: there are no tests."""
    return any(item.is_whole for item in items)
