"""Reading secrets: nothing of the suite, the host or another student is within reach."""

from hostile.family import pytestmark, test_attack_gains_nothing

FAMILY = "reading"

__all__ = ["FAMILY", "pytestmark", "test_attack_gains_nothing"]
