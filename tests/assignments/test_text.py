"""The lab text, public and hidden half together, on stand-ins that need no data."""

import pytest

from grader.report import Outcome

SLUG = "text"
HANDOUTS = ("README.md", "README.zh.md")
# One wrong solution of every class that the lab must catch, by tests that train little.
CLASSES = (
    "lstm_rows_as_in_pytorch",
    "gru_z_inverted",
    "gru_resets_after_the_matrix",
    "masked_step_changes_the_state",
    "scores_not_scaled",
    "softmax_over_queries",
    "empty_query_gives_nan",
    "heads_by_a_view_alone",
    "positions_in_halves",
    "norm_unbiased",
    "mean_over_padding",
    "special_words_are_hidden",
    "loss_over_all_words",
    "padding_attended",
    "backwards_starts_in_padding",
    "gelu_by_tanh",
    "encoder_frozen",
    "no_warmup",
    "gradients_add_up",
    "decay_on_biases",
    "labels_counted_in_total",
)


def test_the_lab_is_worth_fourteen_points_in_the_parts_of_the_course(whole):
    whole.require_worth(5, 3.5, 3.5, 2)


@pytest.mark.parametrize("handout", HANDOUTS)
def test_the_handout_prints_the_points_of_the_manifest(whole, handout):
    assert whole.printed_points(handout) == [float(part.points) for part in whole.assignment.parts]


@pytest.mark.parametrize("handout", HANDOUTS)
def test_the_handout_prints_the_bars(whole, handout):
    text = whole.handout(handout)
    for name in ("finetuned-first", "finetuned-second"):
        full, half = (f"{whole.bars[name][level]['ag']:g}" for level in ("full", "partial"))
        assert f"| {full} | {half} |" in text, name
    for level in ("full", "floor"):
        assert f"{whole.bars['open-best'][level]['ag']:.2f}" in text, level


def test_the_reference_passes_all_but_the_dearest_tests_without_any_data(whole):
    whole.require_passes_but_for_the_dearest("finetuned")


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_the_reference_earns_full_marks_without_any_data(whole):
    whole.require_full_marks()


def test_the_skeleton_earns_nothing(whole):
    whole.require_nothing_for_the_skeleton()


@pytest.mark.parametrize("name", CLASSES)
def test_a_wrong_solution_loses_the_tests_it_names(whole, name):
    whole.require_caught(name)


def test_a_study_of_other_texts_does_not_come_out_again(whole):
    test = "test_study.py::test_a_claimed_cell_comes_out_again[finetuned]"
    assert whole.outcomes(whole.claiming(lambda metric: 1 - metric), test)[test] is Outcome.FAILED


def test_numbers_of_the_study_count_only_after_honesty(whole):
    for test in whole.tests_of("test_study.py"):
        assert any("nothing_is_chosen" in need for need in whole.needs(test)), test
