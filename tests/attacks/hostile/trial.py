"""What the file of each tier holds: the test that every attack goes through there."""

import pytest

from grader.sandbox import Tier, available_tiers


def on(tier: Tier, need: str) -> list[pytest.MarkDecorator]:
    """Return the marks of a tier's file; `need` is what gives a machine this tier."""
    # A plain process (tier 4) is no place for hostile code.
    return [
        pytest.mark.skipif(
            tier not in available_tiers(),
            reason=f"needs {need}: this machine and user lack tier {int(tier)}",
        ),
        pytest.mark.timeout(300),
    ]


def test_attack_gains_nothing(attack, ground):
    """A row earns, leaks and leaves nothing."""
    ground.withstands(attack)
