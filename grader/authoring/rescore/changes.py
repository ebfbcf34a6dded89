"""Two reports of each submission side by side: the points, and the tests behind the difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.report.report import Outcome, Report, RunStatus, TestReport


@dataclass(frozen=True)
class Flip:
    """A test that came to something else, or that only one of the suites has (None there)."""

    test: str
    title: str
    before: Outcome | None
    after: Outcome | None
    points_before: float
    points_after: float

    @property
    def points(self) -> float:
        """What it gains, or loses if below zero."""
        return round(self.points_after - self.points_before, 4)


@dataclass(frozen=True)
class Standing:
    """How a submission stands by one suite; the score is None unless it was graded."""

    status: RunStatus
    score: float | None
    max_score: float
    why_not: str = ""  # graded: the first of what was said


@dataclass(frozen=True)
class Change:
    """One submission by both suites."""

    name: str
    before: Standing | None  # None if there is no earlier report
    after: Standing | None
    flips: tuple[Flip, ...]  # the dearest first
    edited: bool = False  # the files themselves differ

    @property
    def moves(self) -> bool:
        """Whether the score changes, or whether there is one at all."""
        if self.before is None or self.after is None:
            return True
        return (self.before.status, self.before.score) != (self.after.status, self.after.score)

    @property
    def points(self) -> float | None:
        """How many points it gains or loses; None if one side has no score."""
        if not (self.before and self.after):
            return None
        if self.before.score is None or self.after.score is None:
            return None
        return round(self.after.score - self.before.score, 4)


def changes(before: Iterable[Report], after: Iterable[Report]) -> list[Change]:
    """Match reports by the submission's name; whoever moves most comes first.

    Those without a score on one side lead, then the largest losses, then the largest gains, then
    those who stay.
    """
    old = {report.submission: report for report in before}
    new = {report.submission: report for report in after}
    found = [_change(name, old.get(name), new.get(name)) for name in {**old, **new}]
    return sorted(found, key=_urgency)


def moved(found: Iterable[Change]) -> list[Change]:
    """Return only those who move."""
    return [change for change in found if change.moves]


def _urgency(change: Change) -> tuple[bool, bool, bool, float, str]:
    points = change.points or 0.0
    return (
        not change.moves,
        change.points is not None,
        points >= 0,
        -abs(points),
        change.name,
    )


def _change(name: str, before: Report | None, after: Report | None) -> Change:
    both = before is not None and after is not None
    return Change(
        name=name,
        before=_standing(before),
        after=_standing(after),
        flips=tuple(_flips(before.tests, after.tests)) if before and after else (),
        edited=both and bool(before and after and before.digest != after.digest),
    )


def _standing(report: Report | None) -> Standing | None:
    if report is None:
        return None
    said = [*report.messages, report.fault] if report.status is not RunStatus.GRADED else [""]
    why_not = next((line for text in said for line in text.splitlines() if line.strip()), "")
    return Standing(report.status, report.score, report.max_score, why_not)


def _flips(before: Sequence[TestReport], after: Sequence[TestReport]) -> list[Flip]:
    """Return the tests that came to something else; none if one run was not graded."""
    if not before or not after:
        return []
    old = {test.id: test for test in before}
    new = {test.id: test for test in after}
    found = [
        _flip(old.get(name), new.get(name))
        for name in {**new, **old}
        if _result(old.get(name)) != _result(new.get(name))
    ]
    return sorted(found, key=lambda flip: (-abs(flip.points), flip.test))


def _result(test: TestReport | None) -> tuple[Outcome, float] | None:
    return None if test is None else (test.outcome, test.credit)


def _flip(before: TestReport | None, after: TestReport | None) -> Flip:
    known = after or before
    if known is None:
        raise ValueError("a test of neither suite")
    return Flip(
        test=known.id,
        title=known.title,
        before=before.outcome if before else None,
        after=after.outcome if after else None,
        points_before=before.score if before else 0.0,
        points_after=after.score if after else 0.0,
    )
