"""The study: what a cell measures, what results.csv claims, and what must hold.

A table and a `run_cell` can both be invented. What a cell says is compared with a model that the
student's own `train` makes of the same settings; numbers count only if cells are honest.
"""

import pytest

from grader.suite import Study, expect_raises, require

BASE = {"latent": 8, "beta": 1.0}
REQUIRED = {"latent": {1, 2, 8}, "beta": {0.25, 1.0, 4.0}}
FACTORS = tuple(REQUIRED)
STEPS = 500  # of a cell, the handout's
MAX_LATENT, MAX_BETA = 64, 100.0  # a re-run must be affordable
CELL_CPU_SECONDS = 12  # students are told 2: a slow machine must decide nothing
# Equal seeds give equal numbers, up to rounding. Another seed moves the reference's cells by 0.5
# nats, 3 sqrt 2 standard deviations, or less; over images that are drawn anew it is the same.
SAME_SEED, OTHER_SEED = 0.01, 1.5


def read_value(factor, text):
    """Read the value of a factor; ValueError or AssertionError for one that cannot be re-run."""
    value = float(text)
    if factor == "beta":
        require(0 <= value <= MAX_BETA, f"beta {value:g}")
        return value
    require(value == int(value), "a whole number, please")
    require(1 <= value <= MAX_LATENT, f"latent {value:g}")
    return int(value)


STUDY = Study(
    required=REQUIRED,
    read_value=read_value,
    lowest=-1e6,
    highest=0.0,
    bounds="the log of a probability is at most 0",
    cell_cpu_seconds=CELL_CPU_SECONDS,
)


@pytest.fixture
def measure(student, reference, ours):
    """Give ``measure(factor, value, seed, data)``: the ELBO of what the student's train makes."""

    def number(factor, value, seed, data):
        settings = {**BASE, factor: value}
        with student.budget(cpu_seconds=CELL_CPU_SECONDS):
            model = student.model.train(data["train"], seed, STEPS, **settings)
            own = ours(model, data["train"].shape[1], settings["latent"], 64)
        return reference.model.evaluate(own, data["test"], seed)

    return number


# ------------------------------------------------------------------------------ reproducible


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_model.py::test_first_steps[base]")
@pytest.mark.limits(cpu_seconds=30)
@pytest.mark.hint("{**BASE, factor: value} for train; the ELBO of data's test images, beta 1.")
@pytest.mark.parametrize("factor", FACTORS)
def test_a_cell_measures_what_training_makes(student, measure, pictures, rng, factor):
    """A value that is in no sweep, on drawn images: run_cell's number is that of its model."""
    value = {"latent": int(rng.integers(3, 7)), "beta": float(rng.uniform(1.5, 3))}[factor]
    data, seed = pictures(rng, 1000).as_data(), int(rng.integers(10))
    claimed, found = (
        STUDY.run(student, factor, value, seed, data),
        measure(factor, value, seed, data),
    )
    require(
        abs(claimed - found) <= SAME_SEED,
        f"{factor}: run_cell gives {claimed:.3f}, the model that your training makes {found:.3f}",
    )


@pytest.mark.item("reproducible", weight=2)
@pytest.mark.limits(cpu_seconds=30)
@pytest.mark.hint("results.csv must come from the run_cell you hand in, with the seeds it names.")
@pytest.mark.parametrize(
    "factor",
    [
        pytest.param(
            name,
            marks=pytest.mark.depends(f"test_a_cell_measures_what_training_makes[{name}]"),
            id=name,
        )
        for name in FACTORS
    ],
)
def test_a_claim_is_what_training_gives(student, submission, measure, published, rng, factor):
    """A claim, its re-run and a model of train's agree, also at a seed that is not claimed."""
    cells = STUDY.drawn(submission, rng, factor)
    trials = STUDY.trials(
        student, cells, lambda cell: measure(factor, cell.value, cell.seed, published), published
    )
    for trial, allowed in zip(trials, (SAME_SEED, OTHER_SEED), strict=False):
        require(abs(trial.rerun - trial.measured) <= SAME_SEED, str(trial))
        require(trial.spread <= allowed, str(trial))


@pytest.mark.item("reproducible", weight=0.5)
@pytest.mark.depends("test_a_cell_measures_what_training_makes[latent]")
@pytest.mark.hint("Raise ValueError for a factor that is not in BASE.")
def test_unknown_factors_are_refused(student, pictures, rng):
    """An unknown factor raises ValueError."""
    with expect_raises(ValueError):
        student.study.run_cell("no such factor", 1, 0, pictures(rng, 200).as_data())


# ------------------------------------------------------------------------------ coverage


def claimed(factor):
    """Return a factor for a test that needs its claims to be true first: a table is no study."""
    needed = f"test_a_claim_is_what_training_gives[{factor}]"
    return pytest.param(factor, marks=pytest.mark.depends(needed), id=factor)


@pytest.mark.item("coverage")
@pytest.mark.hint(
    "results.csv: header factor,value,seed,metric,cpu_s, >= 3 values, >= 3 seeds each."
)
@pytest.mark.parametrize("factor", [claimed(factor) for factor in FACTORS])
def test_results_cover(submission, factor):
    """results.csv has the asked values of a factor, each with at least three seeds."""
    STUDY.require_covered(submission, factor)


@pytest.mark.item("coverage", weight=0.5)
@pytest.mark.depends("test_a_claim_is_what_training_gives[latent]")
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
@pytest.mark.depends("test_a_claim_is_what_training_gives[latent]")
@pytest.mark.hint("One number cannot say what eight can: is latent passed on?")
def test_one_number_says_less_than_eight(submission):
    """By means over seeds the ELBO grows from latent 1 to 2 and to 8."""
    one, two, eight = means(submission, "latent", (1, 2, 8))
    require(one < two < eight, f"latent 1 {one:.2f}, 2 {two:.2f}, 8 {eight:.2f}")


@pytest.mark.item("orderings")
@pytest.mark.depends("test_a_claim_is_what_training_gives[beta]")
@pytest.mark.hint("Train with beta, but report the ELBO itself: it is best where it was climbed.")
def test_the_bound_is_best_where_it_was_climbed(submission):
    """By means over seeds the ELBO is larger for beta 1 than for 0.25 and 4."""
    light, base, heavy = means(submission, "beta", (0.25, 1.0, 4.0))
    require(base > max(light, heavy), f"beta 0.25 {light:.2f}, 1 {base:.2f}, 4 {heavy:.2f}")
