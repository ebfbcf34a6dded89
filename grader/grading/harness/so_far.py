"""What a run has come to so far: for the process that goes on where another has ended.

A value of a student's can keep a computation of ours going where no exception reaches it, or crash
a library in our own process. That costs the test that was running, and no other: the server keeps
what each test before it came to, and forks another process for those that are left.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from grader.grading.verdict import Verdict
from grader.report.report import Artifact, FromScratchFinding


class EndedTest(BaseModel):
    """One test that has ended, with all that it leaves to the run."""

    __test__ = False

    model_config = ConfigDict(frozen=True, extra="forbid")

    test: str  # its id
    verdict: Verdict
    artifacts: tuple[Artifact, ...] = ()
    pictures: dict[str, str] = {}  # SHA-256 -> base64
    findings: tuple[FromScratchFinding, ...] = ()
    readings: dict[str, tuple[str, ...]] | None = None  # of the probe: by module
    cpu_seconds: float = 0.0  # of the student's code, in the run so far
    idle_seconds: float = 0.0  # in the run so far


class RunSoFar(BaseModel):
    """What the processes of a run before this one came to; nothing if it is the first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ended: tuple[EndedTest, ...] = ()
    import_failures: dict[str, str] | None = None  # why modules could not be imported; None: unsaid
    own_cpu_seconds: float = 0.0  # of these processes
    held_seconds: float = 0.0  # wall time since the run began
    started_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def cpu_seconds(self) -> float:
        """The CPU seconds of the student's code, as far as they are known."""
        return self.ended[-1].cpu_seconds if self.ended else 0.0

    @property
    def idle_seconds(self) -> float:
        """The seconds in which nobody computed."""
        return self.ended[-1].idle_seconds if self.ended else 0.0
