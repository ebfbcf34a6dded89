"""The public half of every lab, and a lab whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.whole_lab import HOME, WholeLab

from grader.grading import GradingPool


@pytest.fixture
def fnn_lab() -> Path:
    return HOME / "assignments" / "fnn"


@pytest.fixture(scope="module")
def whole(request) -> Iterator[WholeLab]:
    """The lab that a module names by its SLUG."""
    with GradingPool(jobs=1) as pool:
        yield WholeLab(request.module.SLUG, pool)
