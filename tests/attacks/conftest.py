"""Attacks on every tier that this machine and user can have.

What the confinement stops is tried on every tier, what the split alone stops on the best one: it
is the same code on all of them. Of attacks within a right solution the gate runs the tests that
these must lose. The whole product is for the nightly run.
"""

import sys
from pathlib import Path

import pytest

from grader.lab.catalogue import Catalogue
from grader.sandbox import best_tier

HERE = Path(__file__).parent
sys.path.append(str(HERE))  # the rows are plain modules, which `table.py` reads too
pytest.register_assert_rewrite("hostile.ground")

from hostile import ground as _ground  # noqa: E402
from hostile.attack import Wall  # noqa: E402
from table import every_row  # noqa: E402

BEST_TIER = best_tier()


def pytest_generate_tests(metafunc):
    """Give the file of a tier the rows of every family that can hold there."""
    if "attack" in metafunc.fixturenames:
        tier = metafunc.module.TIER
        attacks = [attack for _, attack in every_row() if tier not in attack.not_on]
        metafunc.parametrize("attack", [row(attack, tier) for attack in attacks])
    if "attack_within_the_right" in metafunc.fixturenames:
        rows = [pytest.param(a, id=a.name) for _, a in every_row() if a.loses]
        metafunc.parametrize("attack_within_the_right", rows)


def row(attack, tier):
    """Return an attack as a parameter, marked if trying it on this tier is for the nightly run."""
    repeats = attack.loses or (attack.wall is Wall.SPLIT and tier is not BEST_TIER)
    return pytest.param(attack, id=attack.name, marks=[pytest.mark.nightly] if repeats else [])


@pytest.fixture(scope="module")
def ground(request, grading_processes):
    """Give a file's tier to attack; after its last attack honest work is graded right there."""
    labs = {
        "tiny": Catalogue(HERE / "home").get("tiny"),
        "fnn": Catalogue(HERE.parents[1]).get("fnn"),
    }
    place = _ground.Ground(request.module.TIER, labs, grading_processes)
    try:
        yield place
        place.grades_honest_work()
    finally:
        place.close()
