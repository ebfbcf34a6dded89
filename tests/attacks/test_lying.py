"""Values that lie: only exact plain values arrive, and each is compared for what it is."""

import pytest

from grader.sandbox import Tier, best_tier

FAMILY = "lying"

pytestmark = [
    pytest.mark.skipif(
        best_tier() is Tier.PROCESS, reason="needs bubblewrap: it runs nowhere else"
    ),
    pytest.mark.timeout(300),
]


def test_attack_gains_nothing(attack, ground):
    ground.withstands(attack)
