"""Forging the verdict: only what the trusted process has compared earns points."""

from hostile.family import pytestmark, test_attack_gains_nothing

FAMILY = "forging"

__all__ = ["FAMILY", "pytestmark", "test_attack_gains_nothing"]
