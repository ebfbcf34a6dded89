"""Claims about a lab's files: each is told with its file and what differs."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.authoring.validate.checks import (
    bars_are_proven,
    limits_leave_room,
    signatures_agree,
    skeleton_is_generated,
)
from grader.lab.catalogue import Catalogue

HOME = Path(__file__).parents[2] / "home"
REFERENCE = '''"""A module."""

LIMIT = 3


# BEGIN SOLUTION
def helper(x):
    return x


# END SOLUTION


def double(x: int, *, scale: float = 2.0) -> float:
    """Return scale x."""
    # BEGIN SOLUTION
    def inner(y):
        return scale * y

    return inner(helper(x))
    # END SOLUTION


def estimate(n):
    """Estimate."""
    # BEGIN SOLUTION
    return n
    # END SOLUTION


class Net(dict):
    """A net."""

    def forward(self, x, /, y=(1, 2), **rest):
        """Return x."""
        # BEGIN SOLUTION
        return x
        # END SOLUTION
'''
SKELETON = '''"""A module."""


def double(x, *, scale: "a number" = 2.0):
    raise NotImplementedError


def estimate(n):
    raise NotImplementedError


class Net(dict):
    def forward(self, x: int, /, y=(1, 2), **rest):
        raise NotImplementedError
'''


@pytest.fixture
def found(tmp_path):
    """Return a function that compares the reference with a skeleton's text."""

    def compare(*changes):
        home = tmp_path / "home"
        shutil.copytree(HOME, home)
        text = SKELETON
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (home / "reference/tiny/maths.py").write_text(REFERENCE)
        (home / "assignments/tiny/tiny/maths.py").write_text(text)
        shutil.copy(home / "reference/tiny/net.py", home / "assignments/tiny/tiny/net.py")
        return signatures_agree(Catalogue(home).get("tiny"))

    return compare


def test_annotations_and_helpers_are_no_part_of_a_signature(found):
    finding = found()
    assert finding.holds, finding.detail


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("2.0", "3.0", "double(x, *, scale=3.0), in the reference", id="default"),
        pytest.param("x, *, scale", "x, scale", "double(x, scale=2.0)", id="kind"),
        pytest.param("double(x", "double(z", "double(z, *,", id="name"),
        pytest.param("estimate(n)", "estimate(n, m)", "estimate(n, m)", id="more"),
        pytest.param("def estimate", "def guess", "the reference has no guess", id="unknown"),
        pytest.param("def estimate", "def guess", "the skeleton has no estimate", id="missing"),
        pytest.param("x: int, /, y", "x: int, y", "Net.forward(self, x, y=", id="method"),
        pytest.param("Net(dict)", "Net(list)", "class Net(list)", id="bases"),
    ],
)
def test_a_difference_is_told_with_its_file(found, old, new, told):
    finding = found((old, new))
    assert not finding.holds
    assert "tiny/maths.py: " in finding.detail and told in finding.detail


def test_a_skeleton_that_is_no_python_is_told(found):
    assert not found(("def estimate(n):", "def estimate(n:")).holds


BAR = '[accuracy]\ntitle = "test accuracy"\nbetter = "higher"\nfull = 0.8\n'


@pytest.mark.parametrize(
    ("bars", "told"),
    [
        pytest.param(None, "", id="none"),
        pytest.param(BAR, "no calibration", id="not-calibrated"),
        pytest.param(BAR.replace("higher", "up"), "bars.toml", id="wrong"),
    ],
)
def test_a_bar_without_its_calibration_is_told(tmp_path, bars, told):
    shutil.copytree(HOME, tmp_path / "home")
    if bars:
        (tmp_path / "home/reference/tiny/bars.toml").write_text(bars)
    finding = bars_are_proven(Catalogue(tmp_path / "home").get("tiny"))
    assert finding.holds == (not told)
    assert told in finding.detail


def test_a_public_folder_that_is_not_as_the_reference_makes_it_is_told(tmp_path):
    home = tmp_path / "home"
    shutil.copytree(HOME, home)
    (home / "reference/tiny/maths.py").write_text(REFERENCE)
    finding = skeleton_is_generated(Catalogue(home).get("tiny"))
    assert not finding.holds
    assert "tiny/maths.py differs" in finding.detail
    (home / "reference/tiny/maths.py").write_text("# BEGIN SOLUTION\n")
    finding = skeleton_is_generated(Catalogue(home).get("tiny"))
    assert "maths.py:1" in finding.detail


@pytest.mark.parametrize(
    ("shares", "run", "told"),
    [
        pytest.param((0.1, 0.5), 10, "50 %: test_a.py::test_large", id="room"),
        pytest.param((0.1, 0.2), 80, "80 %: all tests together (variant high)", id="the-run"),
        pytest.param((0.6, 0.9), 1, "90 %: test_a.py::test_large", id="two-tests"),
    ],
)
def test_a_limit_that_the_reference_nearly_reaches_is_told(make_report, shares, run, told):
    plain = make_report(cpu_seconds=1)
    tests = [
        test.model_copy(update={"cpu_share": share})
        for test, share in zip(plain.tests, shares, strict=False)
    ]
    reports = {None: make_report(cpu_seconds=1, tests=tests), "high": make_report(cpu_seconds=run)}
    limits = SimpleNamespace(cpu_seconds=100)
    bench = SimpleNamespace(
        lab=SimpleNamespace(assignment=SimpleNamespace(limits=limits)),
        reference_report=lambda seed, variant: reports[variant],
    )
    finding = limits_leave_room(bench, [None, "high"])
    assert finding.holds is (max(*shares, run / 100) <= 0.5)
    lines = finding.detail.splitlines()
    assert lines[0] == told
    assert len(lines) == max(1, sum(share > 0.5 for share in (*shares, run / 100)))


def test_room_is_not_claimed_of_a_run_that_failed(faulty_report):
    bench = SimpleNamespace(reference_report=lambda seed, variant: faulty_report)
    finding = limits_leave_room(bench, [None])
    assert not finding.holds and "did not start" in finding.detail
