"""Which attempt counts, and where a student therefore stands. Reads no database and no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portal.courses.models import AttemptPolicy
from portal.courses.policy import Conditions
from portal.runs.models import RunState
from portal.standings.models import Place, Standing

_EXACT = Decimal("0.000001")  # as points are kept; scores are exact to four decimals


@dataclass(frozen=True)
class Graded:
    """What the tests gave a run."""

    score: Decimal
    max_score: Decimal
    pending: Decimal  # what tests without a judgement may still earn

    @classmethod
    def of(cls, score: float, max_score: float, pending: float) -> Graded:
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
    graded: Graded | None


def counted(tried: Sequence[Tried], policy: AttemptPolicy, own: Conditions) -> Tried | None:
    """Return the attempt that counts among one student's: the last graded, or the best.

    The best is that whose points by tests are the most after what its lateness costs. Of equal ones
    the latest counts: it holds what the student wrote last, for the person who marks it.
    """

    def worth(one: Tried) -> Decimal:
        return _score(one) * own.late_factor(one.received_at)

    graded = [one for one in tried if one.graded is not None]
    if policy is AttemptPolicy.LAST:
        return max(graded, key=lambda one: one.attempt, default=None)
    return max(graded, key=lambda one: (worth(one), one.attempt), default=None)


def stand(
    place: Place,
    tried: Sequence[Tried],
    marks: Mapping[str, Decimal],
    *,
    policy: AttemptPolicy,
    own: Conditions,
) -> Standing:
    """Work out where a student stands, the points by item left to whoever reads the report."""
    chosen = counted(tried, policy, own)
    graded = chosen.graded if chosen else None
    solved = [one.attempt for one in tried if one.graded and _in_full(one.graded)]
    newest = max(tried, key=lambda one: one.attempt, default=None)
    return Standing(
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
        days_late=own.days_late(chosen.received_at) if chosen else 0,
        late_factor=own.late_factor(chosen.received_at) if chosen else Decimal(1),
        marks={item: str(points) for item, points in marks.items()},
    )


def _score(one: Tried) -> Decimal:
    return one.graded.score if one.graded else Decimal(0)


def _in_full(graded: Graded) -> bool:
    return graded.score >= graded.max_score
