"""Running automatic mutants: killed, surviving, endless; explained, stale; nothing run twice."""

import shutil
from pathlib import Path

import pytest

from grader.authoring.validate import Plan, check_count, validate
from grader.authoring.validate.automatic import (
    EXPLAINED_NAME,
    Explanation,
    Results,
    Runner,
    automatic_mutants,
    load_explained,
)
from grader.authoring.validate.automatic.aim import Aim
from grader.authoring.validate.checks import Bench, automatic_findings, run_automatic
from grader.errors import ManifestError
from grader.grading import GradingPool
from grader.lab.catalogue import Catalogue
from grader.report import Outcome
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[2] / "home"
KEY = b"k" * 32
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
    best_tier() is Tier.PROCESS, reason="needs bubblewrap: submissions run in a sandbox"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("automatic") / "home"
    shutil.copytree(HOME, home)
    (home / "reference" / "tiny" / "maths.py").write_text(MATHS)
    return Catalogue(home).get("tiny")


@pytest.fixture(scope="module")
def bench(lab):
    with GradingPool(jobs=2) as pool:
        yield Bench(lab, pool)


@pytest.fixture(scope="module")
def mutants(bench):
    return automatic_mutants(bench.reference)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("results") / "tiny.jsonl"


@pytest.fixture
def runner(lab, bench, file):
    costs = {test.id: test.cpu_seconds for test in bench.reference_report().tests}
    return Runner(
        lab, bench.reference, bench.first_loss, key=KEY, costs=costs, results=Results(file)
    )


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
def test_a_known_result_is_not_run_again(lab, bench, file, runner, mutants):
    mutant = the(mutants, "return 2 / x")
    first = runner.run(mutant)
    with file.open("a") as out:
        out.write('{"key": "cut o')  # what an interruption leaves
    idle = Runner(lab, bench.reference, None, key=KEY, costs={}, results=Results(file))
    assert idle.run(mutant) == first


@needs_sandbox
def test_every_run_is_charged(bench, mutants):
    start = bench.cpu_seconds
    report = bench.grade(bench.reference).report
    assert bench.cpu_seconds == pytest.approx(start + report.cpu_seconds)
    test = "test_maths.py::test_estimate"
    assert bench.outcomes(bench.reference, (test,)) == {test: Outcome.PASSED}
    between = bench.cpu_seconds
    found = bench.first_loss(the(mutants, "return 4 * x").apply(bench.reference), (test,))
    assert start + report.cpu_seconds < between < bench.cpu_seconds
    assert bench.cpu_seconds == pytest.approx(between + found.cpu_seconds)


def test_the_order_puts_killers_of_neighbours_and_cheap_tests_first(lab, bench, file, mutants):
    costs = {
        "test_maths.py::test_dear": 5.0,
        "test_maths.py::test_cheap": 0.1,
        "test_net.py::test_other": 0.1,
    }
    results = Results(file.with_name("no"))
    runner = Runner(lab, bench.reference, None, key=KEY, costs=costs, results=results)
    mutant = the(mutants, "return 4 * x")
    assert runner._order(mutant) == ("test_maths.py::test_cheap", "test_maths.py::test_dear")
    runner._results.kills = lambda path, function: {"test_maths.py::test_dear": 40}
    assert runner._order(mutant)[0] == "test_maths.py::test_dear"


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


def aim(lab):
    return Aim(lab, Bench(lab, None).reference)


def test_tests_are_aimed_at_the_modules_that_their_files_name(home_with):
    found = aim(home_with(maths=MATHS))
    assert found.files("tiny/maths.py") == ["test_maths.py"]
    assert found.files("tiny/net.py") == ["test_net.py"]


def test_a_module_that_imports_the_changed_one_is_tested_too(home_with):
    found = aim(home_with(net="from .maths import double\nfrom torch.nn import Linear\n"))
    assert found.files("tiny/maths.py") == ["test_maths.py", "test_net.py"]


def test_a_file_that_names_no_module_may_test_any(home_with):
    found = aim(home_with(suite__test_net="def test_it(anything):\n    pass\n"))
    assert "test_net.py" in found.files("tiny/maths.py")


def test_a_result_is_void_when_its_tests_change_and_only_then(home_with):
    before = aim(home_with(maths=MATHS)).digest("tiny/maths.py")
    other = home_with(maths=MATHS, net="from torch.nn import Linear\n")
    assert aim(other).digest("tiny/maths.py") == before
    other = (HOME / "reference/tiny/suite/test_maths.py").read_text().replace("0.1", "0.2")
    stricter = home_with(maths=MATHS, suite__test_maths=other)
    assert aim(stricter).digest("tiny/maths.py") != before


@needs_sandbox
def test_survivors_are_listed_unless_they_are_explained(bench, file, mutants, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(file.parent))
    chosen = [the(mutants, text) for text in ("return 2 / x", "return 4 * x", "return 2 * x")]
    whys = {
        chosen[1].name: "never reached",
        chosen[0].name: "is killed all the same",
        "tiny/maths.py:gone:drop:00000000:1": "there was such a line",
    }
    explained = {name: Explanation(mutant=name, why=why) for name, why in whys.items()}
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
def test_what_a_bar_catches_by_chance_may_be_killed_or_survive(bench, file, mutants, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(file.parent))
    chosen = [the(mutants, text) for text in ("return 2 / x", "return 4 * x")]
    explained = {
        one.name: Explanation(mutant=one.name, why="near a bar", by_chance=True) for one in chosen
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
    assert load_explained(lab) == {"a": Explanation(mutant="a", why="b")}
    file.write_text('[[equivalent]]\nmutant = "a"\nwhy = "b"\n' * 2)
    with pytest.raises(ManifestError, match="twice"):
        load_explained(lab)
    file.write_text('[[equivalent]]\nmutant = "a"\n')
    with pytest.raises(ManifestError, match=r"equivalent\.0\.why"):
        load_explained(lab)


@needs_sandbox
def test_a_suite_that_a_mutant_makes_fail_is_told(home_with, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    careless = (HOME / "reference/tiny/suite/test_maths.py").read_text()
    careless = careless.replace("as_number(student.maths.estimate(1000))", "ratio(student)")
    careless += "\n\ndef ratio(student):\n    return 1 / (1 / student.maths.estimate(1000))\n"
    lab = home_with(maths=MATHS.replace("return 4 * total", "return 4 * total * 1.0"),
                    suite__test_maths=careless)  # fmt: skip
    with GradingPool() as pool:
        bench = Bench(lab, pool)
        mutants = automatic_mutants(bench.reference)
        chosen = [mutant for mutant in mutants if mutant.after == "while k >= n:"]
        result = run_automatic(bench, mutants, chosen, {}, jobs=1, on_progress=print)
    assert not automatic_findings(result)[1].holds
    assert "ZeroDivisionError" in result.faults[0][1]


@needs_sandbox
def test_a_lab_is_validated_whole(home_with, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lab = home_with(maths=MATHS)
    plan = Plan(seeds=1, repeats=2, sample=6)
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
