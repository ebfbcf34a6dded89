"""Reading secrets: nothing of the suite, the host or another student is within reach."""

import pytest

from grader.sandbox import Tier, best_tier

FAMILY = "reading"

pytestmark = [
    pytest.mark.skipif(
        best_tier() is Tier.PROCESS, reason="needs bubblewrap: it runs nowhere else"
    ),
    pytest.mark.timeout(300),
]


def test_attack_gains_nothing(attack, ground):
    ground.withstands(attack)
