"""The lab gan, public and hidden half together, on stand-ins that need no data."""

from pathlib import Path

import pytest

from grader.intake import receive
from grader.report import Outcome

SLUG = "gan"
CLOTHES = Path(__file__).parents[1] / "submissions" / "clothes" / SLUG
HANDOUTS = ("README.md", "README.zh.md")
# One wrong solution of every class that the lab must catch, by tests that train little.
CLASSES = (
    "saturating_is_non_saturating",
    "wgan_of_a_sigmoid",
    "wgan_sign",
    "hellinger_without_activation",
    "norm_over_the_batch",
    "penalty_at_real",
    "penalty_without_graph",
    "penalty_nan_where_level",
    "clip_before_the_step",
    "fid_elementwise_root",
    "gradients_add_up",
    "d_step_moves_the_generator",
    "fakes_of_other_labels",
    "fit_is_the_moments",
)


def test_the_lab_is_worth_fourteen_points_in_the_parts_of_the_course(whole):
    whole.require_worth(5, 3.5, 3.5, 2)


@pytest.mark.parametrize("handout", HANDOUTS)
def test_the_handout_prints_the_points_of_the_manifest(whole, handout):
    assert whole.printed_points(handout) == [float(part.points) for part in whole.assignment.parts]


@pytest.mark.parametrize("handout", HANDOUTS)
def test_the_handout_prints_the_bars(whole, handout):
    bars, text = whole.bars, whole.handout(handout)
    for name in ("fit-sigma", "fit-mu", "ring-share"):
        assert f"| {bars[name]['full']:g} | |" in text, name
    assert all(f"{level:g}" in text for level in bars["fit-reverse"]["full"].values())
    fid, best = bars["image-fid"], bars["open-fid"]
    assert f"| {fid['full']['digits']:g} | {fid['partial']['digits']:g} |" in text
    for variant in ("digits", "synthetic"):
        assert all(f"{best[level][variant]:g}" in text for level in ("full", "floor")), variant


def test_the_reference_passes_all_but_the_dearest_tests_without_any_data(whole):
    whole.require_passes_but_for_the_dearest("ring_kind")


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_the_reference_earns_full_marks_without_any_data(whole):
    whole.require_full_marks()


def test_the_skeleton_earns_nothing(whole):
    whole.require_nothing_for_the_skeleton()


@pytest.mark.parametrize("name", CLASSES)
def test_a_wrong_solution_loses_the_tests_it_names(whole, name):
    whole.require_caught(name)


def test_a_study_of_another_mixture_does_not_come_out_again(whole):
    test = "test_study.py::test_a_claimed_cell_comes_out_again[divergence]"
    assert whole.outcomes(whole.claiming(lambda metric: 2 * metric), test)[test] is Outcome.FAILED


def test_numbers_of_the_study_count_only_after_honesty(whole):
    for test in whole.tests_of("test_study.py"):
        assert "test_cell.py::test_the_seed_of_a_cell_decides_it" in whole.needs(test), test


def test_a_game_that_sums_in_another_order_is_right(whole):
    """Its critic judges data and fakes in one go: in biases that cancel rounding alone decides."""
    right = receive(CLOTHES / "classes", whole.assignment)
    test = "test_training.py::test_all_modes_of_a_ring_are_found[penalty]"
    assert whole.outcomes(right, test)[test] is Outcome.PASSED
