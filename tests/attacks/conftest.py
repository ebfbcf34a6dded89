"""Every attack on every tier that this machine and user can have."""

import sys
from pathlib import Path

import pytest

from grader.catalogue import Catalogue
from grader.sandbox import Tier, available_tiers

HERE = Path(__file__).parent
sys.path.append(str(HERE))  # the rows are plain modules, which `table.py` reads too
pytest.register_assert_rewrite("hostile.ground")

from hostile import ground as _ground  # noqa: E402
from table import rows  # noqa: E402

# A plain process (tier 4) is no place for hostile code.
TIERS = [tier for tier in available_tiers() if tier is not Tier.PROCESS]


def pytest_generate_tests(metafunc):
    """Give a file that names a family its rows, on each tier they can hold on."""
    if "attack" not in metafunc.fixturenames:
        return
    attacks = rows(metafunc.module.FAMILY)
    metafunc.parametrize("attack", attacks, ids=[attack.name for attack in attacks])
    metafunc.parametrize(
        "ground",
        TIERS or [None],
        ids=[f"tier{int(tier)}" for tier in TIERS] or ["none"],
        indirect=True,
        scope="module",
    )


def pytest_collection_modifyitems(items):
    """Leave out the pairs of row and tier that the table says cannot hold."""
    items[:] = [item for item in items if not _excused(item)]


def _excused(item):
    values = item.callspec.params if hasattr(item, "callspec") else {}
    attack, tier = values.get("attack"), values.get("ground")
    return attack is not None and tier in getattr(attack, "not_on", ())


@pytest.fixture(scope="module")
def ground(request, grading_processes):
    """Give one tier to attack; when its last attack is over, honest work is graded right there."""
    labs = {
        "tiny": Catalogue(HERE.parent / "home").get("tiny"),
        "fnn": Catalogue(HERE.parents[1]).get("fnn"),
    }
    place = _ground.Ground(request.param, labs, grading_processes)
    try:
        yield place
        place.grades_honest_work()
    finally:
        place.close()
