"""Every attack on tier 1: namespaces, and a control group and a user of its own."""

from hostile.trial import on, test_attack_gains_nothing

from grader.sandbox import Tier

TIER = Tier.FULL

pytestmark = on(TIER, "control groups")

__all__ = ["TIER", "pytestmark", "test_attack_gains_nothing"]
