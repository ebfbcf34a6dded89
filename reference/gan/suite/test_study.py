"""The study: what results.csv claims, whether it is what training gives, and what must hold.

A table and a `run_cell` that agrees with it can both be invented, and both can stand on a leak. So
claimed cells are compared with networks that the student's own training makes, and numbers count
only if a cell is honest on the data of test_cell.py.
"""

import math

import pytest

from grader.suite import Study, require

KINDS = ("saturating", "non_saturating", "lsgan", "wgan", "hinge", "clip", "penalty")
NAMES = ("kl", "reverse_kl", "pearson", "hellinger", "js", "gan")
REQUIRED = {
    "ring_kind": {"clip", "penalty"},
    "ring_critic_steps": {1, 3, 5},
    "ring_weight": {0.1, 10.0},
    "image_kind": {"non_saturating", "penalty"},
    "image_scale": {1.0, 4.0, 16.0},
    "divergence": {"kl", "reverse_kl"},
}
FACTORS = tuple(REQUIRED)
MAX_CRITIC_STEPS, MAX_WEIGHT, MAX_SCALE = 8, 1000.0, 100.0  # a re-run must be affordable
CELL_CPU_SECONDS = 60  # students are told 15: a slow machine must decide nothing
# What cells must be before a number of theirs counts; the first for each family of factors.
HONEST = ("test_a_cell_measures_what_training_makes", "test_the_seed_of_a_cell_decides_it")


def family(factor):
    """Return which training a factor belongs to."""
    return factor.partition("_")[0]


def read_value(factor, text):
    """Read the value of a factor; ValueError or AssertionError for one that cannot be re-run."""
    if factor in ("ring_kind", "image_kind", "divergence"):
        known = NAMES if factor == "divergence" else KINDS
        require(text in known, f"{factor} {text!r}")
        return text
    value = float(text)
    if factor == "ring_critic_steps":
        require(value == int(value), "a whole number of critic steps, please")
        require(1 <= value <= MAX_CRITIC_STEPS, f"{value:g} critic steps")
        return int(value)
    limit = MAX_WEIGHT if factor == "ring_weight" else MAX_SCALE
    require(0 <= value <= limit, f"{factor} {value:g}")
    return value


STUDY = Study(
    required=REQUIRED,
    read_value=read_value,
    lowest=0,
    highest=1e9,
    bounds="a coverage, an FID and a sigma are not below 0",
    cell_cpu_seconds=CELL_CPU_SECONDS,
)


@pytest.fixture(scope="module")
def public(reference, variant):
    """Give the term's data as they are published, as run_cell gets them."""
    return reference.study.load_data(variant["images"])


# ------------------------------------------------------------------------------ reproducible

# How far the three numbers of a cell may lie apart, as the handout says: differences, and for FID
# logarithms of ratios. 3 sqrt 2 times the reference's spread over seeds or more.
STEADY = {"ring": 0.25, "image": math.log(1.6), "divergence": 0.06}
ERRATIC = {"ring": 0.6, "image": math.log(6)}


def tolerance(cell):
    """Return how far the three numbers of a cell may lie apart."""
    kind = family(cell.factor)
    weights = cell.factor == "ring_weight" and cell.value > 0.5
    kinds = cell.factor == "image_kind" and cell.value != "penalty"
    kinds |= cell.factor == "ring_kind" and cell.value != "penalty"
    return (ERRATIC if weights or kinds else STEADY)[kind]


def spread(trial):
    """Return how far the farthest two of a trial's numbers lie apart, in the handout's measure."""
    numbers = [trial.claim.metric, trial.rerun, trial.measured]
    if family(trial.claim.factor) == "image":
        require(min(numbers) > 0, "an FID of 0")
        return math.log(max(numbers) / min(numbers))
    return trial.spread


# What is claimed for a seed that is not claimed is the mean of three others: it may be farther off.
SLACK = (1.0, 1.5)


def after_honesty(factor):
    """Return a factor for a test of claims: those of a cell that leaks are not counted."""
    measures, seeded = (f"test_cell.py::{name}" for name in HONEST)
    needed = (f"{measures}[{family(factor)}]", seeded)
    return pytest.param(factor, marks=pytest.mark.depends(*needed), id=factor)


@pytest.mark.item("reproducible", weight=2)
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint(
    "results.csv must come from the run_cell you hand in, and run_cell from your own training with "
    "the settings and the seed of the cell."
)
@pytest.mark.parametrize("factor", [after_honesty(factor) for factor in FACTORS])
def test_a_claimed_cell_comes_out_again(student, submission, measure_cell, public, rng, factor):
    """Claim, run_cell and a network of the cell's settings agree, also at a new seed."""
    cells = list(zip(STUDY.drawn(submission, rng, factor), SLACK, strict=False))
    cell, slack = cells[int(rng.integers(len(cells)))]

    def measure(cell):
        return measure_cell(student, factor, cell.value, cell.seed, public, rng)

    (trial,) = STUDY.trials(student, [cell], measure, public)
    require(spread(trial) <= slack * tolerance(cell), str(trial))


# ------------------------------------------------------------------------------ coverage


def claimed(factor):
    """Return a factor for a test that needs its claims to come out again: a table is no study."""
    needed = f"test_a_claimed_cell_comes_out_again[{factor}]"
    return pytest.param(factor, marks=pytest.mark.depends(needed), id=factor)


@pytest.mark.item("coverage")
@pytest.mark.hint(
    "results.csv: header factor,value,seed,metric,cpu_s, >= 3 values, >= 3 seeds each."
)
@pytest.mark.parametrize("factor", [claimed(factor) for factor in FACTORS])
def test_results_cover(submission, factor):
    """results.csv has the asked values of a factor, each with at least three seeds."""
    STUDY.require_covered(submission, factor)


@pytest.mark.item("coverage")
@pytest.mark.depends("test_a_claimed_cell_comes_out_again[divergence]")
@pytest.mark.hint("Write each cell once: a line a factor, value and seed.")
def test_no_cell_stands_twice(submission):
    """No cell of results.csv stands twice with different numbers."""
    STUDY.require_no_doubles(submission)


# ------------------------------------------------------------------------------ orderings


def means(submission, factor, values):
    """Return the means of these values of a factor, in order."""
    found = STUDY.means(submission, factor)
    require(set(values) <= found.keys(), "values that are asked for are missing")
    return [found[value] for value in values]


@pytest.mark.item("orderings")
@pytest.mark.depends("test_a_claimed_cell_comes_out_again[ring_kind]")
@pytest.mark.hint("Clipped weights give a critic that is nearly linear: is clip passed on?")
def test_a_penalty_covers_more_of_a_ring_than_clipping(submission):
    """By means over seeds a gradient penalty covers more of the ring than clipped weights."""
    penalty, clip = means(submission, "ring_kind", ("penalty", "clip"))
    require(penalty > clip, f"penalty {penalty:.3f}, clip {clip:.3f}")


@pytest.mark.item("orderings")
@pytest.mark.depends("test_a_claimed_cell_comes_out_again[ring_weight]")
@pytest.mark.hint(
    "A penalty of weight 10 leaves the critic no slope to tell modes: is it passed on?"
)
def test_a_heavy_penalty_covers_less_of_a_ring(submission):
    """By means over seeds a penalty of weight 10 covers less of the ring than one of 0.1."""
    light, heavy = means(submission, "ring_weight", (0.1, 10.0))
    require(light > heavy, f"weight 0.1 {light:.3f}, weight 10 {heavy:.3f}")


@pytest.mark.item("orderings")
@pytest.mark.depends("test_a_claimed_cell_comes_out_again[image_kind]")
@pytest.mark.hint("Compare the games by their own losses: is the kind passed on?")
def test_a_penalty_draws_better_images(submission):
    """By means over seeds FID with a gradient penalty is below two thirds of the non-saturating."""
    penalty, other = means(submission, "image_kind", ("penalty", "non_saturating"))
    require(penalty < other / 1.5, f"penalty {penalty:.3f}, non_saturating {other:.3f}")


@pytest.mark.item("orderings")
@pytest.mark.depends("test_a_claimed_cell_comes_out_again[image_scale]")
@pytest.mark.hint(
    "Labels of length 16 drown noise and pixels: is scale passed on to both networks?"
)
def test_deafening_labels_spoil_images(submission):
    """By means over seeds labels of length 16 give a larger FID than those of length 4."""
    heard, loud = means(submission, "image_scale", (4.0, 16.0))
    require(heard < loud, f"scale 4 {heard:.3f}, scale 16 {loud:.3f}")


@pytest.mark.item("orderings")
@pytest.mark.depends("test_a_claimed_cell_comes_out_again[divergence]")
@pytest.mark.hint(
    "kl punishes data that the Gaussian misses, reverse_kl samples where no data are."
)
def test_kl_fits_a_wider_gaussian_than_reverse_kl(submission):
    """By means over seeds kl fits a wider Gaussian to a mixture than reverse_kl."""
    wide, narrow = means(submission, "divergence", ("kl", "reverse_kl"))
    require(wide > narrow, f"kl {wide:.3f}, reverse_kl {narrow:.3f}")
