"""One cell of the study: what it measures, and that nothing is chosen by what it measures.

Data are drawn for this submission. Seeds are, too, from the small numbers that people take: nothing
tells a run_cell that it is not asked for a cell of its table.
"""

import pytest
import torch

from grader.suite import expect_raises, require

SEEDS = 10  # seeds of cells are drawn below it
# Two sets of noise for one network: coverage of 2,000 samples differs by 0.01, FID of 1,500 beside
# grey noise by 0.3 per cent. Labels of length 4 in place of 40 change that FID by 8 per cent, a
# penalty beside clipped weights by 3 to 75, and one in a game of LSGAN by 8 to 40.
APART, TIMES, WIDE = 0.06, 1.025, 1e-3


def seed_of(rng):
    """Draw the seed of a cell."""
    return int(rng.integers(SEEDS))


def require_same(factor, claimed, measured):
    """Fail unless run_cell's number is that of the network that the student's training makes."""
    text = (
        f"{factor}: run_cell gives {claimed:.4g}, the network that your training makes with these "
        f"settings {measured:.4g}"
    )
    if factor.startswith("image_"):
        near = claimed > 0 and max(claimed / measured, measured / claimed) <= TIMES
    else:
        near = abs(claimed - measured) <= (APART if factor.startswith("ring_") else WIDE)
    require(near, text)


@pytest.fixture
def data(images, ring, mixture, as_data, rng):
    """Give data as run_cell gets them, drawn for the submission."""
    return as_data(images(rng, 1500), ring(rng), mixture(rng))


@pytest.mark.item("reproducible", weight=2)
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.parametrize(
    ("factor", "value"),
    [
        pytest.param(
            "ring_critic_steps", 2,
            marks=pytest.mark.hint("{**BASE, factor: value}, whatever it is, on data's points."),
            id="ring",
        ),
        pytest.param(
            "image_scale", 40.0,
            marks=pytest.mark.hint(
                "FID beside test_x of samples with the labels test_y, after the last step: no "
                "training image counts, and no step is chosen by it."
            ),
            id="image",
        ),
        pytest.param(
            "image_kind", "clip",
            marks=pytest.mark.hint("Only the kind penalty has a penalty; clip is wgan, clipped."),
            id="clip",
        ),
        pytest.param(
            "image_kind", "lsgan",
            marks=pytest.mark.hint("Only the kind penalty has a penalty: weight 0 for the others."),
            id="lsgan",
        ),
        pytest.param(
            "divergence", "hellinger",
            marks=pytest.mark.hint("fit_gaussian of samples, GAUSSIAN_STEPS steps, |sigma|."),
            id="divergence",
        ),
    ],
)  # fmt: skip
def test_a_cell_measures_what_training_makes(
    student, run_cell, measure_cell, data, rng, factor, value
):
    """On drawn data, at values that few sweep: run_cell's number is that of its network."""
    # Test images are grey noise. An untrained generator draws such images: who looks for the best
    # step on test finds the first, and who measures beside training images finds a small number.
    grey = torch.tensor(rng.normal(0, 0.05, data["test_x"].shape), dtype=torch.float32)
    cell = (factor, value, seed_of(rng), data | {"test_x": grey})
    require_same(factor, run_cell(student, *cell), measure_cell(student, *cell, rng))


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_a_cell_measures_what_training_makes")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint("The training's seed and the noise of samples both come from the cell's seed.")
def test_the_seed_of_a_cell_decides_it(student, run_cell, data, rng):
    """Equal seeds give equal numbers, other seeds others."""
    seed = seed_of(rng)
    first, again, other = (
        run_cell(student, "divergence", "js", s, data) for s in (seed, seed, seed + 1)
    )
    require(abs(first - again) < 1e-6, f"one seed gave {first} and {again}")
    require(other != first, "two seeds gave one number to the last digit")


@pytest.mark.item("reproducible", weight=0.5)
@pytest.mark.depends("test_a_cell_measures_what_training_makes")
@pytest.mark.hint("Raise ValueError for a factor that is not in BASE.")
def test_unknown_factors_are_refused(student, data):
    """An unknown factor raises ValueError."""
    with expect_raises(ValueError):
        student.study.run_cell("no such factor", 1, 0, data)
