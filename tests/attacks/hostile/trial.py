"""What every file of attacks holds: the test that each row of its family goes through."""

import pytest

from grader.sandbox import Tier, best_tier

pytestmark = [
    pytest.mark.skipif(
        best_tier() is Tier.PROCESS, reason="needs bubblewrap: it runs nowhere else"
    ),
    pytest.mark.timeout(300),
]


def test_attack_gains_nothing(attack, ground):
    """A row earns, leaks and leaves nothing."""
    ground.withstands(attack)
