"""Intake: an upload in, a `Submission` out, or `Rejected` with every reason at once."""

from grader.submission.intake import receive, receive_bytes, receive_files
from grader.submission.matching import Preview, preview
from grader.submission.model import AcceptedFile, Submission

__all__ = [
    "AcceptedFile",
    "Preview",
    "Submission",
    "preview",
    "receive",
    "receive_bytes",
    "receive_files",
]
