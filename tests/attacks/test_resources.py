"""Resources: what a submission takes it gives back, and the walls hold."""

from hostile.family import pytestmark, test_attack_gains_nothing

FAMILY = "resources"

__all__ = ["FAMILY", "pytestmark", "test_attack_gains_nothing"]
