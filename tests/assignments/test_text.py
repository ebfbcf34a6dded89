"""The lab text, public and hidden half together, on stand-ins that need no data."""

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
LAB = HOME / "assignments" / "text"
KEY = b"golden"
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


@pytest.fixture(scope="module")
def lab():
    return Catalogue(HOME).get("text")


@pytest.fixture(scope="module")
def pool():
    with GradingPool(jobs=1) as pool:
        yield pool


@pytest.fixture(scope="module")
def reference(lab):
    """The reference with a study of the stand-in in place of that of AG News."""
    return reference_submission(lab, "synthetic")


def test_the_lab_is_worth_fourteen_points_in_the_parts_of_the_course():
    assignment = load_assignment(LAB)
    assert assignment.max_score == 14
    assert [float(part.points) for part in assignment.parts] == [5, 3.5, 3.5, 2]
    assert [item.id for item in assignment.items if item.manual] == ["report"]


@pytest.mark.parametrize("handout", ["README.md", "README.zh.md"])
def test_the_handout_prints_the_points_of_the_manifest(handout):
    rows = re.findall(r"^\| \S+ \| ([\d.]+) \| .*\S \|$", (LAB / handout).read_text("utf-8"), re.M)
    points = [float(part.points) for part in load_assignment(LAB).parts]
    assert [float(row) for row in rows] == points


@pytest.mark.parametrize("handout", ["README.md", "README.zh.md"])
def test_the_handout_prints_the_bars(handout):
    bars = tomllib.loads((HOME / "reference" / "text" / "bars.toml").read_text("utf-8"))
    text = (LAB / handout).read_text("utf-8")
    for name in ("finetuned-first", "finetuned-second"):
        full, half = (f"{bars[name][level]['ag']:g}" for level in ("full", "partial"))
        assert f"| {full} | {half} |" in text, name
    for level in ("full", "floor"):
        assert f"{bars['open-best'][level]['ag']:.2f}" in text, level


def test_the_reference_earns_full_marks_without_any_data(lab, pool, reference):
    report = pool.grade(lab, reference, key=KEY, variant="synthetic").report
    assert report.status is RunStatus.GRADED, report.fault
    assert [(test.id, test.detail) for test in report.tests if test.credit < 1] == []
    assert report.cpu_seconds < 200


def test_the_skeleton_earns_nothing(lab, pool):
    report = pool.grade(lab, skeleton_submission(lab), key=KEY, variant="synthetic").report
    assert report.status is RunStatus.GRADED, report.fault
    assert [test.id for test in report.tests if test.score > 0] == []


@pytest.mark.parametrize("name", CLASSES)
def test_a_wrong_solution_loses_the_tests_it_names(lab, pool, reference, name):
    (mutant,) = [m for m in load_mutants(lab) if m.name == name]
    wrong = mutant.apply(reference)
    known = pool.collected(lab).by_id
    named = [test for test in known if test.startswith(tuple(mutant.loses))]
    found = pool.run_tests(lab, wrong, tuple(named), key=KEY, variant="synthetic")
    assert any(found.outcomes[test] not in (Outcome.PASSED, Outcome.MISSING) for test in named)


def test_a_study_of_other_texts_does_not_come_out_again(lab, pool, reference):
    task = "test_study.py::test_a_claimed_cell_comes_out_again[finetuned]"
    (study,) = [file for file in reference.files if file.path == "results.csv"]
    rows = list(csv.reader(study.content.decode().splitlines()))
    changed = [[*row[:3], f"{1 - float(row[3]):.4f}", row[4]] for row in rows[1:]]
    text = "\n".join(",".join(row) for row in [rows[0], *changed])
    files = [file for file in reference.files if file is not study]
    wrong = replace(reference, files=(*files, AcceptedFile("results.csv", text.encode())))
    found = pool.run_tests(lab, wrong, (task,), key=KEY, variant="synthetic")
    assert found.outcomes[task] is Outcome.FAILED


def test_numbers_of_the_study_count_only_after_honesty(lab, pool):
    tests = pool.collected(lab).by_id

    def all_needs(test):
        return set(tests[test].needs).union(*map(all_needs, tests[test].needs))

    for name, test in tests.items():
        if test.file == "test_study.py":
            assert any("nothing_is_chosen" in need for need in all_needs(name)), name
