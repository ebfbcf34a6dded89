"""Automatic mutants: made from the reference's syntax tree, run until the first lost test."""

from grader.authoring.validate.automatic.coverage import Coverage, ProbeReading
from grader.authoring.validate.automatic.explained import (
    EXPLAINED_NAME,
    Equivalence,
    load_explained,
)
from grader.authoring.validate.automatic.generation import (
    AutomaticMutant,
    automatic_mutants,
    file_mutants,
)
from grader.authoring.validate.automatic.running import (
    MutantProgress,
    MutantResult,
    Runner,
    Tally,
    sample,
    tally,
)

__all__ = [
    "EXPLAINED_NAME",
    "Equivalence",
    "AutomaticMutant",
    "Coverage",
    "MutantResult",
    "MutantProgress",
    "ProbeReading",
    "Runner",
    "Tally",
    "automatic_mutants",
    "file_mutants",
    "load_explained",
    "sample",
    "tally",
]
