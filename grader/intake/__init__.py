"""Intake: an upload in, a `Submission` out, or `Rejected` with every reason at once."""

from grader.intake.preview import Preview, preview_upload
from grader.intake.receiving import receive, receive_bytes, receive_files
from grader.intake.submission import AcceptedFile, Submission
from grader.intake.together import pack_together

__all__ = [
    "AcceptedFile",
    "Preview",
    "Submission",
    "pack_together",
    "preview_upload",
    "receive",
    "receive_bytes",
    "receive_files",
]
