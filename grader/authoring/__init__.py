"""Tools that prove a suite before any student meets it."""

from grader.authoring.checks import Finding
from grader.authoring.mutants import Mutant, load_mutants
from grader.authoring.solutions import (
    odd_submissions,
    reference_submission,
    skeleton_submission,
)
from grader.authoring.validate import Plan, Validation, validate

__all__ = [
    "Finding",
    "Mutant",
    "Plan",
    "Validation",
    "load_mutants",
    "odd_submissions",
    "reference_submission",
    "skeleton_submission",
    "validate",
]
