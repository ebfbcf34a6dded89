"""The public half of every lab."""

from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]


@pytest.fixture
def fnn_lab() -> Path:
    return HOME / "assignments" / "fnn"
