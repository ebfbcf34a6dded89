"""Forbidden shortcuts: right numbers without the work that is asked for earn nothing."""

import pytest

from grader.sandbox import Tier, best_tier

FAMILY = "shortcuts"

pytestmark = [
    pytest.mark.skipif(
        best_tier() is Tier.PROCESS, reason="needs bubblewrap: it runs nowhere else"
    ),
    pytest.mark.timeout(300),
]


def test_attack_gains_nothing(attack, ground):
    ground.withstands(attack)
