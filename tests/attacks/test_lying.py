"""Values that lie: only exact plain values arrive, and each is compared for what it is."""

from hostile.family import pytestmark, test_attack_gains_nothing

FAMILY = "lying"

__all__ = ["FAMILY", "pytestmark", "test_attack_gains_nothing"]
