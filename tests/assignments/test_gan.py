"""The lab gan, public and hidden half together, on stand-ins that need no data."""

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
LAB = HOME / "assignments" / "gan"
KEY = b"golden"
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


@pytest.fixture(scope="module")
def lab():
    return Catalogue(HOME).get("gan")


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
    assert [part.points for part in assignment.parts] == [5, 3.5, 3.5, 2]
    assert [item.id for item in assignment.items if item.manual] == ["report"]


@pytest.mark.parametrize("handout", ["README.md", "README.zh.md"])
def test_the_handout_prints_the_points_of_the_manifest(handout):
    text = (LAB / handout).read_text("utf-8")
    section = re.split(r"^## (?:Points|分数)$", text, flags=re.M)[1].partition("\n## ")[0]
    rows = re.findall(r"^\| \S+ \| ([\d.]+) \| .*", section, re.M)
    points = [float(part.points) for part in load_assignment(LAB).parts]
    assert [float(row) for row in rows] == points


@pytest.mark.parametrize("handout", ["README.md", "README.zh.md"])
def test_the_handout_prints_the_bars(handout):
    bars = tomllib.loads((HOME / "reference" / "gan" / "bars.toml").read_text("utf-8"))
    text = (LAB / handout).read_text("utf-8")
    for name in ("fit-sigma", "fit-mu", "fit-reverse"):
        assert f"| {bars[name]['full']:g} | |" in text, name
    for name in ("ring-modes", "ring-share"):
        assert f"| {bars[name]['full']:g} | {bars[name]['partial']:g} |" in text, name
    fid, best = bars["image-fid"], bars["open-fid"]
    assert f"| {fid['full']['digits']:g} | {fid['partial']['digits']:g} |" in text
    assert all(f"{best[level]['digits']:g}" in text for level in ("full", "floor"))


@pytest.mark.timeout(900)
def test_the_reference_earns_full_marks_without_any_data(lab, pool, reference):
    report = pool.grade(lab, reference, key=KEY, variant="synthetic").report
    assert report.status is RunStatus.GRADED, report.fault
    assert [(test.id, test.detail) for test in report.tests if test.credit < 1] == []
    assert report.cpu_seconds < 160


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


def test_a_study_of_another_mixture_does_not_come_out_again(lab, pool, reference):
    test = "test_study.py::test_a_claimed_cell_comes_out_again[divergence]"
    (study,) = [file for file in reference.files if file.path == "results.csv"]
    rows = list(csv.reader(study.content.decode().splitlines()))
    changed = [[*row[:3], f"{2 * float(row[3]):.4f}", row[4]] for row in rows[1:]]
    text = "\n".join(",".join(row) for row in [rows[0], *changed])
    files = [file for file in reference.files if file is not study]
    wrong = replace(reference, files=(*files, AcceptedFile("results.csv", text.encode())))
    found = pool.run_tests(lab, wrong, (test,), key=KEY, variant="synthetic")
    assert found.outcomes[test] is Outcome.FAILED


def test_numbers_of_the_study_count_only_after_honesty(lab, pool):
    tests = pool.collected(lab).by_id

    def all_needs(test):
        return set(tests[test].needs).union(*map(all_needs, tests[test].needs))

    for name, test in tests.items():
        if test.file == "test_study.py":
            assert "test_cell.py::test_the_seed_of_a_cell_decides_it" in all_needs(name), name
