"""What attacks within a right solution must lose, on this machine's best tier.

The nightly run grades the same attacks whole, and looks at what they earn, say and leave.
"""

import pytest

from grader.sandbox import Tier, best_tier

TIER = best_tier()

pytestmark = [
    pytest.mark.skipif(TIER is Tier.PROCESS, reason="needs Landlock: no place for hostile code"),
    pytest.mark.timeout(300),
]


def test_an_attack_within_the_right_loses_what_it_must(attack_within_the_right, ground):
    ground.keeps_back_what_is_lost(attack_within_the_right)
