"""The claims that `grader validate` makes about a lab, each a function that returns a finding."""

from grader.authoring.validate.checks.bench import ValidationBench, seed_key
from grader.authoring.validate.checks.competition import (
    data_are_repeatable,
    guesses_miss_the_baseline,
    labels_fit,
    points_are_sane,
    public_checks_tell,
    starter_runs_again,
    starter_scores,
    step_is_of_the_size_of_luck,
    students_get_no_label,
)
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
from grader.authoring.validate.checks.trial import CompetitionBench
from grader.authoring.validate.checks.wrong import automatic_findings, is_caught, run_automatic

__all__ = [
    "CompetitionBench",
    "ValidationBench",
    "Finding",
    "automatic_findings",
    "bars_are_proven",
    "data_are_repeatable",
    "earns_nothing",
    "full_marks",
    "guesses_miss_the_baseline",
    "is_caught",
    "items_are_served",
    "labels_fit",
    "limits_leave_room",
    "names_exist",
    "points_are_sane",
    "public_checks_tell",
    "repeats_agree",
    "run_automatic",
    "seed_key",
    "signatures_agree",
    "skeleton_is_generated",
    "starter_runs_again",
    "starter_scores",
    "step_is_of_the_size_of_luck",
    "students_get_no_label",
    "written_from_scratch",
]
