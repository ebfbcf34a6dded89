"""With a cache a pool runs only the tests whose results are not known, and reports as without."""

import os

import pytest

from grader.authoring import reference_submission, skeleton_submission
from grader.grading import GradingPool, ResultCache
from grader.lab.catalogue import Catalogue
from grader.report import Outcome, RunStatus
from grader.sandbox import Tier, best_tier

KEY = b"k" * 32

pytestmark = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)


@pytest.fixture
def cache(tmp_path):
    return ResultCache(tmp_path / "results")


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    later = file.stat().st_mtime_ns + 1_000_000
    os.utime(file, ns=(later, later))


def grade(pool, lab, submission):
    graded = pool.grade(lab, submission, key=KEY)
    assert graded.report.status is RunStatus.GRADED, graded.report.fault
    return graded


def cached(report):
    return {test.id.partition("::")[2] for test in report.tests if test.cached}


def core(report):
    """Return what must be the same, however a report came about."""
    own = {"cached", "wall_seconds", "cpu_seconds", "cpu_share"}
    tests = [test.model_dump(exclude=own) for test in report.tests]
    rest = report.model_dump(
        exclude={"tests", "started_at", "cpu_seconds", "wall_seconds", "suite_digest"}
    )
    return tests, rest


def test_what_is_known_is_not_run_again(lab, home, cache):
    suite = home / "reference" / "tiny" / "suite" / "test_maths.py"
    edit(suite, "student, credit):", "student, credit, figure):")
    edit(suite, "credit(1.0", "figure('curve', 'A curve')\n    credit(1.0")
    right, empty = reference_submission(lab), skeleton_submission(lab)
    with GradingPool(cache=cache) as pool:
        first, zero = grade(pool, lab, right), grade(pool, lab, empty)
        assert cached(first.report) == cached(zero.report) == set()
    with GradingPool(cache=cache) as pool:
        again, zero_again = grade(pool, lab, right), grade(pool, lab, empty)
        assert not pool._servers._servers  # nobody was asked
        edit(home / "assignments" / "tiny" / "assignment.toml", "points = 4", "points = 6")
        dearer = grade(pool, Catalogue(home).get("tiny"), right).report
        assert not pool._servers._servers
    assert len(cached(again.report)) == len(again.report.tests) == 5
    assert core(again.report) == core(first.report)
    assert again.artifacts == first.artifacts != {}
    assert core(zero_again.report) == core(zero.report)
    assert [t.outcome for t in zero.report.tests][-1] is Outcome.MISSING  # blocked, and known so
    assert again.report.cpu_seconds == 0
    assert (dearer.score, dearer.max_score) == (11, 11)

    edit(suite, "error < 0.01 else", "error < 1e-9 else")
    with GradingPool(cache=cache) as pool:
        changed = grade(pool, Catalogue(home).get("tiny"), right)
    assert {t.id.partition("::")[2] for t in changed.report.tests} - cached(changed.report) == {
        "test_estimate"
    }
    assert changed.report.score == 10
    assert changed.artifacts == first.artifacts


UNFIT = '''
import os
import pytest
from grader.suite import assert_matches


@pytest.mark.item("double")
def test_spends():
    """Passes."""


@pytest.mark.item("partial")
@pytest.mark.limits(cpu_seconds=0.2)
def test_times_out(student):
    """Never ends."""
    student.maths.estimate(10**12)


@pytest.mark.item("linear")
def test_skips():
    """Skips."""
    pytest.skip("no")
'''


def test_what_may_be_the_machines_doing_is_run_again(home, cache, monkeypatch):
    (home / "data" / "g").mkdir(parents=True)
    monkeypatch.setenv("GRADER_DATA", str(home / "data"))
    edit(home / "assignments" / "tiny" / "assignment.toml", "[limits]", 'data = ["g"]\n[limits]')
    lab = Catalogue(home).get("tiny")
    suite = home / "reference" / "tiny" / "suite"
    for file in suite.glob("test_*.py"):
        file.unlink()
    (suite / "test_own.py").write_text(UNFIT)
    with GradingPool(cache=cache) as pool:
        first = grade(pool, lab, reference_submission(lab)).report
        again = grade(pool, lab, reference_submission(lab)).report
    assert [t.outcome for t in first.tests] == [Outcome.PASSED, Outcome.TIMEOUT, Outcome.MISSING]
    assert [t.outcome for t in again.tests] == [t.outcome for t in first.tests]
    assert cached(again) == {"test_spends"}
    assert list(again.environment.data) == ["g"]
    assert again.environment == first.environment


def test_findings_come_along_with_results(home, cache):
    lab = Catalogue(home).get("scratch")
    cheating = reference_submission(lab)
    layers = next(f for f in cheating.files if f.path == "scratch/layers.py")
    cheat = b"\nimport torch.nn.functional as F\ndef conv2d(x, w):\n    return F.conv2d(x, w)\n"
    files = tuple(type(f)(f.path, f.content + cheat) if f is layers else f for f in cheating.files)
    cheating = type(cheating)("cheat", files)
    with GradingPool(cache=cache) as pool:
        first, again = (grade(pool, lab, cheating).report for _ in range(2))
    assert any(finding.how == "run" for finding in first.findings)
    assert again.findings == first.findings
    assert len(cached(again)) == len(again.tests)


def test_results_of_files_that_were_not_imported_are_not_kept(lab, cache):
    right = reference_submission(lab)
    files = tuple(
        type(f)(f.path, b"raise RuntimeError('no')\n") if f.path == "tiny/net.py" else f
        for f in right.files
    )
    broken = type(right)("broken", files)
    with GradingPool(cache=cache) as pool:
        first, again = (grade(pool, lab, broken).report for _ in range(2))
    assert cached(again) == set()
    assert again.messages == first.messages != ()


def test_a_weaker_sandbox_than_demanded_gets_nothing_from_the_cache(lab, cache):
    with GradingPool(cache=cache, tier=2) as pool:
        grade(pool, lab, reference_submission(lab))
    with GradingPool(cache=cache, tier=2, minimum_tier=1) as pool:
        report = pool.grade(lab, reference_submission(lab), key=KEY).report
    assert (report.status, report.score) == (RunStatus.GRADER_ERROR, None)
    assert "grader doctor" in report.fault


def test_missing_data_stop_a_run_at_its_start(lab, home, cache, monkeypatch):
    monkeypatch.delenv("GRADER_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    edit(home / "assignments" / "tiny" / "assignment.toml", "[limits]", 'data = ["g"]\n[limits]')
    needy = Catalogue(home).get("tiny")
    for pool in (GradingPool(), GradingPool(cache=cache)):
        with pool:
            report = pool.grade(needy, reference_submission(needy), key=KEY).report
            assert not pool._servers._servers
        assert (report.status, report.score) == (RunStatus.GRADER_ERROR, None)
        assert "not here: g" in report.fault
