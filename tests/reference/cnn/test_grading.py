"""The reference, graded: on the stand-in without a study's results, and on real images.

Most tests make their own images, or train on any. The gate leaves out those that a calibration has
run many times. On the real images it runs those that need results.csv, with one of the five kinds
of cells and without what stands on the others. The nightly run grades the reference whole, on both.
"""

import os
from pathlib import Path

import pytest
from support.whole_lab import RUN_AGAIN, WholeLab

from grader.authoring import reference_submission
from grader.grading import GradingPool
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Catalogue
from grader.report import Outcome, RunStatus

pytestmark = pytest.mark.timeout(900)  # a grading takes more than a minute of a core of its own

HOME = Path(__file__).parents[3]
KEY = b"cnn" * 11
# What is asked of results.csv, whose numbers are those of the real images.
OF_RESULTS = (
    RUN_AGAIN,
    "test_study.py::test_results_cover",
    "test_study.py::test_no_cell_stands_twice",
    "test_study.py::test_shortcuts_help_at_depth_20",
    "test_study.py::test_batch_norm_helps",
    "test_study.py::test_heavy_dropout_hurts",
)


@pytest.fixture(scope="module")
def lab():
    return Catalogue(HOME).get("cnn")


@pytest.fixture(scope="module")
def pool():
    with GradingPool(jobs=1) as grading:
        yield grading


def on_the_stand_in(submission):
    """Return a submission whose study is about the stand-in, without results."""
    files = []
    for file in submission.files:
        content = file.content
        if file.path == "cnn/study.py":
            old, new = b'\nVARIANT = "tiny_imagenet_10"\n', b'\nVARIANT = "synthetic"\n'
            assert content.count(old) == 1
            content = content.replace(old, new)
        if file.path != "results.csv":
            files.append(AcceptedFile(file.path, content))
    return Submission("on the stand-in", tuple(files))


@pytest.fixture(scope="module")
def whole(pool):
    return WholeLab("cnn", pool)


def test_without_data_every_test_passes_that_is_cheap_and_does_not_read_results(lab, whole):
    asked = {test for test in whole.tests_of("test_study.py") if test.startswith(OF_RESULTS)}
    assert len(asked) == 14
    tests = whole.without(whole.calibrated() | asked)
    submission = on_the_stand_in(reference_submission(lab))
    outcomes = whole.outcomes(submission, *sorted(tests | asked))
    assert {test: outcomes[test] for test in tests} == dict.fromkeys(tests, Outcome.PASSED)
    # Without results the study earns nothing for them.
    assert [test for test in asked if outcomes[test] is Outcome.PASSED] == []


@pytest.fixture(scope="module")
def synthetic(lab, pool):
    """The report of the reference on the stand-in."""
    submission = on_the_stand_in(reference_submission(lab))
    return pool.grade(lab, submission, key=KEY, variant="synthetic").report


@pytest.mark.nightly
def test_without_data_every_test_passes_that_does_not_read_results(synthetic):
    assert synthetic.status is RunStatus.GRADED, synthetic.fault
    asked = [test for test in synthetic.tests if test.id.startswith(OF_RESULTS)]
    assert [t.id for t in synthetic.tests if t.credit < 1 and t not in asked] == []
    assert [test.id for test in asked if test.score > 0] == []


@pytest.mark.nightly
def test_one_grading_stays_within_its_cost(synthetic):
    assert synthetic.cpu_seconds <= 130


@pytest.mark.nightly
def test_the_networks_mistakes_are_drawn(synthetic):
    assert {artifact.name for artifact in synthetic.artifacts} == {"confusion", "worst"}


@pytest.mark.nightly
def test_nothing_of_the_reference_is_a_shortcut(synthetic):
    assert synthetic.findings == ()


needs_images = pytest.mark.skipif(
    not os.environ.get("GRADER_DATA"), reason="needs real data: grades on tiny-imagenet-10"
)


@needs_images
def test_what_the_references_study_claims_counts_on_real_images(lab, pool, whole):
    left_out = whole.repeated_cells("norm")
    assert len(left_out) == 4
    chosen = tuple(t for t in sorted(whole.without(left_out)) if t.startswith(OF_RESULTS))
    found = pool.run_tests(lab, reference_submission(lab), chosen, key=KEY).outcomes
    assert {test: found[test] for test in chosen} == dict.fromkeys(chosen, Outcome.PASSED)


@pytest.mark.nightly
@needs_images
def test_the_reference_earns_full_marks_on_real_images(lab, pool):
    report = pool.grade(lab, reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault
    assert [test.id for test in report.tests if test.credit < 1] == []
    assert report.cpu_seconds <= 150
