"""One kept result, and which results may be kept."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from grader.grading.verdict import Verdict
from grader.report.diagnosis import Cause
from grader.report.report import Artifact, FromScratchFinding, Outcome, TestReport

# Verdicts on what the code does. A timeout, too much memory, a crash, a full disk or too many
# processes can hang on the machine and on what else it was doing: such a test is run again.
_OUTCOMES = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.ERROR})
_OF_THE_MACHINE = frozenset(
    {
        Cause.NOT_IMPORTED,
        Cause.WAITED,
        Cause.RUN_SPENT,
        Cause.PROCESSES,
        Cause.OPEN_FILES,
        Cause.DISK_FULL,
        Cause.FILE_SIZE,
        Cause.TOO_MUCH_TO_JUDGE,
    }
)


class Kept(BaseModel):
    """What a finished test leaves besides its line in the report."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocked: bool  # it did not run, because a test it needs did not pass
    findings: tuple[FromScratchFinding, ...]
    import_cpu_seconds: float  # of the submission, in the sandbox this test used
    idle_seconds: float


class Entry(BaseModel):
    """A result as it is kept: enough to write it into another report of the same submission."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    report: TestReport
    kept: Kept
    artifacts: tuple[Artifact, ...] = ()
    pictures: dict[str, str] = {}  # SHA-256 -> base64; empty on the way to the grading server


def may_be_kept(verdict: Verdict) -> bool:
    """Tell whether a verdict says something of the code alone."""
    if verdict.outcome is Outcome.MISSING:
        return verdict.blocked
    if verdict.outcome not in _OUTCOMES or verdict.cause in _OF_THE_MACHINE:
        return False
    # Libraries report memory that they could not get as an error of their own kind.
    return verdict.outcome is not Outcome.ERROR or "memory" not in verdict.detail.lower()
