"""Bars are read with their mistakes named, and judge a figure as they say."""

import math

import pytest

from grader.errors import ManifestError
from grader.lab.bars import Bar, load_bars
from grader.lab.manifest import Assignment


@pytest.fixture
def assignment(tmp_path):
    """A lab of two variants."""
    return Assignment.model_validate(
        {
            "schema": 1,
            "slug": "lab",
            "title": "A lab",
            "limits": {"cpu_seconds": 1},
            "parts": [
                {"id": "one", "title": "One", "items": [{"id": "it", "title": "It", "points": 1}]}
            ],
            "files": [{"path": "lab/a.py"}],
            "variants": {"easy": {"n": 1}, "hard": {"n": 2}},
            "default_variant": "easy",
            "folder": tmp_path,
        }
    )


@pytest.fixture
def read(tmp_path, assignment):
    """Give a function that reads a bars file of this text."""

    def read(text):
        (tmp_path / "bars.toml").write_text(text)
        return load_bars(tmp_path / "bars.toml", assignment)

    return read


def mistakes(read, text):
    """Return key -> mend of each problem found."""
    with pytest.raises(ManifestError) as caught:
        read(text)
    assert all(problem.file.name == "bars.toml" for problem in caught.value.problems)
    return {problem.key: problem.mend for problem in caught.value.problems}


def make(**fields):
    return Bar.model_validate({"title": "error", "better": "lower", "full": 1e-4, **fields})


def test_a_lab_without_the_file_has_no_bars(tmp_path, assignment):
    assert load_bars(tmp_path / "bars.toml", assignment) == {}


def test_levels_may_differ_by_variant(read):
    bars = read(
        '[acc]\ntitle = "accuracy"\nbetter = "higher"\n'
        "full = { easy = 0.8, hard = 0.7 }\npartial = { easy = 0.6, hard = 0.5 }\ncredit = 0.25\n"
    )
    shares = [bars["acc"].judge(0.65, variant).share for variant in ("easy", "hard")]
    assert shares == [0.25, 0.25]
    shares = [bars["acc"].judge(0.75, variant).share for variant in ("easy", "hard")]
    assert shares == [0.25, 1.0]


def test_a_variant_that_a_bar_lacks_is_no_verdict():
    with pytest.raises(KeyError):
        make(full={"easy": 1.0}).judge(0.5, "hard")


@pytest.mark.parametrize(
    ("line", "key", "mend"),
    [
        pytest.param("full = true", "a.full", "expected a finite number", id="bool"),
        pytest.param("full = nan", "a.full", "expected a finite number", id="nan"),
        pytest.param("full = {}", "a.full", "at least 1", id="no-level"),
        pytest.param("full = { none = 1 }", "a.full.none", "known: easy, hard", id="no-variant"),
        pytest.param("full = 1\nmargin = 2", "a.margin", "is no key of a bar", id="unknown-key"),
        pytest.param("", "a.full", "is missing", id="missing"),
        pytest.param("full = 1\nfloor = 0.5", "a", "floor must be worse", id="floor-above-full"),
        pytest.param("full = 1\npartial = 1", "a", "partial must be worse", id="partial-is-full"),
        pytest.param("full = 1\npartial = 2\nfloor = 3", "a", "both partial and floor", id="both"),
        pytest.param("full = 1\ncredit = 0.5", "a", "credit without partial", id="credit-alone"),
        pytest.param("full = 1\npartial = 2\ncredit = 1", "a.credit", "less than 1", id="credit"),
        pytest.param('full = 0\nscale = "log10"', "a", "0 or less", id="log-of-zero"),
        pytest.param('full = 1\nscale = "log"', "a.scale", "log10", id="unknown-scale"),
        pytest.param(
            "full = 1\npartial = { easy = 2 }", "a", "other variants than full", id="two-tables"
        ),
    ],
)
def test_a_mistake_names_file_key_and_mend(read, line, key, mend):
    found = mistakes(read, f'[a]\ntitle = "error"\nbetter = "lower"\n{line}\n')
    assert mend in found[key]
    assert len(found) == 1


def test_a_bar_is_named_in_lower_case(read):
    found = mistakes(read, '[Acc]\ntitle = "x"\nbetter = "lower"\nfull = 1\n')
    assert "lower-case" in found["Acc"]


def test_what_is_no_toml_says_so(read):
    assert "is not valid TOML" in mistakes(read, "[a\n")[""]


@pytest.mark.parametrize(
    ("better", "value", "share"),
    [
        pytest.param("higher", 0.8, 1, id="at-the-bar"),
        pytest.param("higher", 0.799, 0, id="just-below"),
        pytest.param("lower", 0.8, 1, id="lower-at-the-bar"),
        pytest.param("lower", 0.801, 0, id="lower-just-above"),
    ],
)
def test_full_is_reached_at_the_bar(better, value, share):
    assert make(better=better, full=0.8).judge(value, None).share == share


@pytest.mark.parametrize("better", ["higher", "lower"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_earns_nothing(better, value):
    bar = make(better=better, full=0.8, partial=0.5 if better == "higher" else 0.9)
    assert bar.judge(value, None).share == 0


def test_partial_earns_half_unless_it_says_otherwise():
    assert make(partial=1e-3).judge(5e-4, None).share == 0.5
    assert make(partial=1e-3, credit=0.7).judge(5e-4, None).share == 0.7
    assert make(partial=1e-3).judge(1.1e-3, None).share == 0


def test_credit_grows_from_the_floor_on_the_scale():
    bar = make(floor=1e-2, scale="log10")
    assert bar.judge(1e-3, None).share == pytest.approx(0.5)
    assert bar.judge(1e-2, None).share == 0
    assert bar.judge(0.0, None).share == 1
    linear = make(better="higher", full=0.8, floor=0.6)
    assert linear.judge(0.65, None).share == pytest.approx(0.25)
    assert linear.judge(0.5, None).share == 0


def test_the_sentence_names_value_and_bar():
    assert make().judge(2e-3, None).why == "error: 0.002, the bar is 0.0001"


@pytest.mark.parametrize("scale", ["linear", "log10"])
def test_a_scale_can_be_undone(scale):
    bar = make(scale=scale)
    assert bar.off_scale(bar.on_scale(0.037)) == pytest.approx(0.037, rel=1e-12)
