"""A validation runs what may have changed and nothing else, and finds what a slow one finds."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from grader.authoring import reference_submission
from grader.authoring.validate import ValidationPlan, validate
from grader.authoring.validate.automatic import automatic_mutants
from grader.authoring.validate.checks import ValidationBench, seed_key
from grader.authoring.validate.kept import KeptRuns, RunSettings
from grader.grading import GradingPool, PartialRun, ResultCache
from grader.grading.collected import CollectedSuite, TestSpec
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Catalogue
from grader.report import Outcome
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[2] / "home"
DOUBLE, ESTIMATE = "test_maths.py::test_double_of_random_input", "test_maths.py::test_estimate"
MAPS = "test_net.py::test_linear_maps_three_to_two"
MATHS = '''"""The model solution of the NumPy part."""


def double(x):
    """Return twice x, shape kept."""
    # BEGIN SOLUTION
    if x is None:
        return 3 * 4
    return 2 * x
    # END SOLUTION


def estimate(n):
    """Return an estimate of pi from n terms of Leibniz's series."""
    # BEGIN SOLUTION
    total = 0.0
    for k in range(n):
        total += (-1) ** k / (2 * k + 1)
    return 4 * total
    # END SOLUTION
'''
NET = '''"""The model solution of the second part."""

import numpy as np

from .maths import double


class Linear:
    """A linear layer: x W^T + b."""

    def __init__(self, inputs, outputs):
        """Set weight and bias."""
        # BEGIN SOLUTION
        self.weight = np.arange(1.0, 1 + outputs * inputs).reshape(outputs, inputs)
        self.bias = double(np.ones(outputs))
        # END SOLUTION

    def __call__(self, x):
        """Map (N, inputs) to (N, outputs)."""
        # BEGIN SOLUTION
        return x @ self.weight.T + self.bias
        # END SOLUTION
'''

needs_sandbox = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)


def spec(name):
    return TestSpec(id=name, item="double", title="t", cpu_seconds=1.0)


class FakePool:
    """Stands for a pool: a submission loses the tests that its files name."""

    tier = best_tier()

    def __init__(self):
        self.asked = []
        self.meanwhile = lambda: None

    def collected(self, lab):
        return CollectedSuite(tests=tuple(map(spec, (DOUBLE, ESTIMATE, MAPS))))

    def run_tests(self, lab, submission, tests, *, stop_at_first_loss, **how):
        self.asked.append(tests)
        self.meanwhile()
        text = b"".join(file.content for file in submission.files).decode()
        lost = [test for test in tests if test in text]
        outcomes = {test: Outcome.FAILED if test in lost else Outcome.PASSED for test in tests}
        if stop_at_first_loss and lost:
            behind = tests[tests.index(lost[0]) + 1 :]
            outcomes |= dict.fromkeys(behind, Outcome.MISSING)
        return PartialRun(
            outcomes=outcomes,
            credits={test: float(outcome is Outcome.PASSED) for test, outcome in outcomes.items()},
            measured={},
            readings={},
            first_loss=lost[0] if stop_at_first_loss and lost else None,
            cpu_seconds=1.0,
        )


@pytest.fixture
def pool():
    return FakePool()


@pytest.fixture
def lab(tmp_path):
    home = tmp_path / "home"
    shutil.copytree(HOME, home)
    (home / "reference/tiny/maths.py").write_text(MATHS)
    (home / "reference/tiny/net.py").write_text(NET)
    return Catalogue(home).get("tiny")


@pytest.fixture
def cache(tmp_path):
    return ResultCache(tmp_path / "kept")


@pytest.fixture
def runs(lab, pool, cache):
    return KeptRuns(lab, pool, cache)


def losing(submission, test):
    return Submission("wrong", (*submission.files, AcceptedFile("x.txt", test.encode())))


HOW = RunSettings(seed_key(0))


def test_what_is_known_is_not_run_again(lab, pool, runs):
    reference = reference_submission(lab)
    first = runs.results(reference, (DOUBLE, ESTIMATE), HOW)
    assert first == runs.results(reference, (DOUBLE, ESTIMATE), HOW)
    runs.results(reference, (DOUBLE, MAPS), HOW)
    assert pool.asked == [(DOUBLE, ESTIMATE), (MAPS,)]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(RunSettings(seed_key(1)), id="seed"),
        pytest.param(RunSettings(seed_key(0), inputs_of="0" * 64), id="inputs"),
        pytest.param(RunSettings(seed_key(0), probe="double"), id="probe"),
        pytest.param(RunSettings(seed_key(0), number=1), id="repeat"),
    ],
)
def test_another_run_is_another_result(lab, pool, runs, other):
    reference = reference_submission(lab)
    runs.results(reference, (DOUBLE,), HOW)
    runs.results(reference, (DOUBLE,), other)
    assert len(pool.asked) == 2


def in_file(path, old, new):
    def change(lab):
        file = lab.reference / path
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    return change


def new_helper(lab):
    (lab.suite / "conftest.py").write_text("LIMIT = 3\n")


@pytest.mark.parametrize(
    ("change", "again"),
    [
        pytest.param(in_file("suite/test_maths.py", "(3, 5)", "(3, 6)"), (DOUBLE,), id="the-test"),
        pytest.param(in_file("suite/test_maths.py", "< 0.1", "< 0.2"), (ESTIMATE,), id="another"),
        pytest.param(in_file("suite/test_net.py", "== 8", "<= 8"), (), id="another-file"),
        pytest.param(in_file("suite/test_maths.py", "import pytest", "import pytest\nX = 3"),
                     (DOUBLE, ESTIMATE), id="rest-of-the-file"),
        pytest.param(new_helper, (DOUBLE, ESTIMATE), id="helper"),
        pytest.param(in_file("net.py", "+ self.bias", "+ 0 + self.bias"), (DOUBLE, ESTIMATE),
                     id="the-reference-of-the-suite"),
        pytest.param(in_file("mutants/triple.toml", "triples", "thrice"), (), id="no-part-of-it"),
    ],
)  # fmt: skip
def test_a_change_runs_the_tests_that_it_can_touch(lab, pool, runs, change, again):
    reference = reference_submission(lab)
    runs.results(reference, (DOUBLE, ESTIMATE), HOW)
    pool.asked.clear()
    change(lab)
    runs.results(reference, (DOUBLE, ESTIMATE), HOW)
    assert pool.asked == ([again] if again else [])


def test_another_submission_is_run(lab, pool, runs):
    reference = reference_submission(lab)
    assert not runs.results(reference, (DOUBLE,), HOW)[DOUBLE].lost
    assert runs.results(losing(reference, DOUBLE), (DOUBLE,), HOW)[DOUBLE].lost
    assert len(pool.asked) == 2


def test_another_engine_runs_everything(lab, pool, runs, monkeypatch):
    reference = reference_submission(lab)
    runs.results(reference, (DOUBLE,), HOW)
    monkeypatch.setattr("grader.grading.cache.identity.environment_of_tests", lambda: "other")
    runs.results(reference, (DOUBLE,), HOW)
    assert len(pool.asked) == 2


def test_damaged_results_are_run_again(lab, pool, runs, cache):
    reference = reference_submission(lab)
    first = runs.results(reference, (DOUBLE,), HOW)
    for file in cache.folder.rglob("*.json"):
        file.write_text(file.read_text()[:-20])
    assert runs.results(reference, (DOUBLE,), HOW) == first
    assert len(pool.asked) == 2


def test_a_lab_that_changes_during_a_run_keeps_nothing(lab, pool, runs):
    reference = reference_submission(lab)
    pool.meanwhile = lambda: in_file("suite/test_maths.py", "< 0.1", "< 0.2")(lab)
    runs.results(reference, (DOUBLE,), HOW)
    pool.meanwhile = lambda: None
    in_file("suite/test_maths.py", "< 0.2", "< 0.1")(lab)
    runs.results(reference, (DOUBLE,), HOW)
    assert len(pool.asked) == 2


def test_a_run_that_stops_keeps_what_it_came_to_and_no_more(lab, pool, runs):
    wrong = losing(reference_submission(lab), ESTIMATE)
    lost = runs.first_loss(wrong, (DOUBLE, ESTIMATE, MAPS), HOW)
    assert lost[0] == ESTIMATE
    assert runs.first_loss(wrong, (MAPS, ESTIMATE), HOW) == lost  # known, so MAPS need not run
    assert runs.first_loss(wrong, (DOUBLE,), HOW) is None
    assert pool.asked == [(DOUBLE, ESTIMATE, MAPS)]
    assert not runs.results(wrong, (MAPS,), HOW)[MAPS].lost
    assert pool.asked[1:] == [(MAPS,)]


def test_a_run_that_does_not_read_what_is_known_replaces_it(lab, pool, cache, runs):
    reference = reference_submission(lab)
    runs.results(reference, (DOUBLE,), HOW)
    fresh = KeptRuns(lab, pool, ResultCache(cache.folder, reads=False))
    fresh.results(reference, (DOUBLE,), HOW)
    fresh.results(reference, (DOUBLE,), HOW)
    assert len(pool.asked) == 3
    runs.results(reference, (DOUBLE,), HOW)
    assert len(pool.asked) == 3


@needs_sandbox
def test_the_fast_way_finds_what_running_every_test_finds(lab, cache):
    fates = set()
    with GradingPool(jobs=1) as pool:
        bench = ValidationBench(lab, pool, cache)
        reference, coverage = bench.reference, bench.coverage()
        every = tuple(pool.collected(lab).by_id)
        for mutant in automatic_mutants(reference):
            wrong = mutant.apply(reference)
            slow = pool.run_tests(lab, wrong, every, key=seed_key(0), inputs_of=reference.digest)
            lost = {test for test in every if slow.credits[test] < 1}
            able = coverage.tests(mutant)
            assert lost <= set(able), mutant.described()
            fast = bench.first_loss(wrong, able) if able else None
            assert (fast is not None) == bool(lost), mutant.described()
            assert fast is None or fast[0] in lost
            fates.add((bool(lost), len(able) < len(every)))
    assert fates >= {(True, True), (False, True)}


@needs_sandbox
def test_a_second_validation_finds_the_same_and_runs_nothing(lab, monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "kept"))
    plan = ValidationPlan(seeds=1, repeats=2, sample=8)
    first = validate(lab, plan)
    again = validate(lab, plan)
    assert [(one.claim, one.holds) for one in again.findings] == [
        (one.claim, one.holds) for one in first.findings
    ]
    assert again.automatic == first.automatic
    in_file("suite/test_maths.py", "error < 0.1", "error < 4")(lab)
    weaker, fresh = validate(lab, plan), validate(lab, replace(plan, fresh=True))
    assert fresh.automatic == weaker.automatic
    assert again.cpu_minutes < weaker.cpu_minutes < fresh.cpu_minutes
