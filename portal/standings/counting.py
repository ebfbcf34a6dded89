"""Which attempt counts, and where a student therefore stands. Reads no database and no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portal.courses.models import AttemptPolicy
from portal.courses.policy import Conditions
from portal.runs.models import RunState
from portal.standings.models import Place, StudentStanding

_EXACT = Decimal("0.000001")  # as points are kept; scores are exact to four decimals


@dataclass(frozen=True)
class PointsByTests:
    """What the tests gave a run."""

    score: Decimal
    max_score: Decimal
    pending: Decimal  # what tests without a judgement may still earn

    @classmethod
    def of(cls, score: float, max_score: float, pending: float) -> PointsByTests:
        """Read it from a result."""
        return cls(*(Decimal(str(one)).quantize(_EXACT) for one in (score, max_score, pending)))


@dataclass(frozen=True)
class Tried:
    """One attempt, by the run that speaks for it."""

    submission_id: str
    attempt: int
    received_at: datetime
    run_id: str
    state: RunState
    graded: PointsByTests | None
    own: Conditions  # that hold for whoever sent it


@dataclass(frozen=True)
class Counted:
    """The attempt that counts, and the late days that are spent on it."""

    tried: Tried
    days_spent: int


def counted(
    tried: Sequence[Tried],
    policy: AttemptPolicy,
    late_days: int = 0,
    by_hand: str | None = None,
) -> Counted | None:
    """Return the attempt that counts among one student's: the last graded, the best, or a chosen.

    `by_hand` is the submission that was chosen; where none was, the best counts.

    The best is that whose points by tests are the most after what its lateness costs, `late_days`
    being at hand to spend on it. Of equal ones that which takes fewer of them counts, and then the
    latest: it holds what the student wrote last, for the person who marks it.
    """
    graded = [one for one in tried if one.graded is not None]
    spent = {one.submission_id: _spent(one, late_days) for one in graded}

    def worth(one: Tried) -> Decimal:
        return _score(one) * one.own.late_factor(one.received_at, spent[one.submission_id])

    picked = [one for one in graded if one.submission_id == by_hand]
    if policy is AttemptPolicy.CHOSEN and picked:
        chosen: Tried | None = picked[0]
    elif policy is AttemptPolicy.LAST:
        chosen = max(graded, key=lambda one: one.attempt, default=None)
    else:
        chosen = max(
            graded,
            key=lambda one: (worth(one), -spent[one.submission_id], one.attempt),
            default=None,
        )
    return Counted(chosen, spent[chosen.submission_id]) if chosen else None


def stand(
    place: Place,
    tried: Sequence[Tried],
    marks: Mapping[str, Decimal],
    *,
    policy: AttemptPolicy,
    late_days: int = 0,
    by_hand: str | None = None,
) -> StudentStanding:
    """Work out where a student stands, the points by item left to whoever reads the report.

    `late_days` are those that this lab may take, `by_hand` the submission that was chosen.
    """
    found = counted(tried, policy, late_days, by_hand)
    chosen, spent = (found.tried, found.days_spent) if found else (None, 0)
    graded = chosen.graded if chosen else None
    solved = [one.attempt for one in tried if one.graded and _in_full(one.graded)]
    newest = max(tried, key=lambda one: one.attempt, default=None)
    return StudentStanding(
        enrolment_id=place[0],
        offering_id=place[1],
        attempts=len(tried),
        newest_id=newest.submission_id if newest else None,
        waiting=any(one.state.is_open for one in tried),
        stuck=any(one.state is RunState.NEEDS_HUMAN for one in tried),
        solved_at=min(solved, default=None),
        submission_id=chosen.submission_id if chosen else None,
        run_id=chosen.run_id if chosen else None,
        attempt=chosen.attempt if chosen else None,
        by_tests=graded.score if graded else Decimal(0),
        max_by_tests=graded.max_score if graded else Decimal(0),
        pending=graded.pending if graded else Decimal(0),
        items={},
        days_late=chosen.own.days_late(chosen.received_at) if chosen else 0,
        days_spent=spent,
        late_factor=chosen.own.late_factor(chosen.received_at, spent) if chosen else Decimal(1),
        marks={item: str(points) for item, points in marks.items()},
    )


def _spent(one: Tried, late_days: int) -> int:
    return one.own.late_days_to_spend(one.received_at, late_days) if _score(one) else 0


def _score(one: Tried) -> Decimal:
    return one.graded.score if one.graded else Decimal(0)


def _in_full(graded: PointsByTests) -> bool:
    return graded.score >= graded.max_score
