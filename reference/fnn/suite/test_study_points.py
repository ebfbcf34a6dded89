"""The points of a cell: every seed draws its own, and none of them is trained on."""

import pytest

from grader.suite import as_number, require


@pytest.mark.item("reproducible", weight=0.5)
@pytest.mark.depends("test_study.py::test_a_claim_is_what_training_gives[activation]")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint("Draw the test points anew from the seed of the cell; train on none of them.")
def test_every_cell_is_measured_on_points_of_its_own(student, rng):
    """The best straight line is the same for every seed, its error on fresh points is not."""
    # A straight line ends where the points put it, whatever weights it began with. On a thousand
    # points of its own each cell's number has an sd of 0.012; on the training points, or always
    # the same others, none.
    seeds = [int(seed) for seed in rng.permutation(12)[:5]]
    with student.budget(cpu_seconds=18):
        found = [
            as_number(student.study.run_cell("activation", "identity", seed)) for seed in seeds
        ]
    require(max(found) - min(found) > 1e-3, f"five seeds gave {min(found):.5f} to {max(found):.5f}")
