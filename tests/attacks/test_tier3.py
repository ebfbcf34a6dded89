"""Every attack on tier 3: Landlock and seccomp alone."""

from hostile.trial import on, test_attack_gains_nothing

from grader.sandbox import Tier

TIER = Tier.LANDLOCK

pytestmark = on(TIER, "Landlock")

__all__ = ["TIER", "pytestmark", "test_attack_gains_nothing"]
