"""The figures of one offering, each from where its students stand, and all from few queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import TypeVarTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from grader.api import Catalogue, Outcome
from portal.courses.models import Enrolment, Offering, Role
from portal.courses.service import students
from portal.people.models import User
from portal.runs.models import RunTest
from portal.standings.models import StudentStanding
from portal.standings.rubric import manual_items
from portal.standings.scores import score_card
from portal.submissions.models import Submission

BINS = 7  # of two points each in a lab of 14

Row = TypeVarTuple("Row")


@dataclass(frozen=True)
class Bin:
    """How many students have a score in an interval; the last one holds its upper end too."""

    low: float
    high: float
    students: int


@dataclass(frozen=True)
class PassRate:
    """How many of the counted attempts pass a test."""

    test: str
    title: str
    passed: int
    total: int

    @property
    def rate(self) -> float:
        """The share that passes, 0 to 1."""
        return self.passed / self.total if self.total else 0.0


@dataclass(frozen=True)
class Affected:
    """A student whose counted attempt fails, and that attempt."""

    name: str
    submission_id: str


@dataclass(frozen=True)
class FailureGroup:
    """Students whose attempts fail with one message, numbers in it aside."""

    outcome: Outcome
    message: str
    titles: tuple[str, ...]  # of the tests that fail with it
    students: tuple[Affected, ...]


@dataclass(frozen=True)
class Day:
    """One day in the course's zone: uploads, and students who have sent something by its end."""

    day: date
    uploads: int
    students: int


@dataclass(frozen=True)
class Dashboard:
    """Everything the page shows of an offering."""

    offering: Offering
    enrolled: int
    submitted: int
    scored: int
    mean: Decimal | None
    distribution: tuple[Bin, ...]
    tests: tuple[PassRate, ...]
    failures: tuple[FailureGroup, ...]
    days: tuple[Day, ...]
    tries: tuple[tuple[int, int], ...]  # (attempts until all tests passed, students)


def dashboard(session: Session, catalogue: Catalogue, offering: Offering) -> Dashboard:
    """Work out the figures of an offering."""
    people = students(session, offering.term_id)
    found = session.scalars(
        select(StudentStanding).where(StudentStanding.offering_id == offering.id)
    )
    standings = {one.enrolment_id: one for one in found}
    mine = {one.id: standings.get(one.id) for one in people}
    items = manual_items(catalogue, offering)
    lines = [score_card(offering, items, mine[one.id]) for one in people]
    scores = [line.points for line in lines if line.points is not None]
    stand = [one for one in mine.values() if one is not None]
    return Dashboard(
        offering=offering,
        enrolled=len(people),
        submitted=sum(bool(one.attempts) for one in stand),
        scored=len(scores),
        mean=sum(scores, Decimal(0)) / len(scores) if scores else None,
        distribution=distribution(scores, offering.points),
        tests=pass_rates(session, offering),
        failures=_failures(session, offering),
        days=_days(session, offering, mine),
        tries=tuple(sorted(Counter(one.solved_at for one in stand if one.solved_at).items())),
    )


def distribution(scores: Iterable[Decimal], most: Decimal, bins: int = BINS) -> tuple[Bin, ...]:
    """Count scores in equal intervals from 0 to `most`; what lies above goes to the last."""
    if most <= 0:
        return ()
    counts = Counter(min(bins - 1, int(score * bins / most)) for score in scores)
    edges = [round(float(most * place / bins), 2) for place in range(bins + 1)]
    return tuple(Bin(edges[i], edges[i + 1], counts[i]) for i in range(bins))


def pass_rates(session: Session, offering: Offering) -> tuple[PassRate, ...]:
    """Return each test's pass rate in the attempts that count, the hardest test first."""
    passed = func.sum(case((RunTest.outcome == Outcome.PASSED.value, 1), else_=0))
    query = _of_counted(
        select(RunTest.test, func.max(RunTest.title), passed, func.count()), offering
    ).group_by(RunTest.test)
    rates = [PassRate(*row) for row in session.execute(query)]
    return tuple(sorted(rates, key=lambda one: (one.rate, one.test)))


def _failures(session: Session, offering: Offering) -> tuple[FailureGroup, ...]:
    columns = select(
        RunTest.outcome,
        RunTest.message,
        RunTest.title,
        User.display_name,
        StudentStanding.submission_id,
    )
    query = (
        _of_counted(columns, offering)
        .join(User, Enrolment.user_id == User.id)
        .where(RunTest.outcome != Outcome.PASSED.value)
        .order_by(User.display_name, User.username, RunTest.number)
    )
    titles: dict[tuple[str, str], dict[str, None]] = {}  # dictionaries: sets in order
    affected: dict[tuple[str, str], dict[Affected, None]] = {}
    for outcome, message, title, name, submission in session.execute(query):
        key = (outcome, message)
        titles.setdefault(key, {})[title] = None
        affected.setdefault(key, {})[Affected(name, submission or "")] = None
    found = [
        FailureGroup(Outcome(outcome), message, tuple(titles[key]), tuple(affected[key]))
        for key in titles
        for outcome, message in [key]
    ]
    return tuple(sorted(found, key=lambda group: (-len(group.students), group.titles)))


def _of_counted(columns: Select[*Row], offering: Offering) -> Select[*Row]:
    """Select from the tests of the attempts that count, of the students who take part."""
    return (
        columns.select_from(StudentStanding)
        .join(RunTest, RunTest.run_id == StudentStanding.run_id)
        .join(Enrolment, StudentStanding.enrolment_id == Enrolment.id)
        .where(
            StudentStanding.offering_id == offering.id,
            Enrolment.active,
            Enrolment.role == Role.STUDENT,
        )
    )


def _days(session: Session, offering: Offering, people: Collection[int]) -> tuple[Day, ...]:
    zone = ZoneInfo(offering.term.timezone)
    query = select(Submission.received_at, Submission.enrolment_id).where(
        Submission.offering_id == offering.id
    )
    sent: Counter[date] = Counter()
    first: dict[int, date] = {}
    for received, enrolment in session.execute(query.order_by(Submission.received_at)):
        if enrolment in people:
            day = received.astimezone(zone).date()
            sent[day] += 1
            first.setdefault(enrolment, day)
    begun = Counter(first.values())
    so_far = accumulate(begun[day] for day in sent)
    return tuple(Day(day, sent[day], total) for day, total in zip(sent, so_far, strict=True))
