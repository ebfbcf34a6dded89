"""The report of one grading run: versioned, complete, and the only source of its score.

Everything here is for staff. What a student may see is a second, smaller model that is filled
field by field in `grader.report.redaction`; nothing reaches it by default.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from grader.report.diagnosis import Diagnosis

SCHEMA_VERSION = 1


class Outcome(StrEnum):
    """How one test ended. Only `passed` earns points, unless a test grants part of them."""

    PASSED = "passed"
    FAILED = "failed"  # ran, and the answer was wrong
    ERROR = "error"  # the student's code raised
    TIMEOUT = "timeout"  # more CPU or wall time than the test allows
    MEMORY = "memory"  # more memory than the submission may use
    CRASHED = "crashed"  # the process ended itself or was killed
    MISSING = "missing"  # did not run: skipped, deselected, or a test it needs did not pass
    UNJUDGED = "unjudged"  # the suite's own code raised on what it got: a person decides


class RunStatus(StrEnum):
    """How a grading run ended."""

    GRADED = "graded"
    REJECTED = "rejected"  # the upload could not be graded; costs no attempt
    GRADER_ERROR = "grader_error"  # our fault: no score, retried, shown to staff


class Visibility(StrEnum):
    """When a student may see a test's details (Gradescope's four settings)."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    AFTER_DUE_DATE = "after_due_date"
    AFTER_PUBLISHED = "after_published"


class ReportModel(BaseModel):
    """A report's every part: it refuses unknown fields, and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TestReport(ReportModel):
    """One test of the suite."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    id: str = Field(description="file::function[param], as the suite was collected")
    item: str = Field(description="the rubric item it serves")
    title: str = Field(description="first line of the test's docstring")
    visibility: Visibility = Visibility.HIDDEN
    outcome: Outcome
    weight: float = Field(1.0, gt=0, description="its share within its item")
    credit: float = Field(ge=0, le=1, description="the part of its points that was earned")
    score: float
    max_score: float
    hint: str = Field("", description="the author's words, shown to the student on failure")
    diagnosis: Diagnosis | None = Field(
        None, description="why it was not passed, safe for the student; None if passed in full"
    )
    reason: str = Field("", description="the diagnosis as an English sentence")
    detail: str = Field("", description="staff only for hidden tests: assertion or traceback")
    output: str = Field("", description="what the code printed, capped; as `detail`")
    measured: dict[str, float] = Field(
        default_factory=dict, description="staff only: figures the test recorded, by name"
    )
    needs: tuple[str, ...] = Field((), description="ids of tests that must pass first")
    cpu_seconds: float = 0.0
    cpu_share: float = Field(
        0.0,
        description="staff only: the largest part of an allowance of CPU seconds that it used",
    )
    wall_seconds: float = 0.0
    cached: bool = Field(False, description="staff only: taken from an earlier run, not run again")


class ItemReport(ReportModel):
    """One rubric item and what it earned."""

    id: str
    title: str
    score: float | None = Field(description="None while a person still has to mark it")
    max_score: float
    manual: bool = False
    bonus: bool = False
    tests: tuple[str, ...] = ()


class PartReport(ReportModel):
    """One part: the sum of its items."""

    id: str
    title: str
    score: float
    max_score: float
    items: tuple[ItemReport, ...]


class Artifact(ReportModel):
    """A picture drawn by the trusted process; its bytes are stored under its digest."""

    name: str
    caption: str
    media_type: Literal["image/png"] = "image/png"
    sha256: str
    test: str = Field(description="id of the test that drew it")
    visibility: Visibility = Visibility.HIDDEN


class FromScratchFinding(ReportModel):
    """A use of what a file was to do without, for a person to look at. It changes no score."""

    path: str = Field(description="the submitted file, as the manifest names it")
    line: int = Field(ge=0, description="from 1; in a notebook, the line of the file's cell")
    source: str = Field(description="that line, cleaned")
    name: str = Field(description="what was used, as a full dotted name")
    how: Literal["source", "run"] = Field(
        description="read in the source, or claimed by the student's own process while it ran"
    )
    sure: Literal["certain", "likely", "unclear"] = Field(
        description="unclear: a name made at run time, or a way around the watch"
    )
    test: str = Field("", description="id of the first test that ran it; empty for the source")


class FileEntry(ReportModel):
    """A graded file as it was received."""

    path: str
    size: int
    sha256: str


class Environment(ReportModel):
    """What the run was made with; a regrade elsewhere can be compared against it."""

    grader: str
    python: str
    platform: str
    libraries: dict[str, str] = Field(default_factory=dict)
    data: dict[str, str] = Field(
        default_factory=dict, description="SHA-256 of each data folder that the suite reads"
    )
    tier: int = Field(description="sandbox tier 1-4; 4 is not for grades")
    tier_name: str = ""


class Report(ReportModel):
    """A whole grading run."""

    schema_version: Literal[1] = 1
    assignment: str
    assignment_title: str
    variant: str | None = None
    submission: str = Field(description="the submission's name, for people")
    digest: str = Field(description="SHA-256 of the submission's content; empty if rejected")
    suite_digest: str = ""
    status: RunStatus
    messages: tuple[str, ...] = Field((), description="sentences for the student")
    fault: str = Field("", description="staff only: what went wrong on our side")
    score: float | None = Field(description="None unless graded")
    max_score: float = Field(description="what tests can earn, hand-marked items left out")
    manual_max_score: float = Field(0.0, description="what people still add by hand")
    pending_score: float = Field(
        0.0, description="what tests without a judgement may still earn; no part of `score`"
    )
    parts: tuple[PartReport, ...] = ()
    tests: tuple[TestReport, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    files: tuple[FileEntry, ...] = ()
    findings: tuple[FromScratchFinding, ...] = Field((), description="staff only, advisory")
    environment: Environment | None = None
    cpu_seconds: float = Field(0.0, description="CPU time of the student's own code")
    wall_seconds: float = 0.0
    started_at: datetime | None = None
