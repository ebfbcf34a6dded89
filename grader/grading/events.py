"""Progress of a grading run, as it happens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GradingProgress:
    """Test `done` of `total` has ended; before the first one `done` is 0."""

    done: int
    total: int
    share: float = 0.0  # of the CPU time that all tests may take: that of the tests that have ended
    test: str = ""  # id of the test that just ended; staff only
    outcome: str = ""

    def as_dict(self) -> dict[str, int | float | str]:
        """Return a JSON-ready copy."""
        return vars(self).copy()
