"""Carrying hidden inputs out: students read no more than outcomes, points and hints."""

from hostile.family import pytestmark, test_attack_gains_nothing

FAMILY = "smuggling"

__all__ = ["FAMILY", "pytestmark", "test_attack_gains_nothing"]
