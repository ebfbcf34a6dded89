"""A copy of the tests' own course, to be changed at will."""

import shutil
from pathlib import Path

import pytest

from grader.lab.catalogue import Catalogue

HOME = Path(__file__).parents[2] / "home"


@pytest.fixture
def home(tmp_path):
    shutil.copytree(HOME, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def lab(home):
    return Catalogue(home).get("tiny")
