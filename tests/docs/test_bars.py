"""The pages of the labs tell of the calibrations that are there."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = runpy.run_path(str(ROOT / "docs" / "bars.py"))


@pytest.mark.parametrize("page", SCRIPT["pages"](), ids=lambda page: page.stem)
def test_the_page_of_a_lab_tells_of_its_calibration(page):
    assert page.read_text(encoding="utf-8") == SCRIPT["page"](page), "run: python docs/bars.py"


@pytest.mark.parametrize("page", SCRIPT["pages"](), ids=lambda page: page.stem)
def test_a_lab_that_is_calibrated_shows_every_bar(page):
    table = SCRIPT["table"](page.stem)
    assert table in page.read_text(encoding="utf-8")
