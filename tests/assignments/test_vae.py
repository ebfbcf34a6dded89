"""The lab vae, public and hidden half together, on a stand-in that needs no data."""

import re

import pytest

from grader.report import Outcome

SLUG = "vae"
HANDOUTS = ("README.md", "README.zh.md")
# One wrong solution of every class that the lab must catch.
CLASSES = (
    "eps_shared_across_the_batch",
    "kl_of_the_wrong_sign",
    "likelihood_overflows",
    "importance_is_a_sum",
    "importance_underflows",
    "encoder_ignores_its_input",
    "gradients_point_down",
    "gradients_are_sums",
    "gradients_stop_at_the_draw",
    "training_collapses",
    "samples_from_one_draw",
    "evidence_without_the_prior",
    "study_is_a_formula",
    "best_is_a_constant",
)


def test_the_lab_is_worth_fourteen_points_in_the_parts_of_the_course(whole):
    whole.require_worth(5, 4, 3, 2)


@pytest.mark.parametrize("handout", HANDOUTS)
def test_the_handout_prints_the_points_of_the_manifest(whole, handout):
    assert whole.printed_points(handout) == [float(part.points) for part in whole.assignment.parts]


@pytest.mark.parametrize("handout", HANDOUTS)
def test_the_handout_prints_the_bars(whole, handout):
    lines = whole.handout(handout).splitlines()
    rows = [re.findall(r"-\d[\d.]*", line) for line in lines if line.startswith("| `")]
    elbo, best = whole.bars["elbo"], whole.bars["best-bound"]
    assert [sorted(map(float, row)) for row in rows if row] == [
        sorted(elbo["full"].values()),
        sorted([*best["full"].values(), *best["floor"].values()]),
    ]


def test_the_reference_earns_full_marks_without_any_data(whole):
    whole.require_full_marks()


def test_the_skeleton_earns_nothing(whole):
    whole.require_nothing_for_the_skeleton()


@pytest.mark.parametrize("name", CLASSES)
def test_a_wrong_solution_loses_the_tests_it_names(whole, name):
    whole.require_caught(name)


def test_a_study_of_other_numbers_does_not_come_out_again(whole):
    test = "test_study.py::test_a_claim_is_what_training_gives[beta]"
    assert (
        whole.outcomes(whole.claiming(lambda metric: metric + 0.05), test)[test] is Outcome.FAILED
    )


def test_numbers_of_the_study_count_only_after_honesty(whole):
    gate = "test_study.py::test_a_cell_measures_what_training_makes"
    for test in whole.tests_of("test_study.py"):
        if "_cell_measures_" not in test:
            assert gate in {need.partition("[")[0] for need in whole.needs(test)}, test
