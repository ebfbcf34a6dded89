"""Every attack on tier 2: namespaces, without control groups."""

from hostile.trial import on, test_attack_gains_nothing

from grader.sandbox import Tier

TIER = Tier.NAMESPACES

pytestmark = on(TIER, "bubblewrap")

__all__ = ["TIER", "pytestmark", "test_attack_gains_nothing"]
