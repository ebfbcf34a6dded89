"""A submission's code as it stands in a sandbox: the student's files, and ours over theirs."""

from __future__ import annotations

from pathlib import Path

from grader.intake.submission import Submission
from grader.lab.given import given_file
from grader.lab.manifest import Assignment


def lay_out_code(assignment: Assignment, submission: Submission, folder: Path) -> None:
    """Write the submission's code, then our own files over whatever stands in their place.

    Tables, reports and pictures stay out: code has nothing to read in them, and a picture has
    room for weights that were trained at home.
    """
    submission.write_to(folder, ".py")
    for given in assignment.given:
        target = folder / given.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(given_file(assignment.folder, given.path).read_bytes())
