"""Running automatic mutants: killed, surviving, endless; explained, stale."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.authoring.validate import ValidationPlan, check_count, validate
from grader.authoring.validate.automatic import (
    EXPLAINED_NAME,
    Equivalence,
    MutantResult,
    Runner,
    automatic_mutants,
    load_explained,
)
from grader.authoring.validate.checks import ValidationBench, automatic_findings, run_automatic
from grader.authoring.validate.kept import TestResult
from grader.errors import ManifestError
from grader.grading import GradingPool, ResultCache
from grader.intake.submission import Submission
from grader.lab.catalogue import Catalogue
from grader.report import Outcome
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[2] / "home"
MATHS = '''"""The model solution of the NumPy part."""


def double(x):
    """Return twice x, shape kept."""
    # BEGIN SOLUTION
    if x is x:
        return 2 * x
    return 3 * x
    # END SOLUTION


def estimate(n):
    """Return an estimate of pi from n terms of Leibniz's series."""
    # BEGIN SOLUTION
    total, k = 0.0, 0
    while k < n:
        total += (-1) ** k / (2 * k + 1)
        k += 1
    return 4 * total
    # END SOLUTION
'''

needs_sandbox = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("automatic") / "home"
    shutil.copytree(HOME, home)
    (home / "reference" / "tiny" / "maths.py").write_text(MATHS)
    return Catalogue(home).get("tiny")


@pytest.fixture(scope="module")
def pool():
    with GradingPool(jobs=2) as pool:
        yield pool


@pytest.fixture(scope="module")
def bench(lab, pool, tmp_path_factory):
    return ValidationBench(lab, pool, ResultCache(tmp_path_factory.mktemp("kept")))


@pytest.fixture(scope="module")
def mutants(bench):
    return automatic_mutants(bench.reference)


@pytest.fixture(scope="module")
def coverage(bench):
    return bench.coverage()


@pytest.fixture
def runner(bench, coverage):
    costs = {test.id: test.cpu_seconds for test in bench.reference_report().tests}
    return Runner(bench.reference, bench.first_loss, coverage, costs)


def the(mutants, after):
    (found,) = [mutant for mutant in mutants if mutant.after == after]
    return found


@needs_sandbox
def test_a_mutant_that_loses_a_test_is_killed_by_the_first_one(runner, mutants):
    result = runner.run(the(mutants, "return 2 / x"))
    assert result.killed
    assert result.killer.startswith("test_maths.py::test_double")


@needs_sandbox
def test_a_mutant_that_never_ends_is_killed_by_the_limit(runner, mutants):
    result = runner.run(the(mutants, "k -= 1"))
    assert (result.killer, result.outcome) == ("test_maths.py::test_estimate", Outcome.TIMEOUT)


@needs_sandbox
def test_a_mutant_that_no_test_can_tell_survives(runner, mutants):
    assert not runner.run(the(mutants, "return 4 * x")).killed


@needs_sandbox
def test_every_run_is_charged(bench, mutants):
    start = bench.cpu_seconds
    report = bench.grade(bench.reference).report
    assert bench.cpu_seconds == pytest.approx(start + report.cpu_seconds)
    test = "test_maths.py::test_estimate"
    odd = the(mutants, "return 4 / total").apply(bench.reference)
    between = bench.cpu_seconds
    assert bench.results(odd, (test,))[test].lost
    after = bench.cpu_seconds
    assert after > between
    assert bench.results(odd, (test,))[test].lost  # known: costs nothing
    assert bench.cpu_seconds == after


def test_the_order_puts_killers_of_neighbours_and_cheap_tests_first(mutants):
    costs = {"dear": 5.0, "cheap": 0.1}
    seen = []

    def first_loss(submission, order):
        seen.append(order)
        return "dear", TestResult(outcome=Outcome.FAILED, credit=0.0)

    coverage = SimpleNamespace(tests=lambda mutant: ("dear", "cheap"))
    runner = Runner(Submission("reference", ()), first_loss, coverage, costs)
    one, other = the(mutants, "return 4 * x"), the(mutants, "return 4 / total")
    for _ in range(80):
        runner.run(one)
    assert runner.run(other).killer == "dear"
    assert seen[0] == ("cheap", "dear")
    assert seen[-2] == ("dear", "cheap")
    assert seen[-1] == ("cheap", "dear")  # what kills in one function says nothing of another


def test_a_mutant_that_no_test_can_see_is_not_run(mutants):
    coverage = SimpleNamespace(tests=lambda mutant: ())
    runner = Runner(Submission("reference", ()), None, coverage, {})
    assert runner.run(mutants[0]) == MutantResult()


@pytest.fixture
def home_with(tmp_path):
    """Return a function that gives the tiny lab with texts of its reference replaced."""

    def make(**texts):
        shutil.copytree(HOME, tmp_path / "home", dirs_exist_ok=True)
        for name, text in texts.items():
            file = tmp_path / "home" / "reference" / "tiny" / name.replace("__", "/")
            file.with_suffix(".py").write_text(text)
        return Catalogue(tmp_path / "home").get("tiny")

    return make


@needs_sandbox
def test_survivors_are_listed_unless_they_are_explained(bench, mutants):
    chosen = [the(mutants, text) for text in ("return 2 / x", "return 4 * x", "return 2 * x")]
    whys = {
        chosen[1].name: "never reached",
        chosen[0].name: "is killed all the same",
        "tiny/maths.py:gone:drop:00000000:1": "there was such a line",
    }
    explained = {name: Equivalence(mutant=name, why=why) for name, why in whys.items()}
    seen = []
    result = run_automatic(bench, mutants, chosen, explained, jobs=2, on_progress=seen.append)
    assert [progress.done for progress in seen] == [1, 2, 3]
    assert (result.killed, result.explained, result.survived) == (
        (chosen[0],), (chosen[1],), (chosen[2],),
    )  # fmt: skip
    assert result.share == 0.5
    assert [progress.survived for progress in seen] == [1, 1, 1]  # the unexplained one is first
    assert set(result.stale) == explained.keys() - {chosen[1].name}
    caught, trips, stale = automatic_findings(result)
    assert [one.holds for one in (caught, trips, stale)] == [False, True, False]
    assert chosen[2].name in caught.detail and chosen[1].name not in caught.detail


@needs_sandbox
def test_what_a_bar_catches_by_chance_may_be_killed_or_survive(bench, mutants):
    chosen = [the(mutants, text) for text in ("return 2 / x", "return 4 * x")]
    explained = {
        one.name: Equivalence(mutant=one.name, why="near a bar", by_chance=True) for one in chosen
    }
    result = run_automatic(
        bench, mutants, chosen, explained, jobs=2, on_progress=lambda progress: None
    )
    assert (result.killed, result.explained) == ((chosen[0],), (chosen[1],))
    assert result.stale == ()


def test_explanations_are_read_and_mistakes_told(home_with):
    lab = home_with(maths=MATHS)
    file = lab.reference / EXPLAINED_NAME
    assert load_explained(lab) == {}
    file.write_text('[[equivalent]]\nmutant = "a"\nwhy = "b"\n')
    assert load_explained(lab) == {"a": Equivalence(mutant="a", why="b")}
    file.write_text('[[equivalent]]\nmutant = "a"\nwhy = "b"\n' * 2)
    with pytest.raises(ManifestError, match="twice"):
        load_explained(lab)
    file.write_text('[[equivalent]]\nmutant = "a"\n')
    with pytest.raises(ManifestError, match=r"equivalent\.0\.why"):
        load_explained(lab)


@needs_sandbox
def test_a_suite_that_a_mutant_makes_fail_is_told(home_with, tmp_path):
    careless = (HOME / "reference/tiny/suite/test_maths.py").read_text()
    careless = careless.replace("as_number(student.maths.estimate(1000))", "ratio(student)")
    careless += "\n\ndef ratio(student):\n    return 1 / (1 / student.maths.estimate(1000))\n"
    lab = home_with(maths=MATHS.replace("return 4 * total", "return 4 * total * 1.0"),
                    suite__test_maths=careless)  # fmt: skip
    with GradingPool() as pool:
        bench = ValidationBench(lab, pool, ResultCache(tmp_path / "kept"))
        mutants = automatic_mutants(bench.reference)
        chosen = [mutant for mutant in mutants if mutant.after == "while k >= n:"]
        result = run_automatic(bench, mutants, chosen, {}, jobs=1, on_progress=print)
    assert not automatic_findings(result)[1].holds
    assert "ZeroDivisionError" in result.faults[0][1]


@needs_sandbox
def test_a_lab_is_validated_whole(home_with, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lab = home_with(maths=MATHS)
    plan = ValidationPlan(seeds=1, repeats=2, sample=6)
    heard = []
    result = validate(lab, plan, on_finding=heard.append)
    assert len(heard) == len(result.findings) == check_count(lab, plan)
    assert result.automatic.count == 6
    assert result.cpu_minutes > 0
    claims = {finding.claim: finding for finding in result.findings}
    assert claims["the reference earns full marks (seed 0)"].holds
    assert claims["2 runs under one key give the same score"].holds
    assert claims["the reference uses at most 50 % of every limit of CPU time"].holds
    assert claims["mutant triple is caught: double triples"].holds
    assert not result.sound
    unmade = "the skeleton, the notebook and the given files are as the reference makes them"
    assert "maths.py" in claims[unmade].detail
