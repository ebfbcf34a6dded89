"""Intake: an upload in, a `Submission` out, or `Rejected` with every reason at once."""

from grader.intake.matching import Preview, preview_names
from grader.intake.receiving import receive, receive_bytes, receive_files
from grader.intake.submission import AcceptedFile, Submission

__all__ = [
    "AcceptedFile",
    "Preview",
    "Submission",
    "preview_names",
    "receive",
    "receive_bytes",
    "receive_files",
]
