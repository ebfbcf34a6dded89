"""Points: from the verdicts of tests to the scores of tests, items, parts and the whole.

Owns the rules (how an item's points are split, partial credit, all-or-nothing, bonus, marks by
hand) and nothing else: it runs no test and knows no lateness. All arithmetic is in whole ticks
of 1/10000 point, so that sums are exact; floats appear only in the finished report.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from grader.errors import GradingError
from grader.lab.manifest import Assignment, Part, RubricItem
from grader.report.report import ItemReport, Outcome, PartReport, TestReport

TICKS = 10_000  # of one point; scores are exact to four decimals
CREDIT_STEPS = 20  # of a test's points: each finer one would tell more of a hidden input


@dataclass(frozen=True)
class Scored:
    """The verdicts with their points, and what they add up to."""

    tests: tuple[TestReport, ...]  # in the order they were given
    parts: tuple[PartReport, ...]  # in the manifest's order
    score: float
    max_score: float  # of the items that have a score, bonus left out
    manual_max_score: float  # of the items that a person still has to mark, bonus left out
    pending_score: float  # what the tests that could not be judged may still earn


def score_report(
    assignment: Assignment,
    tests: Sequence[TestReport],
    marks: Mapping[str, Decimal | float] | None = None,
) -> Scored:
    """Give every test its points and add them up.

    `tests` carry item, weight, outcome and credit; their score and max_score are overwritten.
    `marks` are points given by hand, by id of a manual item; a marked item counts like any
    other. The result depends on neither the order of the tests nor that of the marks.

    Raises GradingError when the suite and the manifest disagree or a credit is no number in
    [0, 1]: such a run has no score, and never full marks.
    """
    given = dict(marks or {})
    by_item = _by_item(assignment, tests)
    _check_marks(assignment, given)
    scored: dict[str, TestReport] = {}
    parts = []
    total = maximum = manual = pending = 0
    for part in assignment.parts:
        lines = [_score_item(item, by_item[item.id], given.get(item.id)) for item in part.items]
        counted = [line for line in lines if line.ticks is not None]
        total += sum(line.ticks or 0 for line in counted)
        maximum += sum(line.max_ticks for line in counted if not line.report.bonus)
        manual += sum(
            line.max_ticks for line in lines if line.ticks is None and not line.report.bonus
        )
        pending += sum(line.pending_ticks for line in lines)
        parts.append(_part_report(part, lines))
        scored.update((test.id, test) for line in lines for test in line.tests)
    return Scored(
        tests=tuple(scored[test.id] for test in tests),
        parts=tuple(parts),
        score=_points(total),
        max_score=_points(maximum),
        manual_max_score=_points(manual),
        pending_score=_points(pending),
    )


def check_credit(value: object, test: str) -> float:
    """Return a credit as a float; GradingError if it is no finite number from 0 to 1."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= float(value) <= 1:  # type: ignore[arg-type]
        raise GradingError(
            f"{test}: the credit {value!r} is not a number from 0 to 1; mend the test."
        )
    return float(value)  # type: ignore[arg-type]


def in_steps(share: float) -> float:
    """Return a credit in [0, 1] as it counts: in twentieths, rounded up, and 1 for 1 alone."""
    if share <= 0 or share >= 1:
        return share
    steps = math.ceil(share * CREDIT_STEPS - 1e-9)  # 0.55 * 20 is a little more than 11
    return min(max(steps, 1), CREDIT_STEPS - 1) / CREDIT_STEPS


@dataclass(frozen=True)
class _Line:
    """One item with its points in ticks; `ticks` is None while a person has to mark it."""

    report: ItemReport
    tests: tuple[TestReport, ...]
    ticks: int | None
    max_ticks: int
    pending_ticks: int  # what tests that could not be judged may still add


def _by_item(
    assignment: Assignment, tests: Sequence[TestReport]
) -> defaultdict[str, list[TestReport]]:
    """Group the tests by item after checking that suite and manifest agree."""
    items = {item.id: item for item in assignment.items}
    doubled = [name for name, count in Counter(test.id for test in tests).items() if count > 1]
    if doubled:
        raise GradingError(f"{doubled[0]}: the run reports this test twice; each counts once.")
    grouped: defaultdict[str, list[TestReport]] = defaultdict(list)
    for test in tests:
        if test.item not in items:
            raise GradingError(
                f"{test.id}: serves the item {test.item!r}, which {assignment.slug} does not "
                f"have; name one of {', '.join(items)}."
            )
        if items[test.item].manual:
            raise GradingError(
                f"{test.id}: serves the item {test.item!r}, which a person marks by hand; "
                "name another item or remove manual = true."
            )
        grouped[test.item].append(test)
    for item in assignment.items:
        if not item.manual and not grouped[item.id]:
            raise GradingError(
                f"{assignment.slug}: no test serves the item {item.id!r}; write one or set "
                "manual = true."
            )
    return grouped


def _check_marks(assignment: Assignment, marks: Mapping[str, Decimal | float]) -> None:
    manual = {item.id: item for item in assignment.items if item.manual}
    for item_id, points in marks.items():
        if item_id not in manual:
            raise GradingError(
                f"{assignment.slug}: a mark was given for {item_id!r}, which is no item marked "
                "by hand."
            )
        if not (math.isfinite(points) and 0 <= points <= manual[item_id].points):
            raise GradingError(
                f"{assignment.slug}: the mark {points} for {item_id!r} is not within 0 and "
                f"{manual[item_id].points}."
            )


def _score_item(item: RubricItem, tests: list[TestReport], mark: Decimal | float | None) -> _Line:
    max_ticks = int(item.points * TICKS)
    scored = () if item.manual else _score_tests(item, tests, max_ticks)
    ticks: int | None = sum(_ticks(test.score) for test in scored)
    if item.manual:
        ticks = None if mark is None else _round(_exact(mark) * TICKS)
    report = ItemReport(
        id=item.id,
        title=item.title,
        score=None if ticks is None else _points(ticks),
        max_score=_points(max_ticks),
        manual=item.manual,
        bonus=item.bonus,
        tests=tuple(test.id for test in tests),
    )
    return _Line(report, scored, ticks, max_ticks, _pending(item, scored))


def _pending(item: RubricItem, scored: Sequence[TestReport]) -> int:
    """Return what an item would earn more if every test without a judgement passed in full."""
    open_tests = [test for test in scored if test.outcome is Outcome.UNJUDGED]
    if not item.all_or_nothing:
        return sum(_ticks(test.max_score) for test in open_tests)
    lost = any(test.credit < 1 for test in scored if test.outcome is not Outcome.UNJUDGED)
    return sum(_ticks(test.max_score) for test in scored) if open_tests and not lost else 0


def _score_tests(
    item: RubricItem, tests: list[TestReport], max_ticks: int
) -> tuple[TestReport, ...]:
    """Split the item's ticks among its tests and give each its part."""
    credits = [_earned_credit(test) for test in tests]
    lost = item.all_or_nothing and any(credit < 1 for credit in credits)
    shares = _split(max_ticks, tests)
    return tuple(
        test.model_copy(
            update={
                "credit": credit,
                "score": _points(0 if lost else _round(_exact(credit) * shares[test.id])),
                "max_score": _points(shares[test.id]),
            }
        )
        for test, credit in zip(tests, credits, strict=True)
    )


def _earned_credit(test: TestReport) -> float:
    """Return the part of its points a test earns: nothing unless it passed."""
    credit = check_credit(test.credit, test.id)
    return credit if test.outcome is Outcome.PASSED else 0.0


def _split(ticks: int, tests: list[TestReport]) -> dict[str, int]:
    """Share out ticks by weight; the largest remainders, then the lowest ids, get the rest."""
    for test in tests:
        if not (math.isfinite(test.weight) and test.weight > 0):
            raise GradingError(f"{test.id}: the weight {test.weight} is not a positive number.")
    weights = {test.id: _exact(test.weight) for test in tests}
    total = sum(weights.values(), Fraction(0))
    exact = {name: ticks * weight / total for name, weight in weights.items()}
    shares = {name: math.floor(share) for name, share in exact.items()}
    rest = ticks - sum(shares.values())
    by_remainder = sorted(exact, key=lambda name: (shares[name] - exact[name], name))
    for name in by_remainder[:rest]:
        shares[name] += 1
    return shares


def _part_report(part: Part, lines: list[_Line]) -> PartReport:
    counted = [line for line in lines if line.ticks is not None]
    return PartReport(
        id=part.id,
        title=part.title,
        score=_points(sum(line.ticks or 0 for line in counted)),
        max_score=_points(sum(line.max_ticks for line in counted if not line.report.bonus)),
        items=tuple(line.report for line in lines),
    )


def _exact(value: Decimal | float) -> Fraction:
    """Return the number as it is written: 0.1 is one tenth, not its nearest binary fraction."""
    return Fraction(str(value))


def _round(value: Fraction) -> int:
    """Round to a whole number, halves up, so that more credit never earns less."""
    return math.floor(value + Fraction(1, 2))


def _ticks(points: float) -> int:
    return round(points * TICKS)


def _points(ticks: int) -> float:
    return ticks / TICKS
