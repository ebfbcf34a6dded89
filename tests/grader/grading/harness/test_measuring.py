"""What the fixtures `bar` and `measured` make of figures, in a grading run of the tiny lab."""

import shutil
from pathlib import Path

import pytest

from grader.authoring import reference_submission
from grader.grading import GradingPool, suite_digest
from grader.lab.catalogue import Catalogue
from grader.report import Outcome, RunStatus
from grader.report.redaction import for_student
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[3] / "home"
KEY = b"k" * 32

pytestmark = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)

BARS = """
[score]
title = "a score"
better = "higher"
full = 0.8
partial = 0.5

[error]
title = "an error"
better = "lower"
full = 0.1
floor = 0.3

[unseen]
title = "a secret score"
better = "higher"
full = 0.8
show = false
"""
BODIES = {
    "reaches": 'bar("score", 0.9)',
    "fails": 'bar("score", 0.4)',
    "nan": 'bar("score", float("nan"))',
    "half": 'bar("score", 0.6)',
    "floor": 'bar("error", 0.25)',
    "between": 'bar("error", 0.24)',  # 0.3 of the way, but for rounding
    "just_above": 'bar("error", 0.2399)',
    "nearly": 'bar("error", 0.1001)',
    "barely": 'bar("error", 0.2999)',
    "credit": 'credit(0.55, "as it is")',
    "odd_credit": 'credit(0.551, "up")',
    "worst": 'bar("score", 0.6); bar("error", 0.15)',
    "worst_last": 'bar("score", 0.6); bar("error", 0.25)',
    "unseen": 'bar("unseen", 0.123)',
    "records": 'measured("anything", 7)\n    measured("nothing", float("inf"))',
    "records_and_fails": 'measured("anything", 8)\n    raise AssertionError("no")',
}
FAULTS = {
    "unknown": ('bar("no-such-bar", 1.0)', "bars.toml has no bar 'no-such-bar'"),
    "measured_bar": ('measured("score", 1.0)', "'score' is a bar"),
    "twice": ('bar("score", 1.0); bar("score", 0.9)', "recorded twice"),
}


def suite(bodies):
    """Return a hidden suite with one test of each body, and one for every other item."""
    tests = [
        f'@pytest.mark.item("double")\ndef test_{name}(bar, measured, credit):\n'
        f'    """The {name}."""\n    {body}\n'
        for name, body in bodies.items()
    ]
    rest = [
        f'@pytest.mark.item("{item}")\ndef test_{item}():\n    """Rest."""\n'
        for item in ("partial", "linear")
    ]
    return "\n\n".join(["import pytest", *tests, *rest])


@pytest.fixture(scope="module")
def pool():
    with GradingPool() as pool:
        yield pool


def lab_of(home, bodies, bars=BARS):
    """Copy the tiny lab to a folder and give it this suite and these bars."""
    shutil.copytree(HOME, home)
    reference = home / "reference" / "tiny"
    shutil.rmtree(reference / "suite")
    (reference / "suite").mkdir()
    (reference / "suite" / "test_own.py").write_text(suite(bodies))
    (reference / "bars.toml").write_text(bars)
    return Catalogue(home).get("tiny")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The tiny lab with a suite of figures."""
    return lab_of(tmp_path_factory.mktemp("bars") / "home", BODIES)


@pytest.fixture(scope="module")
def report(pool, lab):
    """The report of the reference on a suite of figures."""
    return pool.grade(lab, reference_submission(lab), key=KEY).report


def test_a_bar_passes_fails_or_grants_a_part(report):
    assert report.status is RunStatus.GRADED, report.fault
    found = {t.id.removeprefix("test_own.py::test_"): (t.outcome, t.credit) for t in report.tests}
    assert {name: found[name] for name in BODIES} == {
        "reaches": (Outcome.PASSED, 1.0),
        "fails": (Outcome.FAILED, 0.0),
        "nan": (Outcome.FAILED, 0.0),
        "half": (Outcome.PASSED, 0.5),
        "floor": (Outcome.PASSED, 0.25),
        "between": (Outcome.PASSED, 0.3),
        "just_above": (Outcome.PASSED, 0.35),
        "nearly": (Outcome.PASSED, 0.95),
        "barely": (Outcome.PASSED, 0.05),
        "credit": (Outcome.PASSED, 0.55),
        "odd_credit": (Outcome.PASSED, 0.6),
        "worst": (Outcome.PASSED, 0.5),
        "worst_last": (Outcome.PASSED, 0.25),
        "unseen": (Outcome.FAILED, 0.0),
        "records": (Outcome.PASSED, 1.0),
        "records_and_fails": (Outcome.FAILED, 0.0),
    }


def test_figures_are_in_the_report_whatever_the_outcome(report):
    found = {t.id.removeprefix("test_own.py::test_"): t.measured for t in report.tests}
    assert found["reaches"] == {"score": 0.9}
    assert found["fails"] == {"score": 0.4}
    assert found["nan"] == {}
    assert found["worst"] == {"score": 0.6, "error": 0.15}
    assert found["records"] == {"anything": 7.0}
    assert found["records_and_fails"] == {"anything": 8.0}


def test_the_detail_names_value_and_bar(report):
    details = {t.id.removeprefix("test_own.py::test_"): t.detail for t in report.tests}
    assert "a score: 0.4, the bar is 0.8 (0.5 for a part)" in details["fails"]
    assert "a score: 0.6, the bar is 0.8" in details["half"]
    assert "an error: 0.25, the bar is 0.1 (points begin at 0.3)" in details["floor"]


def test_some_tests_can_be_asked_for_their_figures_alone(pool, lab):
    only = ("test_own.py::test_half", "test_own.py::test_fails")
    run = pool.run_tests(lab, reference_submission(lab), only, key=KEY)
    assert run.outcomes == dict(zip(only, (Outcome.PASSED, Outcome.FAILED), strict=True))
    assert run.measured == {only[0]: {"score": 0.6}, only[1]: {"score": 0.4}}


def test_students_see_the_figure_of_a_bar_rounded(report):
    seen = for_student(report, due_passed=False, published=False)
    told = {test.title.removeprefix("The ").rstrip("."): test.reason for test in seen.tests}
    assert told["fails"] == "Measured: a score: about 0.40; all points need ≥ 0.8."
    assert told["nan"] == "Measured: a score, no finite number; all points need ≥ 0.8."
    assert told["half"] == "Measured: a score: about 0.60; all points need ≥ 0.8."
    assert told["worst"] == told["half"]
    assert told["worst_last"] == "Measured: an error: about 0.25; all points need ≤ 0.1."
    assert told["unseen"] == "What was measured does not reach its bar: a secret score."
    assert told["reaches"] == told["records"] == "Passed."


def test_students_see_no_other_figure(report):
    seen = for_student(report, due_passed=True, published=True)
    assert '"measured"' not in seen.model_dump_json()
    texts = "".join(test.reason + test.reason_zh for test in seen.tests)
    assert "0.12" not in texts
    assert "8.0" not in texts


@pytest.mark.parametrize("name", FAULTS)
def test_a_mistake_of_the_suite_is_no_zero(pool, tmp_path, name):
    body, said = FAULTS[name]
    lab = lab_of(tmp_path / "home", {name: body})
    report = pool.grade(lab, reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADER_ERROR
    assert said in report.fault


def test_a_broken_bars_file_is_no_zero(pool, tmp_path):
    lab = lab_of(tmp_path / "home", {"reaches": 'bar("score", 1.0)'}, bars="[score]\nfull = 1\n")
    report = pool.grade(lab, reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADER_ERROR
    assert "bars.toml: score.title: is missing; add it" in report.fault


def test_bars_decide_grades_and_calibration_does_not(tmp_path):
    lab = lab_of(tmp_path / "home", {})
    before = suite_digest(lab)
    (lab.reference / "calibration.json").write_text("{}")
    (lab.reference / "baselines").mkdir()
    (lab.reference / "baselines" / "weak.toml").write_text("")
    assert suite_digest(lab) == before
    (lab.reference / "bars.toml").write_text(BARS.replace("0.8", "0.7"))
    assert suite_digest(lab) != before
