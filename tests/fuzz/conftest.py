"""Fuzzing inside the ordinary tests: a bounded, repeatable number of executions."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.append(str(HERE))  # for the package `fuzzing`, which bench/fuzz.py uses too

from fuzzing.uploads import Intake  # noqa: E402


@pytest.fixture(scope="module")
def intake(tmp_path_factory):
    return Intake(tmp_path_factory.mktemp("fuzz"))
