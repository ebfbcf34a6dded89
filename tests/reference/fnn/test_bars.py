"""The reference's runs prove fnn's bars, wrong solutions fall short, and the handout agrees."""

import ast
import json
import math
import re
from pathlib import Path

import pytest

from grader.authoring.calibrate import bars_of, judge_bars, load_calibration, variants_of
from grader.lab.catalogue import Catalogue

HOME = Path(__file__).parents[3]
REFERENCE = HOME / "reference" / "fnn"
TOLERANCES = {"usual": 0.5, "narrow or sigmoid": 1.0, "erratic": 1.5}  # the handout's


@pytest.fixture(scope="module")
def lab():
    return Catalogue(HOME).get("fnn")


@pytest.fixture(scope="module")
def rows(lab):
    return judge_bars(lab, load_calibration(lab))


def test_every_bar_is_proved_by_thirty_runs(lab, rows):
    assert {row.bar for row in rows} == bars_of(lab).keys()
    refused = [f"{row.bar} {row.variant}: {row.assessment.objection}" for row in rows]
    assert [found for found in refused if not found.endswith(": ")] == []
    assert min(row.assessment.n for row in rows) >= 30


def test_every_variant_has_its_own_runs_of_the_terms_function(lab):
    calibration = load_calibration(lab)
    for variant in variants_of(lab):
        assert {"term-mse", "term-error"} <= calibration.of(variant).figures.keys()


def test_wrong_solutions_fall_short_of_the_bars(rows):
    best = {row.bar: row.best for row in rows if row.variant == "sincos" and row.best}
    assert {"term-mse", "unseen-mse", "detail-mse", "left-by-one-step", "rerun"} <= best.keys()
    mutants = [b for b in best.values() if b.name.startswith("mutants/")]
    assert mutants and all(found.gap > 0 for found in mutants)


def test_the_suite_asks_for_every_bar_and_no_other(lab):
    asked = set()
    for file in (REFERENCE / "suite").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "bar":
                asked.add(ast.unparse(node.args[0]).strip("'\""))
    plain = {name for name in asked if "{" not in name}
    made = {f"{name}-{end}" for name in ("term", "unseen") for end in ("mse", "error")}
    assert plain | made == bars_of(lab).keys()


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_handout_names_the_bars(lab, name):
    text = (HOME / "assignments" / "fnn" / name).read_text(encoding="utf-8")
    bars = bars_of(lab)
    for kind in ("term", "unseen"):
        full, half = bars[f"{kind}-mse"].full_for(None), bars[f"{kind}-mse"].partial[""]
        assert re.findall(r"MSE <= (\S+)", text) == [f"{full:g}".replace("0.0001", "1e-4"), "1e-3"]
        assert half == 1e-3
        assert f"<= {bars[f'{kind}-error'].full_for(None):g} |" in text
    floor, full = bars["detail-mse"].floor[""], bars["detail-mse"].full_for(None)
    assert math.log10(floor) == pytest.approx(-1.5, abs=1e-3)
    assert math.log10(full) == -3
    assert "-1.5" in text and re.search(r"all at -3\.$|-3 得满分", text, re.MULTILINE)


def test_tolerances_of_a_rerun_are_wide_enough_for_another_machine():
    cells = json.loads((REFERENCE / "study_cells.json").read_text(encoding="utf-8"))
    found = []
    for variant in ("sincos", "log2cos"):
        for factor, values in cells[variant].items():
            for value, cell in values.items():
                if factor == "learning_rate" and float(value) >= 0.05:
                    allowed = TOLERANCES["erratic"]
                elif (factor == "width" and int(value) < 32) or value == "sigmoid":
                    allowed = TOLERANCES["narrow or sigmoid"]
                else:
                    allowed = TOLERANCES["usual"]
                found.append(3 * math.sqrt(2) * cell["rerun"] <= allowed)
    assert len(found) == 36 and all(found)


def test_networks_of_another_start_are_allowed_to_lie_far_enough_apart():
    cells = json.loads((REFERENCE / "study_cells.json").read_text(encoding="utf-8"))
    # The handout's; the suite takes the mean of two networks of four units.
    allowed = {"width": {"4": 2 * math.sqrt(2), "64": 2}, "learning_rate": {"0.0001": 2, "1.0": 3}}
    allowed |= {"activation": {"identity": 2}, "depth": dict.fromkeys("1234", 2)}
    for variant in ("sincos", "log2cos", "sin"):
        for factor, values in allowed.items():
            for value, most in values.items():
                assert 3.5 * math.sqrt(2) * cells[variant][factor][value]["sd"] <= most
