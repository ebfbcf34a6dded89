"""The lab gcn, public and hidden half together, on stand-ins that need no data."""

import csv
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from grader.authoring import load_mutants, reference_submission, skeleton_submission
from grader.grading import GradingPool
from grader.intake.submission import AcceptedFile
from grader.lab.catalogue import Catalogue
from grader.lab.manifest import load_assignment
from grader.report import Outcome, RunStatus

HOME = Path(__file__).parents[2]
LAB = HOME / "assignments" / "gcn"
KEY = b"golden"
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


@pytest.fixture(scope="module")
def lab():
    return Catalogue(HOME).get("gcn")


@pytest.fixture(scope="module")
def pool():
    with GradingPool(jobs=1) as pool:
        yield pool


@pytest.fixture(scope="module")
def reference(lab):
    """The reference with a study of the stand-in in place of that of Cora."""
    return reference_submission(lab, "synthetic")


def test_the_lab_is_worth_fourteen_points_in_the_parts_of_the_course():
    assignment = load_assignment(LAB)
    assert assignment.max_score == 14
    assert [int(part.points) for part in assignment.parts] == [5, 4, 3, 2]
    assert [item.id for item in assignment.items if item.manual] == ["report"]


@pytest.mark.parametrize("handout", ["README.md", "README.zh.md"])
def test_the_handout_prints_the_points_of_the_manifest(handout):
    rows = re.findall(r"^\| \S+ \| (\d+) \| .*\d", (LAB / handout).read_text("utf-8"), re.M)
    points = [int(part.points) for part in load_assignment(LAB).parts]
    assert [int(row) for row in rows] == points[:3]  # the last row names no item


@pytest.mark.parametrize("handout", ["README.md", "README.zh.md"])
def test_the_handout_prints_the_bars(handout):
    bars = tomllib.loads((HOME / "reference" / "gcn" / "bars.toml").read_text("utf-8"))
    text = (LAB / handout).read_text("utf-8")
    for name in ("node-first", "node-second", "link-first", "link-second"):
        full, half = (f"{bars[name][level]['cora']:g}" for level in ("full", "partial"))
        assert f"| {full} | {half} |" in text, name
    for name in ("node-drawn", "link-drawn"):
        assert f"| {bars[name]['full']:g} | {bars[name]['partial']:g} |" in text, name
    for name in ("open-links", "open-links-far"):
        for level in ("full", "floor"):
            assert f"{-bars[name][level]:g}" in text, name


def test_the_reference_earns_full_marks_without_any_data(lab, pool, reference):
    report = pool.grade(lab, reference, key=KEY, variant="synthetic").report
    assert report.status is RunStatus.GRADED, report.fault
    assert [(test.id, test.detail) for test in report.tests if test.credit < 1] == []
    assert report.cpu_seconds < 120


def test_the_skeleton_earns_nothing(lab, pool):
    report = pool.grade(lab, skeleton_submission(lab), key=KEY, variant="synthetic").report
    assert report.status is RunStatus.GRADED, report.fault
    assert [test.id for test in report.tests if test.score > 0] == []


@pytest.mark.parametrize("name", CLASSES)
def test_a_wrong_solution_loses_the_tests_it_names(lab, pool, reference, name):
    (mutant,) = [m for m in load_mutants(lab) if m.name == name]
    wrong = mutant.apply(reference)
    found = pool.run_tests(lab, wrong, mutant.loses, key=KEY, variant="synthetic")
    for test in mutant.loses:
        assert found.outcomes[test] not in (Outcome.PASSED, Outcome.MISSING), test


def test_a_study_of_another_graph_does_not_come_out_again(lab, pool, reference):
    task = "test_study.py::test_a_claimed_cell_comes_out_again[node-pair_norm]"
    (study,) = [file for file in reference.files if file.path == "results.csv"]
    rows = list(csv.reader(study.content.decode().splitlines()))
    changed = [[*row[:4], f"{1 - float(row[4]):.4f}", row[5]] for row in rows[1:]]
    text = "\n".join(",".join(row) for row in [rows[0], *changed])
    files = [file for file in reference.files if file is not study]
    wrong = replace(reference, files=(*files, AcceptedFile("results.csv", text.encode())))
    found = pool.run_tests(lab, wrong, (task,), key=KEY, variant="synthetic")
    assert found.outcomes[task] is Outcome.FAILED


def test_numbers_of_the_study_count_only_after_honesty(lab, pool):
    tests = pool.collected(lab).by_id
    honest = {
        "node": "test_cell.py::test_labels_of_other_nodes_are_not_trained_on[val]",
        "link": "test_cell.py::test_held_out_edges_stay_out",
    }

    def all_needs(test):
        return set(tests[test].needs).union(*map(all_needs, tests[test].needs))

    for name, test in tests.items():
        if test.file == "test_study.py":
            task = "link" if "[link" in name else "node"
            assert honest[task] in all_needs(name), name
