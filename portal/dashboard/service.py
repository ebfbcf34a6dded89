"""The figures of one offering, each from where its students stand, and all from few queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import TypeVarTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Select, case, extract, func, select
from sqlalchemy.orm import Session

from grader.api import Catalogue, ManifestError, Outcome, UnknownAssignment
from portal.courses.anonymity import Veil
from portal.courses.models import Enrolment, Offering, Role
from portal.courses.service import students
from portal.people.models import User
from portal.platform.language import titled
from portal.runs.models import RunTest
from portal.standings.models import StudentStanding
from portal.standings.rubric import manual_items
from portal.standings.scores import score_card
from portal.submissions.models import Submission, SubmissionMember

BINS = 7  # of two points each in a lab of 14
_QUARTER = 15 * 60  # seconds: in every zone days begin at the beginning of one

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

    test: str  # its id in the suite
    number: int  # as the reports have it
    title: str
    item: str  # id of the item that it serves
    passed: int
    total: int

    @property
    def rate(self) -> float:
        """The share that passes, 0 to 1."""
        return self.passed / self.total if self.total else 0.0


@dataclass(frozen=True)
class ItemRates:
    """The tests of one item, the hardest first."""

    item: str
    tests: tuple[PassRate, ...]

    @property
    def rate(self) -> float:
        """The share of its tests that pass, over all attempts that count."""
        total = sum(one.total for one in self.tests)
        return sum(one.passed for one in self.tests) / total if total else 0.0


@dataclass(frozen=True)
class Affected:
    """A student whose counted attempt fails, and that attempt."""

    name: str
    submission_id: str


@dataclass(frozen=True)
class Ending:
    """How one test ended for the students for whom it ended so."""

    outcome: Outcome
    message: str
    students: tuple[Affected, ...]


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
    items: tuple[ItemRates, ...]  # in the order of the tests
    failures: tuple[FailureGroup, ...]
    days: tuple[Day, ...]
    tries: tuple[tuple[int, int], ...]  # (attempts until all tests passed, students)


def dashboard(session: Session, catalogue: Catalogue, offering: Offering, veil: Veil) -> Dashboard:
    """Work out the figures of an offering, as a reader may be told whose they are."""
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
        items=by_item(pass_rates(session, offering)),
        failures=_failures(session, offering, veil),
        days=_days(session, offering),
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
    """Return each test's pass rate in the attempts that count, in the order of the reports."""
    passed = func.sum(case((RunTest.outcome == Outcome.PASSED.value, 1), else_=0))
    columns = (func.min(RunTest.number), func.max(RunTest.title), func.max(RunTest.item))
    query = _of_counted(select(RunTest.test, *columns, passed, func.count()), offering)
    rates = [PassRate(*row) for row in session.execute(query.group_by(RunTest.test))]
    return tuple(sorted(rates, key=lambda one: (one.number, one.test)))


def by_item(rates: Iterable[PassRate]) -> tuple[ItemRates, ...]:
    """Group tests by their items, in the order in which those first come."""
    groups: dict[str, list[PassRate]] = {}
    for one in rates:
        groups.setdefault(one.item, []).append(one)
    return tuple(
        ItemRates(item, tuple(sorted(tests, key=lambda one: (one.rate, one.number))))
        for item, tests in groups.items()
    )


def endings(session: Session, offering: Offering, test: str, veil: Veil) -> tuple[Ending, ...]:
    """Return how a test ended in the attempts that count, and for whom; what passed comes last."""
    columns = select(
        RunTest.outcome,
        RunTest.message,
        Enrolment.id,
        User.display_name,
        StudentStanding.submission_id,
    )
    query = (
        _of_counted(columns, offering)
        .join(User, Enrolment.user_id == User.id)
        .where(RunTest.test == test)
        .order_by(User.display_name, User.username)
    )
    found: dict[tuple[Outcome, str], list[Affected]] = {}
    for outcome, message, student, name, submission in session.execute(query):
        key = (Outcome(outcome), message)
        shown = veil.name(student, offering.id, name)
        found.setdefault(key, []).append(Affected(shown, submission or ""))
    groups = [Ending(*key, _in_order(students, offering, veil)) for key, students in found.items()]
    return tuple(
        sorted(groups, key=lambda one: (one.outcome is Outcome.PASSED, -len(one.students)))
    )


def item_titles(catalogue: Catalogue, offering: Offering) -> dict[str, str]:
    """Return what an offering's items are called, by id; none if its files are not here."""
    try:
        assignment = catalogue.get(offering.assignment_slug or "").assignment
    except (UnknownAssignment, ManifestError):
        return {}
    return {item.id: titled(item) for item in assignment.items}


def _in_order(students: Iterable[Affected], offering: Offering, veil: Veil) -> tuple[Affected, ...]:
    """Return students, who come by their names, by what they are called."""
    hidden = offering.id in veil.offerings
    return tuple(sorted(students, key=lambda one: one.name) if hidden else students)


def _failures(session: Session, offering: Offering, veil: Veil) -> tuple[FailureGroup, ...]:
    columns = select(
        RunTest.outcome,
        RunTest.message,
        RunTest.title,
        Enrolment.id,
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
    for outcome, message, title, student, name, submission in session.execute(query):
        key = (outcome, message)
        titles.setdefault(key, {})[title] = None
        shown = veil.name(student, offering.id, name)
        affected.setdefault(key, {})[Affected(shown, submission or "")] = None
    found = [
        FailureGroup(
            Outcome(outcome), message, tuple(titles[key]), _in_order(affected[key], offering, veil)
        )
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


def _days(session: Session, offering: Offering) -> tuple[Day, ...]:
    """Count uploads of those who take part, and whoever has begun, by days of the course's zone."""
    zone = ZoneInfo(offering.term.timezone)
    epoch = extract("epoch", Submission.received_at)
    quarter = epoch - epoch % _QUARTER
    uploads = _sent(select(quarter, func.count(Submission.id.distinct())), offering)
    begins = _sent(select(SubmissionMember.enrolment_id, func.min(quarter)), offering)

    def day_of(quarter: float) -> date:
        return datetime.fromtimestamp(int(quarter), zone).date()

    sent: Counter[date] = Counter()
    for number, count in session.execute(uploads.group_by(quarter)):
        sent[day_of(number)] += count
    firsts = session.execute(begins.group_by(SubmissionMember.enrolment_id))
    begun = Counter(day_of(number) for _, number in firsts)
    days = sorted(sent)
    so_far = accumulate(begun[day] for day in days)
    return tuple(Day(day, sent[day], total) for day, total in zip(days, so_far, strict=True))


def _sent(columns: Select[*Row], offering: Offering) -> Select[*Row]:
    """Select from the uploads of an offering, with each of their members who takes part."""
    return (
        columns.select_from(Submission)
        .join(SubmissionMember, SubmissionMember.submission_id == Submission.id)
        .join(Enrolment, SubmissionMember.enrolment_id == Enrolment.id)
        .where(
            Submission.offering_id == offering.id,
            Enrolment.active,
            Enrolment.role == Role.STUDENT,
        )
    )
