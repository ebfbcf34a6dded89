"""What one test came to, while it is being judged; the report holds the finished line."""

from __future__ import annotations

from dataclasses import dataclass, field

from grader.report.diagnosis import Cause, Diagnosis
from grader.report.report import Outcome


@dataclass
class Verdict:
    """A test's verdict; changed only in the trusted process, by the judge and the fixtures."""

    outcome: Outcome = Outcome.MISSING
    credit: float = 0.0
    diagnosis: Diagnosis | None = None  # None: no more is known than the outcome
    blocked: bool = False  # a test it needs did not pass
    detail: str = ""
    output: str = ""
    allowance: float | None = None  # the CPU seconds that were too few, after a timeout
    cpu_share: float = 0.0  # the largest part of an allowance that was used
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    idle_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def cause(self) -> Cause | None:
        """The cause of the diagnosis, None if there is none."""
        return self.diagnosis.cause if self.diagnosis else None

    @property
    def lost(self) -> bool:
        """Whether the test earned less than it could."""
        return self.outcome is not Outcome.PASSED or self.credit < 1
