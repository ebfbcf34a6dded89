"""The lab gcn, public and hidden half together, on stand-ins that need no data."""

import pytest

from grader.report import Outcome

SLUG = "gcn"
HANDOUTS = ("README.md", "README.zh.md")
# One wrong solution of every class that the lab must catch, by tests that train little.
CLASSES = (
    "degree_without_the_loop",
    "rows_instead_of_symmetric",
    "lone_node_gives_inf",
    "drop_edge_asymmetric",
    "drop_edge_active_in_eval",
    "drop_edge_keeps_p",
    "pair_norm_uncentred",
    "pair_norm_wrong_axis",
    "pair_norm_without_1_over_n",
    "test_edges_left_in",
    "test_edges_left_in_one_direction",
    "negatives_that_are_edges",
    "auc_ignores_ties",
    "study_chosen_on_test",
)


def test_the_lab_is_worth_fourteen_points_in_the_parts_of_the_course(whole):
    whole.require_worth(5, 4, 3, 2)


@pytest.mark.parametrize("handout", HANDOUTS)
def test_the_handout_prints_the_points_of_the_manifest(whole, handout):
    assert whole.printed_points(handout) == [float(part.points) for part in whole.assignment.parts]


@pytest.mark.parametrize("handout", HANDOUTS)
def test_the_handout_prints_the_bars(whole, handout):
    bars, text = whole.bars, whole.handout(handout)
    for name in ("node-first", "node-second", "link-first", "link-second"):
        full, half = (f"{bars[name][level]['cora']:g}" for level in ("full", "partial"))
        assert f"| {full} | {half} |" in text, name
    for name in ("node-drawn", "link-drawn"):
        assert f"| {bars[name]['full']:g} | {bars[name]['partial']:g} |" in text, name
    for name in ("open-links", "open-links-far"):
        for level in ("full", "floor"):
            assert f"{-bars[name][level]:g}" in text, name


def test_the_reference_passes_all_but_the_dearest_tests_without_any_data(whole):
    whole.require_passes_but_for_the_dearest("node-pair_norm")


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_the_reference_earns_full_marks_without_any_data(whole):
    whole.require_full_marks()


def test_the_skeleton_earns_nothing(whole):
    whole.require_nothing_for_the_skeleton()


@pytest.mark.parametrize("name", CLASSES)
def test_a_wrong_solution_loses_the_tests_it_names(whole, name):
    whole.require_caught(name)


def test_a_study_of_another_graph_does_not_come_out_again(whole):
    test = "test_study.py::test_a_claimed_cell_comes_out_again[node-pair_norm]"
    assert whole.outcomes(whole.claiming(lambda metric: 1 - metric), test)[test] is Outcome.FAILED


def test_numbers_of_the_study_count_only_after_honesty(whole):
    honest = {
        "node": "test_cell.py::test_labels_of_other_nodes_are_not_trained_on[val]",
        "link": "test_cell.py::test_held_out_edges_stay_out",
    }
    for test in whole.tests_of("test_study.py"):
        assert honest["link" if "[link" in test else "node"] in whole.needs(test), test
