"""The figures of one offering, each from where its students stand, and all from few queries."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Catalogue, Outcome, Report, TestReport, clean_line
from portal.courses.models import Enrolment, Offering
from portal.courses.service import students
from portal.runs.models import Result
from portal.standings.models import Standing
from portal.standings.rubric import manual_items
from portal.standings.scores import score_card
from portal.submissions.models import Submission

BINS = 7  # of two points each in a lab of 14
_MESSAGE = 160
# Numbers differ from student to student where the mistake is the same.
_NUMBER = re.compile(r"(?<![A-Za-z_])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


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


@dataclass(frozen=True)
class _Counted:
    """A student's counted attempt and its report."""

    enrolment: Enrolment
    submission_id: str
    report: Report


def dashboard(session: Session, catalogue: Catalogue, offering: Offering) -> Dashboard:
    """Work out the figures of an offering."""
    people = students(session, offering.term_id)
    found = session.scalars(select(Standing).where(Standing.offering_id == offering.id))
    standings = {one.enrolment_id: one for one in found}
    mine = {one.id: standings.get(one.id) for one in people}
    items = manual_items(catalogue, offering)
    lines = [score_card(offering, items, mine[one.id]) for one in people]
    scores = [line.points for line in lines if line.points is not None]
    chosen = _counted(session, people, mine)
    stand = [one for one in mine.values() if one is not None]
    return Dashboard(
        offering=offering,
        enrolled=len(people),
        submitted=sum(bool(one.attempts) for one in stand),
        scored=len(scores),
        mean=sum(scores, Decimal(0)) / len(scores) if scores else None,
        distribution=distribution(scores, offering.points),
        tests=pass_rates([one.report for one in chosen]),
        failures=_failures(chosen),
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


def pass_rates(reports: Iterable[Report]) -> tuple[PassRate, ...]:
    """Return each test's pass rate, the hardest test first."""
    passed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    titles: dict[str, str] = {}
    for report in reports:
        for test in report.tests:
            titles[test.id] = test.title
            total[test.id] += 1
            passed[test.id] += test.outcome is Outcome.PASSED
    rates = [PassRate(test, titles[test], passed[test], total[test]) for test in total]
    return tuple(sorted(rates, key=lambda one: (one.rate, one.test)))


def message_of(test: TestReport) -> str:
    """Return what a failure says in one line, with an ellipsis for every number."""
    said = test.detail if test.outcome in (Outcome.FAILED, Outcome.ERROR) else ""
    lines = [line for line in said.splitlines() if line.strip()] or [test.reason]
    # Of a traceback pytest's "E" line or the last one tells; the first says where, not what.
    message = next((line[1:] for line in lines if line.startswith("E  ")), None)
    message = message or (lines[-1] if lines[0].startswith("Traceback") else lines[0])
    return _NUMBER.sub("…", clean_line(message, _MESSAGE))


def _counted(
    session: Session, people: Sequence[Enrolment], standings: Mapping[int, Standing | None]
) -> list[_Counted]:
    """Read the reports of the attempts that count: one each, whatever the number of attempts."""
    chosen = [(one, found) for one in people if (found := standings[one.id]) and found.run_id]
    run_ids = [found.run_id for _, found in chosen]
    query = select(Result.run_id, Result.report).where(Result.run_id.in_(run_ids))
    reports = {run_id: text for run_id, text in session.execute(query)}
    return [
        _Counted(
            one, found.submission_id or "", Report.model_validate_json(reports[found.run_id or ""])
        )
        for one, found in chosen
    ]


def _failures(chosen: Sequence[_Counted]) -> tuple[FailureGroup, ...]:
    titles: dict[tuple[Outcome, str], dict[str, None]] = {}  # dictionaries: sets in order
    affected: dict[tuple[Outcome, str], dict[Affected, None]] = {}
    for one in chosen:
        who = Affected(one.enrolment.user.display_name, one.submission_id)
        for test in one.report.tests:
            if test.outcome is not Outcome.PASSED:
                key = (test.outcome, message_of(test))
                titles.setdefault(key, {})[test.title] = None
                affected.setdefault(key, {})[who] = None
    found = [FailureGroup(*key, tuple(titles[key]), tuple(affected[key])) for key in titles]
    return tuple(sorted(found, key=lambda group: (-len(group.students), group.titles)))


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
