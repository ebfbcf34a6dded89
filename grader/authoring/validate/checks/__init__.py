"""The claims that `grader validate` makes about a lab, each a function that returns a finding."""

from grader.authoring.validate.checks.bench import ValidationBench, seed_key
from grader.authoring.validate.checks.files import (
    bars_are_proven,
    names_exist,
    signatures_agree,
    skeleton_is_generated,
)
from grader.authoring.validate.checks.finding import Finding
from grader.authoring.validate.checks.runs import (
    earns_nothing,
    full_marks,
    items_are_served,
    limits_leave_room,
    repeats_agree,
    written_from_scratch,
)
from grader.authoring.validate.checks.wrong import automatic_findings, is_caught, run_automatic

__all__ = [
    "ValidationBench",
    "Finding",
    "automatic_findings",
    "bars_are_proven",
    "earns_nothing",
    "full_marks",
    "is_caught",
    "items_are_served",
    "limits_leave_room",
    "names_exist",
    "repeats_agree",
    "run_automatic",
    "seed_key",
    "signatures_agree",
    "skeleton_is_generated",
    "written_from_scratch",
]
