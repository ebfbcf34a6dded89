"""Many whole submissions of a lab, right and wrong in turn: what a batch is measured on."""

from __future__ import annotations

import itertools

from grader.authoring import load_mutants, reference_submission
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Lab


def submissions(lab: Lab, count: int) -> list[Submission]:
    """Return `count` submissions, right and wrong in turn, no two alike."""
    right = reference_submission(lab)
    wrong = itertools.cycle([mutant.apply(right) for mutant in load_mutants(lab)])
    mixed = [right if number % 2 == 0 else next(wrong) for number in range(count)]
    return [signed(submission, number) for number, submission in enumerate(mixed)]


def signed(submission: Submission, number: int) -> Submission:
    """Add a comment to every Python file, so that the digest is the submission's own."""
    files = tuple(
        AcceptedFile(file.path, file.content + f"\n# student {number}\n".encode())
        if file.path.endswith(".py")
        else file
        for file in submission.files
    )
    return Submission(f"s{number:03d}", files)
