"""Tools that make a lab and prove its suite before any student meets it."""

from grader.authoring.mutants import Mutant, load_mutants
from grader.authoring.solutions import odd_submissions, reference_submission, skeleton_submission

__all__ = [
    "Mutant",
    "load_mutants",
    "odd_submissions",
    "reference_submission",
    "skeleton_submission",
]
