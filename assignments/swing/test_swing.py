"""Public checks: beside predictions.csv, run ``python -m pytest test_swing.py``.

They look at the form of the file and of the source, not at what is right: nobody outside can.
"""

import csv
import importlib
import math
from pathlib import Path

import numpy as np
import pytest
from swing.files import COLUMNS, ID, PREDICTIONS

ROWS = 3_000
NAMES = [f"r{row:04}" for row in range(ROWS)]


def lines():
    """Return the file's lines as (line number, cells by column)."""
    if not PREDICTIONS.is_file():
        pytest.fail(f"there is no {PREDICTIONS}; the starter writes one", pytrace=False)
    with PREDICTIONS.open(newline="", encoding="utf-8-sig") as file:
        return list(enumerate(csv.DictReader(file), start=2))


def no_problem(problems):
    """Fail with the first few problems, if there are any."""
    if problems:
        pytest.fail("\n".join(problems[:5]), pytrace=False)


def test_columns():
    """The file has the columns that are asked for."""
    asked = [ID, *COLUMNS]
    wrong = [cells for _, cells in lines()[:1] if sorted(map(str, cells)) != sorted(asked)]
    no_problem([f"the header must be {','.join(asked)}" for _ in wrong])


def test_every_row_once():
    """Every row of the test is there, once, and no other."""
    seen = {}
    problems = []
    for number, cells in lines():
        name = cells.get(ID)
        if name in seen:
            problems.append(f"line {number}: {name} stands on line {seen[name]} too; keep one")
        seen[name] = number
    problems += [f"line {seen[name]}: there is no row {name}" for name in set(seen) - set(NAMES)]
    problems += [f"row {name} is missing" for name in NAMES if name not in seen]
    no_problem(problems)


def test_numbers():
    """Every prediction is a finite number."""
    no_problem([
        f"line {number}: {column} is {cells.get(column)!r}; write a number such as 12.5"
        for number, cells in lines()
        for column in COLUMNS
        if not is_number(cells.get(column))
    ])  # fmt: skip


def is_number(text):
    """Tell whether a cell holds a finite number."""
    try:
        return math.isfinite(float(text))
    except (TypeError, ValueError):
        return False


def test_source():
    """If the source is here, predict learns from few recordings and gives a number for each."""
    if not Path("swing/predict.py").is_file():
        return
    predict = importlib.import_module("swing.predict").predict
    rng = np.random.default_rng(0)
    readings = rng.normal(size=(48, 64)).astype(np.float32)
    labels = rng.uniform(4.0, 40.0, 48)
    found = predict({"readings": readings, "labels": labels}, {"readings": readings[:20]})
    assert isinstance(found, np.ndarray), "predict must return a NumPy array"
    assert found.shape in {(20,), (20, 1)}, f"shape {found.shape}, expected (20,)"
    assert np.isfinite(found).all(), "numbers must be finite"
