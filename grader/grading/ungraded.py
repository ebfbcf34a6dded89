"""Reports without a score: a fault of ours, and an upload that was refused."""

from __future__ import annotations

from datetime import datetime

from grader.intake.submission import Submission
from grader.lab.manifest import Assignment
from grader.report.report import Environment, FileEntry, Report, RunStatus


def about(assignment: Assignment, submission: Submission) -> dict[str, object]:
    """Return the fields that every report of a submission starts with."""
    return {
        "assignment": assignment.slug,
        "assignment_title": assignment.title,
        "submission": submission.name,
        "digest": submission.digest,
        "files": tuple(
            FileEntry(path=file.path, size=len(file.content), sha256=file.sha256)
            for file in submission.files
        ),
    }


def fault_report(
    assignment: Assignment,
    submission: Submission,
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
        assignment=assignment.slug,
        assignment_title=assignment.title,
        submission=name,
        digest="",
        status=RunStatus.REJECTED,
        messages=tuple(reasons),
        score=None,
        max_score=0.0,
    )
