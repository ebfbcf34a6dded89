"""Forging the verdict: only what the trusted process has compared earns points."""

import pytest

from grader.sandbox import Tier, best_tier

FAMILY = "forging"

pytestmark = [
    pytest.mark.skipif(
        best_tier() is Tier.PROCESS, reason="needs bubblewrap: it runs nowhere else"
    ),
    pytest.mark.timeout(300),
]


def test_attack_gains_nothing(attack, ground):
    ground.withstands(attack)
