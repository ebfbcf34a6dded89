"""Reports without a score: a fault of ours, and an upload that was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from grader.intake.submission import Submission
from grader.lab.manifest import Assignment
from grader.report.report import Environment, FileEntry, Report, RunStatus


def about(assignment: Assignment, submission: Submission | None) -> dict[str, Any]:
    """Return the fields that every report starts with; None if the upload was not read."""
    return {
        "assignment": assignment.slug,
        "assignment_title": assignment.title,
        "submission": submission.name if submission else "",
        "digest": submission.digest if submission else "",
        "files": tuple(
            FileEntry(path=file.path, size=len(file.content), sha256=file.sha256)
            for file in (submission.files if submission else ())
        ),
    }


def fault_report(
    assignment: Assignment,
    submission: Submission | None,
    fault: str,
    *,
    started_at: datetime,
    environment: Environment | None = None,
) -> Report:
    """Return the report of a run that failed through a fault of ours: no score at all."""
    return Report(
        **about(assignment, submission),
        status=RunStatus.GRADER_ERROR,
        fault=fault,
        score=None,
        max_score=0.0,
        environment=environment,
        started_at=started_at,
    )


def rejected_report(assignment: Assignment, name: str, reasons: list[str]) -> Report:
    """Return the report of an upload that intake refused: no score, and no attempt used."""
    return Report(
        **(about(assignment, None) | {"submission": name}),
        status=RunStatus.REJECTED,
        messages=tuple(reasons),
        score=None,
        max_score=0.0,
    )
