"""Public checks: beside predictions.csv, run ``python -m pytest test_wardrobe.py``.

They look at the form of the file and of the source, not at what is right: nobody outside can.
"""

import csv
import importlib
from pathlib import Path

import numpy as np
import pytest
from wardrobe.files import CLASSES, COLUMNS, ID, PREDICTIONS

ROWS = 10_000
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


def test_classes():
    """Every prediction is the name of a class."""
    no_problem([
        f"line {number}: {column} is {cells.get(column)!r}; write one of {', '.join(CLASSES)}"
        for number, cells in lines()
        for column in COLUMNS
        if cells.get(column) not in CLASSES
    ])  # fmt: skip


def test_source():
    """If the source is here, predict learns from few pictures and names two classes of each."""
    if not Path("wardrobe/predict.py").is_file():
        return
    predict = importlib.import_module("wardrobe.predict").predict
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (48, 32, 32), dtype=np.uint8)
    labels = np.sort(rng.permuted(np.tile(np.arange(10), (48, 1)), axis=1)[:, :2], axis=1)
    found = predict({"images": images, "labels": labels}, {"images": images[:20]})
    assert isinstance(found, np.ndarray), "predict must return a NumPy array"
    assert found.shape == (20, 2), f"shape {found.shape}, expected (20, 2)"
    assert np.isin(found, np.arange(10)).all(), "class numbers are whole, from 0 to 9"
