"""A small lab calibrated whole: what is run, kept, refused, and what makes it stale."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.authoring.calibrate import (
    CalibrationPlan,
    Counts,
    bars_of,
    judge_bars,
    load_calibration,
    make_calibration,
    save_calibration,
    unproven_bars,
)
from grader.authoring.calibrate.calibration import CALIBRATION_NAME
from grader.authoring.calibrate.log import open_log
from grader.cli.main import cli
from grader.errors import AuthoringError, GradingError, ManifestError
from grader.lab.catalogue import Catalogue
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[3] / "home"
TODAY = date(2026, 9, 7)
RUNS = 30
KEY = ("variant", "solution", "submission", "number")  # of a run in the log

pytestmark = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)

# `noisy` is normal around the variant's level; `shared` does not see the variant.
SUITE = '''
import numpy as np
import pytest

from grader.suite import as_array

LONG_CPU_SECONDS = 20


def doubled(student, rng):
    x = rng.normal(size=4)
    found = as_array(student.maths.double(x), (4,))
    return float(np.sum(np.abs(found - 2 * x)))


@pytest.mark.item("double")
@pytest.mark.limits(cpu_seconds=3)
def test_noisy(student, rng, variant, bar, measured):
    """The noise."""
    off = doubled(student, rng)
    measured("off", off)
    bar("noisy", variant["level"] + rng.normal() / 10 - off)


@pytest.mark.item("double")
@pytest.mark.parametrize("factor", [1, 2])
def test_shared(student, rng, bar, factor):
    """The shared figure."""
    bar("shared", factor * (5 + rng.random()) + doubled(student, rng))


@pytest.mark.item("partial")
def test_silent():
    """Records nothing."""


@pytest.mark.item("linear")
def test_linear():
    """Records nothing either."""
'''
BARS = """
[noisy]
title = "a noisy figure"
better = "higher"
full = 2.0

[shared]
title = "a figure of two tests"
better = "lower"
full = 20.0
"""
VARIANTS = """default_variant = "low"

[limits]"""
MUTANT = """title = "double triples"
loses = "test_own.py::test_noisy"

[[replace]]
file = "tiny/maths.py"
old = "return 2 * x"
new = "return 3 * x"
"""


def lab_of(home, suite=SUITE, bars=BARS):
    """Copy the tiny lab to a folder: two variants, a suite that measures, and wrong solutions."""
    shutil.copytree(HOME, home)
    manifest = home / "assignments" / "tiny" / "assignment.toml"
    text = manifest.read_text().replace("[limits]", VARIANTS, 1)
    manifest.write_text(text + "\n[variants.low]\nlevel = 3\n\n[variants.high]\nlevel = 4\n")
    reference = home / "reference" / "tiny"
    shutil.rmtree(reference / "suite")
    (reference / "suite").mkdir()
    (reference / "suite" / "test_own.py").write_text(suite)
    (reference / "suite" / "test_other.py").write_text(OTHER)
    (reference / "bars.toml").write_text(bars)
    for folder, name, text in (
        ("mutants", "triples", MUTANT),
        ("baselines", "weak", MUTANT.replace('loses = "test_own.py::test_noisy"\n', "")),
    ):
        (reference / folder).mkdir(exist_ok=True)
        for old in (reference / folder).glob("*.toml"):
            old.unlink()
        (reference / folder / f"{name}.toml").write_text(text)
    return Catalogue(home).get("tiny")


OTHER = '''
import pytest


@pytest.mark.item("double")
def test_other():
    """Records nothing."""
'''


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A cache of the module's own, in which the log lies."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A course whose lab is calibrated; copy it before you change it."""
    home = tmp_path_factory.mktemp("course") / "home"
    lab_of(home)
    return home


@pytest.fixture(scope="module")
def made(home):
    """The calibration of that lab, the runs that were made for it, and their keys in the log."""
    lab = Catalogue(home).get("tiny")
    runs, keys = [], []

    def heard(run, now):
        runs.append((run.variant, run.solution, run.number, now))
        keys.append(run.key)

    calibration = make_calibration(
        lab, CalibrationPlan(RUNS, ("high", "low"), jobs=2), today=TODAY, on_run=heard
    )
    save_calibration(lab, calibration)
    return calibration, runs, keys


@pytest.fixture
def lab(home, made, tmp_path):
    """A copy of the calibrated lab, to be changed."""
    shutil.copytree(home, tmp_path / "home")
    return Catalogue(tmp_path / "home").get("tiny")


def test_every_run_has_its_own_inputs(made):
    calibration, *_ = made
    low = calibration.of("low")
    assert (low.runs, calibration.made_on) == (RUNS, TODAY)
    noisy = low.figures["noisy"]
    assert noisy.n == len(set(noisy.values)) == RUNS
    assert noisy.mean == pytest.approx(3, abs=0.1)
    assert noisy.sd == pytest.approx(0.1, rel=0.4)
    assert noisy.min == min(noisy.values) < noisy.quantiles["50%"] < max(noisy.values) == noisy.max


def test_of_several_tests_the_worst_figure_counts(made):
    shared = made[0].of("low").figures["shared"]
    assert min(shared.values) >= 10  # twice 5 and more; the better test measured 5 to 6


def test_what_is_only_measured_is_described_too(made):
    off = made[0].of("low").figures["off"]
    assert (off.bar, off.values) == (False, (0.0,) * RUNS)


def test_a_test_that_does_not_see_the_variant_is_run_in_the_default_one_alone(made):
    calibration, runs, _ = made
    assert set(calibration.of("low").figures) == {"noisy", "shared", "off"}
    assert set(calibration.of("high").figures) == {"noisy", "off"}
    assert calibration.of("high").rest_as == "low"
    assert calibration.sample("high", "shared") == calibration.sample("low", "shared")
    assert sum(variant == "high" for variant, *_ in runs) == RUNS + 1  # and the baseline


def test_wrong_solutions_are_measured_once(made):
    calibration, runs, _ = made
    low, high = calibration.of("low"), calibration.of("high")
    assert [wrong.name for wrong in low.wrong] == ["baselines/weak", "mutants/triples"]
    assert [wrong.name for wrong in high.wrong] == ["baselines/weak"]
    assert low.wrong[1].lost == ("test_own.py::test_noisy",)
    assert low.wrong[1].figures["noisy"] < 2
    assert set(low.wrong[0].figures) == {"noisy", "shared", "off"}
    assert sum(solution == "mutants/triples" for _, solution, *_ in runs) == 1


def test_bars_far_from_the_reference_are_accepted(lab):
    rows = {(row.variant, row.bar): row for row in judge_bars(lab, load_calibration(lab))}
    assert rows.keys() == {("low", "noisy"), ("low", "shared"), ("high", "noisy")}
    noisy = rows["low", "noisy"]
    assert noisy.assessment.counts is Counts.NORMAL
    assert noisy.assessment.accepted
    assert noisy.best.name in {"baselines/weak", "mutants/triples"}
    assert noisy.best.gap > 0
    assert noisy.passing == ()
    assert rows["low", "shared"].best is None
    assert rows["low", "shared"].passing == ("baselines/weak",)
    assert unproven_bars(lab) == []


def test_a_bar_that_is_moved_is_judged_anew_without_a_run(lab):
    bars = lab.reference / "bars.toml"
    bars.write_text(bars.read_text().replace("full = 2.0", "full = { low = 2.9, high = 2.0 }"))
    (objection,) = unproven_bars(lab)
    assert objection.startswith("noisy (low): the reference may miss 2.9")
    bars.write_text(bars.read_text().replace("full = 20.0", "full = { low = 20.0, high = 11.0 }"))
    assert [text.partition(":")[0] for text in unproven_bars(lab)] == [
        "shared (high)",
        "noisy (low)",
    ]


@pytest.mark.parametrize(
    ("path", "stale"),
    [
        pytest.param("reference/tiny/maths.py", True, id="the-reference"),
        pytest.param("reference/tiny/suite/test_own.py", True, id="a-test-that-measures"),
        pytest.param("reference/tiny/suite/conftest.py", True, id="what-tests-share"),
        pytest.param("assignments/tiny/tiny/__init__.py", True, id="a-given-file"),
        pytest.param("reference/tiny/suite/test_other.py", False, id="a-test-that-does-not"),
        pytest.param("reference/tiny/mutants/more.toml", False, id="a-mutant"),
        pytest.param("assignments/tiny/README.md", False, id="the-handout"),
    ],
)
def test_only_what_a_measuring_test_sees_makes_it_stale(lab, path, stale):
    file = lab.public.parents[1] / path
    file.write_text((file.read_text() if file.exists() else "") + "\nanother = 1\n")
    found = unproven_bars(lab)
    assert bool(found) is stale
    assert not stale or "has changed since" in found[0]


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        pytest.param("Records nothing.", "Tells nothing.", False, id="another-test"),
        pytest.param('@pytest.mark.item("partial")', '@pytest.mark.item("sum")', False, id="mark"),
        pytest.param("The shared figure.", "A figure.", True, id="the-test-itself"),
        pytest.param("rng.normal(size=4)", "rng.normal(size=5)", True, id="a-helper"),
        pytest.param("LONG_CPU_SECONDS = 20", "LONG_CPU_SECONDS = 90", False, id="a-limit"),
        pytest.param("limits(cpu_seconds=3)", "limits(cpu_seconds=9)", False, id="a-tests-limit"),
    ],
)
def test_of_a_file_of_tests_only_those_that_measure_count(lab, old, new, stale):
    file = lab.reference / "suite" / "test_own.py"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    assert bool(unproven_bars(lab)) is stale


def test_a_key_that_no_test_sees_does_not_make_it_stale(lab):
    manifest = lab.public / "assignment.toml"
    text = manifest.read_text()
    other = text.replace('title = "Doubling"', 'title = "Twice"')
    manifest.write_text(other.replace("test_cpu_seconds = 2", "test_cpu_seconds = 4"))
    assert unproven_bars(Catalogue(lab.public.parents[1]).get("tiny")) == []
    manifest.write_text(text.replace("level = 3", "level = 5"))
    assert unproven_bars(Catalogue(lab.public.parents[1]).get("tiny")) != []


def test_a_variants_own_reference_makes_that_variant_alone_stale(lab, cache):
    own = lab.reference / "variants" / "high"
    own.mkdir(parents=True)
    (own / "answers.csv").write_bytes(b"1,2\n")
    (objection,) = unproven_bars(lab)
    assert objection.endswith("has changed since; run: grader calibrate tiny --variant high")
    ran = set()
    make_calibration(
        lab,
        CalibrationPlan(RUNS, ("high",), jobs=2),
        today=TODAY,
        on_run=lambda run, now: ran.add(run.variant) if now else None,
    )
    assert ran == {"high"}


def test_a_bar_that_nobody_asks_for_is_told(lab):
    bars = lab.reference / "bars.toml"
    bars.write_text(bars.read_text() + '\n[idle]\ntitle = "x"\nbetter = "lower"\nfull = 1\n')
    (objection,) = unproven_bars(lab)
    assert objection.startswith("idle: no test asked for it")


def test_a_lab_without_bars_needs_no_calibration():
    assert unproven_bars(Catalogue(HOME).get("tiny")) == []


def test_without_a_calibration_bars_are_unproven(lab):
    (lab.reference / CALIBRATION_NAME).unlink()
    assert unproven_bars(lab) == ["2 bars and no calibration; run: grader calibrate tiny"]


def test_a_file_of_another_form_says_so(lab):
    (lab.reference / CALIBRATION_NAME).write_text('{"schema_version": 2}')
    with pytest.raises(ManifestError, match="make it anew: grader calibrate tiny"):
        load_calibration(lab)


def test_what_was_run_is_not_run_again_and_a_torn_line_is(home, made, cache):
    lab = Catalogue(home).get("tiny")
    (log,) = (cache / "proctor" / "calibrate").glob("tiny-*.jsonl")
    # Other tests may have added runs of changed solutions: this one asks for none of them.
    whole = log.read_bytes().splitlines(keepends=True)
    lines = [line for line in whole if tuple(json.loads(line)[n] for n in KEY) in made[2]]
    torn = json.loads(lines[-1])
    log.write_bytes(b"".join(lines[:-1]) + lines[-1][:-20])
    again = []
    calibration = make_calibration(
        lab,
        CalibrationPlan(RUNS, ("high", "low"), jobs=2),
        today=TODAY,
        on_run=lambda run, now: (
            again.append((run.variant, run.solution, run.number)) if now else None
        ),
    )
    assert again == [(torn["variant"], torn["solution"], torn["number"])]
    assert calibration.variants == made[0].variants


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        pytest.param("reference/tiny/suite/test_other.py", True, id="a-file-that-measures-nothing"),
        pytest.param("reference/tiny/suite/test_new.py", True, id="a-new-file"),
        pytest.param("reference/tiny/bars.toml", True, id="the-bars"),
        pytest.param("reference/tiny/mutants/more.toml", True, id="a-mutant"),
        pytest.param("reference/tiny/suite/test_own.py", False, id="a-file-with-a-bar"),
        pytest.param("reference/tiny/suite/conftest.py", False, id="what-tests-share"),
        pytest.param("reference/tiny/maths.py", False, id="the-reference"),
        pytest.param("assignments/tiny/tiny/__init__.py", False, id="a-given-file"),
    ],
)
def test_the_log_outlives_what_no_measuring_test_sees(lab, made, path, kept):
    file = lab.public.parents[1] / path
    file.write_text((file.read_text() if file.exists() else "") + "\nanother = 1\n")
    log = open_log(lab)
    known = [log.find(key) is not None for key in made[2]]
    assert all(known) if kept else not any(known)


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        pytest.param("Records nothing.", "Tells nothing.", True, id="another-test-of-the-file"),
        pytest.param("The shared figure.", "A figure.", False, id="a-test-with-a-bar"),
        pytest.param("def test_silent():", "def test_silent(bar):", False, id="another-asks-now"),
        pytest.param("limits(cpu_seconds=3)", "limits(cpu_seconds=9)", True, id="a-limit"),
    ],
)
def test_the_log_outlives_other_tests_of_a_file_with_a_bar(lab, made, old, new, kept):
    file = lab.reference / "suite" / "test_own.py"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    log = open_log(lab)
    assert all((log.find(key) is not None) is kept for key in made[2])


def test_of_solutions_only_one_that_has_changed_is_run_again(lab, made):
    (lab.reference / "suite" / "test_other.py").write_text(OTHER.replace("nothing", "no figure"))
    weak = lab.reference / "baselines" / "weak.toml"
    weak.write_text(weak.read_text().replace("return 3 * x", "return 4 * x"))
    ran = []
    calibration = make_calibration(
        lab,
        CalibrationPlan(RUNS, ("high", "low"), jobs=2),
        today=TODAY,
        on_run=lambda run, now: ran.append((run.variant, run.solution)) if now else None,
    )
    assert sorted(ran) == [("high", "baselines/weak"), ("low", "baselines/weak")]
    assert calibration.of("low").figures == made[0].of("low").figures
    assert calibration.of("low").wrong[0] != made[0].of("low").wrong[0]


def test_a_test_that_measures_without_a_word_of_it_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hidden = SUITE.replace("def test_silent():", "def test_silent(request):").replace(
        '"""Records nothing."""',
        '"""A figure."""\n    request.getfixturevalue("ba" + "r")("noisy", 3)',
    )
    lab = lab_of(tmp_path / "home", suite=hidden)
    with pytest.raises(AuthoringError, match="test_silent records a figure, but"):
        make_calibration(lab, CalibrationPlan(RUNS, ("low",)), today=TODAY)


def test_one_variant_keeps_the_others(lab, made):
    only_low = make_calibration(
        lab, CalibrationPlan(RUNS, ("low",), jobs=2), today=date(2027, 1, 1)
    )
    assert only_low.of("high") == made[0].of("high")
    assert only_low.of("low").figures == made[0].of("low").figures


@pytest.mark.parametrize("variants", [("high", "low"), ("low",), ("high",)])
def test_as_many_runs_are_told_as_were_announced(lab, made, variants):
    announced, ended = [], []
    make_calibration(
        lab,
        CalibrationPlan(RUNS, variants, jobs=2),
        today=TODAY,
        on_start=announced.append,
        on_run=lambda run, now: ended.append(run),
    )
    assert announced == [len(ended)]


def test_a_fault_of_the_suite_stops_it(tmp_path):
    lab = lab_of(tmp_path / "home", suite=SUITE.replace('"noisy"', '"none"'))
    with pytest.raises(GradingError, match="no bar 'none'"):
        make_calibration(lab, CalibrationPlan(RUNS, ("low",)), today=TODAY)


def test_an_unknown_baseline_is_told(lab):
    with pytest.raises(AuthoringError, match="no baseline 'strong'; known: weak"):
        make_calibration(lab, CalibrationPlan(RUNS, ("low",), ("strong",)), today=TODAY)


def test_the_command_writes_table_pictures_and_file(lab, monkeypatch):
    monkeypatch.setenv("GRADER_HOME", str(lab.public.parents[1]))
    result = CliRunner().invoke(cli, ["calibrate", "tiny", "--jobs", "2"])
    assert result.exit_code == 0, result.output
    assert re.search(r":\) +noisy +low", result.output) and ":(" not in result.output
    folder = lab.public.parents[1] / "docs" / "labs" / "tiny"
    pictures = {file.name: file.read_text() for file in folder.glob("*.svg")}
    assert set(pictures) == {f"{name}.svg" for name in bars_of(lab)}
    assert "a noisy figure" in pictures["noisy.svg"]
    assert max(map(len, pictures.values())) < 100_000
    bars = lab.reference / "bars.toml"
    bars.write_text(bars.read_text().replace("full = 2.0", "full = 3.0"))
    result = CliRunner().invoke(cli, ["calibrate", "tiny"])
    assert result.exit_code == 1
    assert re.search(r":\( +noisy +low", result.output) and re.search(r":\) +shared", result.output)
    assert ":( noisy (low): the reference may miss 3" in result.output
    assert "would be accepted" in result.output


def test_fewer_than_thirty_runs_are_refused(lab, monkeypatch):
    monkeypatch.setenv("GRADER_HOME", str(lab.public.parents[1]))
    result = CliRunner().invoke(cli, ["calibrate", "tiny", "--runs", "29"])
    assert result.exit_code == 2
    result = CliRunner().invoke(cli, ["calibrate", "tiny", "--variant", "none"])
    assert result.exit_code == 2 and "known: high, low" in result.output
