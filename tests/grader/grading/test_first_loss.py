"""A run that ends at the first loss runs what it is told, in that order, and nothing after it."""

import shutil
from pathlib import Path

import pytest

from grader.authoring import reference_submission
from grader.errors import GradingError
from grader.grading import GradingPool
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Catalogue
from grader.report import Outcome
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[2] / "home"
KEY = b"k" * 32
VECTOR, ANY, ESTIMATE = (
    f"test_maths.py::test_{name}"
    for name in ("double_of_a_vector", "double_of_random_input", "estimate")
)
MAPS, AFFINE = (f"test_net.py::test_linear_{name}" for name in ("maps_three_to_two", "is_affine"))

pytestmark = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("first_loss") / "home"
    shutil.copytree(HOME, home)
    return Catalogue(home).get("tiny")


@pytest.fixture(scope="module")
def pool():
    with GradingPool(jobs=1) as pool:
        yield pool


@pytest.fixture
def first_loss(lab, pool):
    """Return a function that runs tests on the reference with a text replaced in one file."""

    def run(order, path="tiny/maths.py", old="", new=""):
        files = [
            AcceptedFile(f.path, f.content.replace(old.encode(), new.encode()))
            if f.path == path and old
            else f
            for f in reference_submission(lab).files
        ]
        mutant = Submission("mutant", tuple(files))
        return pool.run_tests(lab, mutant, order, key=KEY, stop_at_first_loss=True)

    return run


def test_what_loses_nothing_runs_to_the_end(first_loss):
    found = first_loss((AFFINE, ESTIMATE, ANY, VECTOR))
    assert found.first_loss is None
    assert set(found.outcomes.values()) == {Outcome.PASSED}
    assert found.cpu_seconds > 0


@pytest.mark.parametrize(
    ("order", "first"),
    [pytest.param((ANY, ESTIMATE), ANY), pytest.param((ESTIMATE, ANY), ESTIMATE)],
)
def test_hidden_tests_run_in_the_order_given_until_one_loses(first_loss, order, first):
    found = first_loss(order, old="return ", new="return 3 + ")
    assert found.first_loss == first
    assert [found.outcomes[test] for test in order] == [Outcome.FAILED, Outcome.MISSING]


def test_visible_tests_come_first_whatever_the_order(first_loss):
    assert first_loss((ANY, VECTOR), old="2 * x", new="3 * x").first_loss == VECTOR


def test_partial_credit_is_a_loss(first_loss):
    found = first_loss((ESTIMATE,), old="range(n)", new="range(30)")
    assert (found.first_loss, found.outcomes[ESTIMATE]) == (ESTIMATE, Outcome.PASSED)


def test_a_test_runs_after_those_it_needs(first_loss):
    found = first_loss((AFFINE,), "tiny/net.py", " @ self.weight.T + self.bias", "")
    assert found.first_loss == MAPS


def test_an_unknown_test_is_our_fault(lab, pool):
    with pytest.raises(GradingError, match="the suite has no test 'test_x.py::test_y'"):
        pool.run_tests(lab, reference_submission(lab), ("test_x.py::test_y",), key=KEY)
