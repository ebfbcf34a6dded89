"""Automatic mutants: made from the reference's syntax tree, run until the first lost test."""

from grader.authoring.validate.automatic.coverage import Coverage, Reading
from grader.authoring.validate.automatic.explained import (
    EXPLAINED_NAME,
    Explanation,
    load_explained,
)
from grader.authoring.validate.automatic.generation import (
    AutomaticMutant,
    automatic_mutants,
    file_mutants,
)
from grader.authoring.validate.automatic.running import (
    MutantResult,
    Progress,
    Runner,
    Tally,
    sample,
    tally,
)

__all__ = [
    "EXPLAINED_NAME",
    "Explanation",
    "AutomaticMutant",
    "Coverage",
    "MutantResult",
    "Progress",
    "Reading",
    "Runner",
    "Tally",
    "automatic_mutants",
    "file_mutants",
    "load_explained",
    "sample",
    "tally",
]
