"""What a grading run came to: the report, its score, its causes, and the forms it is shown in."""

from grader.report.report import (
    SCHEMA_VERSION,
    Artifact,
    Environment,
    FileEntry,
    FromScratchFinding,
    ItemReport,
    Outcome,
    PartReport,
    Report,
    RunStatus,
    TestReport,
    Visibility,
)

__all__ = [
    "SCHEMA_VERSION",
    "Artifact",
    "Environment",
    "FileEntry",
    "FromScratchFinding",
    "ItemReport",
    "Outcome",
    "PartReport",
    "Report",
    "RunStatus",
    "TestReport",
    "Visibility",
]
