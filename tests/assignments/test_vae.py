"""The lab vae, public and hidden half together, on a stand-in that needs no data."""

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
LAB = HOME / "assignments" / "vae"
KEY = b"golden"
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


@pytest.fixture(scope="module")
def lab():
    return Catalogue(HOME).get("vae")


@pytest.fixture(scope="module")
def pool():
    with GradingPool(jobs=1) as pool:
        yield pool


@pytest.fixture(scope="module")
def reference(lab):
    """The reference with a study of the stand-in in place of that of MNIST."""
    return reference_submission(lab, "synthetic")


def test_the_lab_is_worth_fourteen_points_in_the_parts_of_the_course():
    assignment = load_assignment(LAB)
    assert assignment.max_score == 14
    assert [part.points for part in assignment.parts] == [5, 4, 3, 2]
    assert [item.id for item in assignment.items if item.manual] == ["report"]


@pytest.mark.parametrize("handout", ["README.md", "README.zh.md"])
def test_the_handout_prints_points_and_bars(handout):
    text = (LAB / handout).read_text("utf-8")
    section = re.split(r"^## (?:Points|分数)$", text, flags=re.M)[1].partition("\n## ")[0]
    points = [float(part.points) for part in load_assignment(LAB).parts]
    assert [float(row) for row in re.findall(r"^\| \w+ \| ([\d.]+) \|", section, re.M)] == points
    bars = tomllib.loads((HOME / "reference" / "vae" / "bars.toml").read_text("utf-8"))
    rows = [re.findall(r"-\d[\d.]*", line) for line in text.splitlines() if line.startswith("| `")]
    printed = [sorted(map(float, row)) for row in rows if row]
    assert printed == [
        sorted(bars["elbo"]["full"].values()),
        sorted([*bars["best-bound"]["full"].values(), *bars["best-bound"]["floor"].values()]),
    ]


def test_the_reference_earns_full_marks_without_any_data_and_without_torch(lab, pool, reference):
    report = pool.grade(lab, reference, key=KEY, variant="synthetic").report
    assert report.status is RunStatus.GRADED, report.fault
    assert [(test.id, test.detail) for test in report.tests if test.credit < 1] == []
    assert report.cpu_seconds < 20


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


def test_claims_of_another_study_do_not_come_out_again(lab, pool, reference):
    test = "test_study.py::test_a_claim_is_what_training_gives[beta]"
    (study,) = [file for file in reference.files if file.path == "results.csv"]
    rows = list(csv.reader(study.content.decode().splitlines()))
    changed = [[*row[:3], f"{float(row[3]) + 0.05:.4f}", row[4]] for row in rows[1:]]
    text = "\n".join(",".join(row) for row in [rows[0], *changed])
    files = [file for file in reference.files if file is not study]
    wrong = replace(reference, files=(*files, AcceptedFile("results.csv", text.encode())))
    found = pool.run_tests(lab, wrong, (test,), key=KEY, variant="synthetic")
    assert found.outcomes[test] is Outcome.FAILED


def test_numbers_of_the_study_count_only_after_honesty(lab, pool):
    tests = pool.collected(lab).by_id

    def all_needs(test):
        return set(tests[test].needs).union(*map(all_needs, tests[test].needs))

    for name in tests:
        if name.startswith("test_study.py::") and "_cell_measures_" not in name:
            needed = {need.partition("[")[0] for need in all_needs(name)}
            assert "test_study.py::test_a_cell_measures_what_training_makes" in needed, name
