"""Where our own process ends in a test: that test alone pays, and another process goes on."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from grader.authoring import reference_submission
from grader.grading import GradingPool, grade
from grader.lab.catalogue import Catalogue
from grader.lab.manifest import load_assignment
from grader.report import RunStatus, Visibility
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[2] / "home"
KEY = b"k" * 32

pytestmark = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)


@pytest.fixture
def lab_with(tmp_path):
    """Return a function that gives the tiny lab a hidden suite and limits of its own."""

    def make(body, limits="judging_cpu_seconds = 0.3\ncpu_seconds = 20"):
        shutil.copytree(HOME, tmp_path / "home")
        suite = tmp_path / "home" / "reference" / "tiny" / "suite"
        shutil.rmtree(suite)
        suite.mkdir()
        (suite / "test_own.py").write_text(body)
        lab = Catalogue(tmp_path / "home").get("tiny")
        manifest = lab.public / "assignment.toml"
        manifest.write_text(manifest.read_text().replace("\ncpu_seconds = 20", f"\n{limits}"))
        return dataclasses.replace(lab, assignment=load_assignment(lab.public))

    return make


def by_name(report):
    assert report.status is RunStatus.GRADED, report.fault
    return {test.id.partition("::")[2]: test for test in report.tests}


ENDS = '''
import os, signal
import numpy as np
import pytest

LARGE = np.random.default_rng(0).standard_normal((4000, 4000))

@pytest.fixture(scope="module")
def shared(shared_student, shared_seed):
    return shared_seed, shared_student.maths.double(3)

@pytest.mark.item("double")
def test_before(shared, measured, figure):
    """Passes before, and draws."""
    measured("seed", shared[0] % 1000)
    figure("line", "A line").plot([1, 2])

@pytest.mark.item("double")
def test_no_return():
    """Computes in C, where no exception reaches it."""
    np.linalg.svd(LARGE)

@pytest.mark.item("linear")
@pytest.mark.depends("test_no_return")
def test_needs_it():
    """Is not run."""

@pytest.mark.item("partial")
def test_crash():
    """Ends our own process."""
    os.kill(os.getpid(), signal.SIGSEGV)

@pytest.mark.item("double")
def test_after(shared, measured):
    """Passes afterwards, on what the first one had."""
    measured("seed", shared[0] % 1000)
    assert shared[1] == 6
'''


def test_what_ends_our_own_process_costs_the_test_alone(lab_with, grading_processes):
    lab, before, seen = lab_with(ENDS), grading_processes(), []
    graded = grade(lab, reference_submission(lab), key=KEY, on_progress=seen.append)
    found = by_name(graded.report)
    assert {name: test.outcome.value for name, test in found.items()} == {
        "test_before": "passed",
        "test_no_return": "failed",
        "test_needs_it": "missing",
        "test_crash": "unjudged",
        "test_after": "passed",
    }
    assert "took more time or memory than a check may" in found["test_no_return"].reason
    assert "did not come to its end" in found["test_no_return"].detail
    assert "ended with -11" in found["test_crash"].detail
    assert found["test_before"].measured == found["test_after"].measured != {}
    (artifact,) = graded.report.artifacts
    assert artifact.test == found["test_before"].id
    assert artifact.visibility is Visibility.AFTER_DUE_DATE, "that of the hidden test as well"
    assert graded.artifacts.keys() == {artifact.sha256}
    assert [(news.done, news.total) for news in seen] == [(done, 5) for done in range(6)]
    assert [news.share for news in seen] == sorted({news.share for news in seen})
    assert (seen[0].share, seen[-1].share) == (0, 1)
    assert graded.report.cpu_seconds >= found["test_before"].cpu_seconds
    assert grading_processes() == before


def test_who_stops_at_the_first_loss_stops_there_too(lab_with):
    lab = lab_with(ENDS)
    wanted = tuple(f"test_own.py::{name}" for name in ("test_no_return", "test_after"))
    with GradingPool() as pool:
        run = pool.run_tests(
            lab, reference_submission(lab), wanted, key=KEY, stop_at_first_loss=True
        )
    assert run.first_loss == wanted[0]
    assert [run.outcomes[name].value for name in wanted] == ["failed", "missing"]


KILLED = '''
import os, signal
import pytest

@pytest.mark.item("double")
def test_killed():
    """Is killed."""
    os.kill(os.getpid(), signal.SIGKILL)
'''


def test_a_run_that_is_killed_from_outside_is_a_fault_of_ours(lab_with):
    lab = lab_with(KILLED)
    report = grade(lab, reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADER_ERROR
    assert "ended with -9" in report.fault


BUSY = "import time\nimport pytest\n" + "".join(
    f'''
@pytest.mark.item("{item}")
def test_{number}(student):
    """Test {number}."""
    assert student.maths.double(1) == 2
    start = time.process_time()
    while time.process_time() < start + 0.4:
        pass
'''
    for number, item in enumerate(("double", "double", "double", "partial", "linear"))
)


def test_the_suites_own_work_has_a_limit_for_a_whole_run(lab_with):
    lab = lab_with(BUSY, "judging_cpu_seconds = 1\ncpu_seconds = 1.5")
    found = by_name(grade(lab, reference_submission(lab), key=KEY).report)
    outcomes = [found[f"test_{number}"].outcome.value for number in range(5)]
    assert (outcomes[:2], outcomes[-1]) == (["passed"] * 2, "failed")
    assert "took more time or memory than a check may" in found["test_4"].reason
