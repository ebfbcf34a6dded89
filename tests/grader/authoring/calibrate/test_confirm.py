"""A change of text that moves no figure renews a calibration; one that moves a figure does not."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.authoring.calibrate import (
    Calibration,
    compare_runs,
    confirmed,
    load_calibration,
    save_calibration,
    with_added,
)
from grader.authoring.calibrate.calibration import Sample, VariantRuns, Wrong, measuring_digest
from grader.cli.main import cli
from grader.errors import AuthoringError
from grader.lab.catalogue import Catalogue
from grader.report.report import Environment
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[3] / "home"
TODAY = date(2026, 9, 7)
MEASURING, MATHS = "test_own.py::test_measures", "reference/tiny/maths.py"
SUITE = '''
import numpy as np
import pytest

from grader.suite import as_array


@pytest.mark.item("double")
def test_measures(student, rng, measured):
    """The sum of a doubled array."""
    measured("sum", np.sum(as_array(student.maths.double(rng.normal(size=4)), (4,))))


@pytest.mark.item("linear")
def test_quiet():
    """Records nothing."""


@pytest.mark.item("partial")
def test_silent():
    """Records nothing."""
'''

pytestmark = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)


def copy(home):
    """Return a copy of the tiny lab whose suite measures, and which is calibrated."""
    shutil.copytree(HOME, home)
    suite = home / "reference" / "tiny" / "suite"
    shutil.rmtree(suite)
    suite.mkdir()
    (suite / "test_own.py").write_text(SUITE)
    lab = Catalogue(home).get("tiny")
    runs = VariantRuns(
        variant=None, runs=2, tests=(MEASURING,), cpu_seconds_mean=0, cpu_seconds_max=0, figures={}
    )
    environment = Environment(grader="", python="", platform="", libraries={}, tier=1, tier_name="")
    calibration = Calibration(
        lab="tiny",
        made_on=TODAY,
        digest=measuring_digest(lab, {MEASURING}),
        suite_digest="",
        environment=environment,
        variants=(runs,),
    )
    save_calibration(lab, calibration)
    return lab


@pytest.fixture
def before(tmp_path):
    """The lab as it was calibrated."""
    return copy(tmp_path / "before")


@pytest.fixture
def edited(tmp_path):
    """Return a function that gives the lab with a text of one file replaced."""

    def edit(path, old, new):
        lab = copy(tmp_path / "after")
        file = lab.public.parents[1] / path
        assert file.read_text().count(old) == 1
        file.write_text(file.read_text().replace(old, new))
        return Catalogue(lab.public.parents[1]).get("tiny")

    return edit


def compare(lab, before, runs=2):
    return compare_runs(lab, before, load_calibration(lab), runs, jobs=2)


def test_another_way_to_write_the_same_renews_the_calibration(before, edited):
    lab = edited(MATHS, "return 2 * x", "return x * 2  # the same")
    old = load_calibration(lab)
    assert not old.fresh(lab)
    found = compare(lab, before)
    assert [one.number for one in found] == [0, 1]
    assert not any(one.differences for one in found)
    new = confirmed(lab, old, found, today=TODAY)
    assert new.fresh(lab)
    assert new.variants == old.variants
    (kept,) = new.confirmations
    assert (kept.on, kept.comparisons, kept.digest_before) == (TODAY, 2, old.digest)
    save_calibration(lab, new)
    assert load_calibration(lab) == new


@pytest.mark.parametrize(
    ("path", "old", "new", "difference"),
    [
        pytest.param(MATHS, "2 * x", "2.0001 * x", "sum was", id="value"),
        pytest.param(MATHS, "2 * x", "x[0] * 2", "passed, now failed", id="outcome"),
        pytest.param(
            "reference/tiny/suite/test_own.py", '"sum"', '"total"', "total was absent", id="name"
        ),
        pytest.param(
            "reference/tiny/suite/test_own.py", "size=4)", "size=4, scale=2)", "sum was", id="suite"
        ),
    ],
)
def test_a_figure_that_moves_is_told_and_renews_nothing(before, edited, path, old, new, difference):
    lab = edited(path, old, new)
    found = compare(lab, before, runs=1)
    assert any(difference in text for text in found[0].differences)
    with pytest.raises(ValueError, match="only what has been compared"):
        confirmed(lab, load_calibration(lab), found, today=TODAY)


def test_what_was_not_calibrated_is_no_measure(edited):
    lab = edited(MATHS, "2 * x", "3 * x")
    with pytest.raises(AuthoringError, match="--against"):
        compare(lab, lab)


def test_where_no_calibrated_test_is_left_nothing_is_confirmed(before, edited):
    lab = edited("reference/tiny/suite/test_own.py", "def test_measures", "def test_is_measured")
    with pytest.raises(AuthoringError, match="no test that was calibrated is left"):
        compare(lab, before)


OTHER = """
@pytest.mark.item("partial")
def test_other(student, rng, measured):
    \"\"\"The NAME of a doubled array.\"\"\"
    measured("NAME", np.sum(as_array(student.maths.double(rng.normal(size=4)), (4,))))
"""


def with_other(lab, name):
    """Give a lab one more measuring test, calibrated with the other."""
    file = lab.reference / "suite" / "test_own.py"
    file.write_text(file.read_text() + OTHER.replace("NAME", name))
    known = load_calibration(lab)
    tests = (MEASURING, "test_own.py::test_other")
    sample = Sample.of([1.0, 2.0], None)
    wrong = Wrong(name="mutants/none", title="none", figures={"sum": 1, name: 2}, lost=tests)
    (runs,) = known.variants
    runs = runs.model_copy(
        update={"tests": tests, "figures": {"sum": sample, name: sample}, "wrong": (wrong,)}
    )
    digest = measuring_digest(lab, set(tests))
    save_calibration(lab, known.model_copy(update={"digest": digest, "variants": (runs,)}))


def test_a_test_that_is_gone_takes_with_it_what_it_alone_measured(before, edited):
    with_other(before, "other")
    lab = edited(MATHS, "return 2 * x", "return x * 2  # the same")
    old = load_calibration(before)
    found = compare_runs(lab, before, old, 1)
    assert found[0].gone == {"test_own.py::test_other"}
    new = confirmed(lab, old, found, today=TODAY)
    assert new.fresh(lab)
    (runs,) = new.variants
    assert (runs.tests, set(runs.figures)) == ((MEASURING,), {"sum"})
    assert (runs.wrong[0].lost, set(runs.wrong[0].figures)) == ((MEASURING,), {"sum"})


def test_a_figure_that_a_test_that_is_gone_measured_too_has_moved(before, edited):
    with_other(before, "sum")
    lab = edited(MATHS, "return 2 * x", "return x * 2  # the same")
    found = compare_runs(lab, before, load_calibration(before), 1)
    assert found[0].differences == ("sum was measured by a test that is gone, too",)


@pytest.mark.parametrize(
    ("new", "code", "line"),
    [
        pytest.param("x + x", 0, "tiny: no figure has moved in 1 comparisons; renewed.", id="same"),
        pytest.param("x", 1, "Figures have moved; make the calibration anew", id="moved"),
    ],
)
def test_the_command_renews_the_file_or_says_what_moved(
    before, edited, monkeypatch, new, code, line
):
    lab = edited(MATHS, "2 * x", new)
    monkeypatch.setenv("GRADER_HOME", str(lab.public.parents[1]))
    against = str(before.public.parents[1])
    words = ["calibrate", "tiny", "--jobs", "1", "--confirm", "1", "--against", against]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == code, result.output
    assert line in result.output
    assert load_calibration(lab).fresh(lab) is (code == 0)


NEW_TEST = """
@pytest.mark.item("partial")
def test_silent(student, rng, measured):
    \"\"\"The largest of a doubled array.\"\"\"
    measured("NAME", np.max(as_array(student.maths.double(rng.normal(size=4)), (4,))))
"""


@pytest.fixture
def with_new_test(edited):
    """Return the calibrated lab, whose silent test measures a figure of this name now."""

    def edit(name):
        old = SUITE[SUITE.index('\n@pytest.mark.item("partial")') :]
        lab = edited("reference/tiny/suite/test_own.py", old, NEW_TEST.replace("NAME", name))
        known = load_calibration(lab)
        (runs,) = known.variants
        sums = {"sum": Sample.of([1.0, 2.0], None)}
        save_calibration(lab, known.model_copy(update={"variants": (_with(runs, sums),)}))
        return lab

    return edit


def _with(runs, figures):
    return runs.model_copy(update={"figures": figures})


def test_what_a_new_test_measures_is_added_by_as_many_runs(with_new_test):
    lab = with_new_test("largest")
    known = load_calibration(lab)
    made = []
    found = with_added(lab, known, on_run=lambda run, now: made.append((run.number, now)))
    (runs,) = found.variants
    assert runs.tests == (MEASURING, "test_own.py::test_silent")
    assert runs.figures["sum"] == known.variants[0].figures["sum"]
    assert len(set(runs.figures["largest"].values)) == 2
    assert found.fresh(lab)
    assert with_added(lab, found) == found
    assert {number for number, _ in made} == {0, 1}


def test_a_figure_that_old_tests_measure_cannot_be_added(with_new_test):
    lab = with_new_test("sum")
    with pytest.raises(AuthoringError, match="'sum' is measured by tests that were calibrated"):
        with_added(lab, load_calibration(lab))


def test_without_a_calibration_nothing_is_confirmed(before, monkeypatch):
    (before.reference / "calibration.json").unlink()
    monkeypatch.setenv("GRADER_HOME", str(before.public.parents[1]))
    result = CliRunner().invoke(cli, ["calibrate", "tiny", "--confirm", "1"])
    assert result.exit_code == 2
    assert "tiny has no calibration" in result.output
