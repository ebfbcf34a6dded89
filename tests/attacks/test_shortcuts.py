"""Forbidden shortcuts: right numbers without the work that is asked for earn nothing."""

from hostile.family import pytestmark, test_attack_gains_nothing

FAMILY = "shortcuts"

__all__ = ["FAMILY", "pytestmark", "test_attack_gains_nothing"]
