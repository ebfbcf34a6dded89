"""Fuzzing inside the ordinary tests: a bounded, repeatable number of executions."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.append(str(HERE))  # for the package `fuzzing`, which bench/fuzz.py uses too

from fuzzing.children import Nursery  # noqa: E402
from fuzzing.uploads import Intake  # noqa: E402


@pytest.fixture(scope="module")
def nursery():
    # For one file at a time: it stands in for a function of the engine, and not for threads.
    if not hasattr(os, "memfd_create"):
        pytest.skip("needs Linux: the intake's children are forked")
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="module")
def intake(nursery, tmp_path_factory):
    return Intake(tmp_path_factory.mktemp("fuzz"))
