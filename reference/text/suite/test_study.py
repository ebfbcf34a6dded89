"""The study: what results.csv claims, whether it is what training gives, and what must hold.

A table and a `run_cell` that agrees with it can both be invented, and both can stand on a leak. So
claimed cells are compared with networks that the student's own training makes, and numbers count
only if a cell is honest on the texts of test_cell.py.
"""

from dataclasses import dataclass, replace

import pytest

from grader.suite import Study, require

METHODS = ("rnn", "transformer", "finetuned")
OTHERS = ("random_encoder",)  # may be in the table, and need not
ASKED = (10, 50, 200)
LARGEST, AFFORDABLE = 250, 50  # labels a class: of any cell, and of one that is fine-tuned again
SEEDS = 10
CELL_CPU_SECONDS = 90  # students are told 30: a slow machine must decide nothing
HONEST = {
    "rnn": (
        "test_a_cell_measures_what_training_gives[rnn]",
        "test_labels_of_test_are_not_trained_on[rnn]",
        "test_nothing_is_chosen_by_the_labels_of_test[rnn]",
    ),
    "transformer": (
        "test_a_cell_measures_what_training_gives[transformer]",
        "test_labels_of_test_are_not_trained_on[rnn]",
        "test_nothing_is_chosen_by_the_labels_of_test[transformer]",
    ),
    "finetuned": (
        "test_a_cell_measures_what_training_gives[finetuned]",
        "test_a_cell_measures_what_training_gives[random_encoder]",
        "test_labels_of_test_are_not_trained_on[finetuned]",
        "test_nothing_is_chosen_by_the_labels_of_test[finetuned]",
    ),
}


def read_value(factor, text):
    """Read a number of labels; AssertionError for one that cannot be run again."""
    value = int(text)
    require(1 <= value <= LARGEST, f"{value} labels a class")
    return value


STUDY = Study(
    required={**{method: set(ASKED) for method in METHODS}, **{name: set() for name in OTHERS}},
    read_value=read_value,
    lowest=0,
    highest=1,
    bounds="accuracies lie in [0, 1]",
    cell_cpu_seconds=CELL_CPU_SECONDS,
)


@dataclass(frozen=True)
class Renamed:
    """The submission, its table with the names that `Study` reads: a method is a factor."""

    submission: object
    most: int = LARGEST  # labels a class

    def table(self, path):
        """Return the rows with at most so many labels."""
        rows = []
        for row in self.submission.table(path):
            cells = {**row.cells, "factor": row.cells["method"], "value": row.cells["labels"]}
            if int(cells["value"]) <= self.most:
                rows.append(replace(row, cells=cells))
        return rows


@pytest.fixture(scope="module")
def public(reference, variant):
    """Give the term's texts as they are published, as run_cell gets them."""
    return reference.study.load_data(variant["study"])


# ------------------------------------------------------------------------------ reproducible

# How far the numbers of a cell may lie apart: the handout's number, 3 sqrt 2 times the largest
# spread of the reference over seeds, 0.05 with ten labels.
TOLERANCE = 0.15
# What is claimed for a seed that is not claimed is the mean of three others: it may be farther off.
SLACK = (1.0, 1.5)


def after_honesty(method):
    """Return a method for a test of claims: those of a cell that leaks are not counted."""
    needed = [f"test_cell.py::{name}" for name in HONEST[method]]
    return pytest.param(method, marks=pytest.mark.depends(*needed), id=method)


@pytest.mark.item("reproducible", weight=4)
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint(
    "results.csv must come from the run_cell you hand in, and run_cell from your from_scratch and "
    "finetune with the labels and the seed of the cell."
)
@pytest.mark.parametrize("method", [after_honesty(method) for method in METHODS])
def test_a_claimed_cell_comes_out_again(student, submission, measure_cell, public, rng, method):
    """Claim, run_cell and a network trained with the cell's settings agree, also at a new seed."""
    table = Renamed(submission, AFFORDABLE if method == "finetuned" else LARGEST)
    STUDY.read(Renamed(submission))  # a line that is wrong is told first
    cells = list(zip(STUDY.drawn(table, rng, method), SLACK, strict=False))
    cell, slack = cells[int(rng.integers(len(cells)))]

    def measure(cell):
        return measure_cell(student, method, cell.value, cell.seed, public)

    (trial,) = STUDY.trials(student, [cell], measure, public)
    require(trial.spread <= slack * TOLERANCE, str(trial))
    again = abs(trial.rerun - trial.measured)
    require(again <= TOLERANCE / 3, f"{trial}: run_cell does not use this training")


# ------------------------------------------------------------------------------ coverage


def claimed(method):
    """Return a method for a test that needs its claims to come out again: a table is no study."""
    needed = f"test_a_claimed_cell_comes_out_again[{method}]"
    return pytest.param(method, marks=pytest.mark.depends(needed), id=method)


@pytest.mark.item("coverage")
@pytest.mark.hint("results.csv: header method,labels,seed,metric,cpu_s; 10, 50, 200; >= 3 seeds.")
@pytest.mark.parametrize("method", [claimed(method) for method in METHODS])
def test_results_cover(submission, method):
    """results.csv has the asked numbers of labels, each with at least three seeds."""
    STUDY.require_covered(Renamed(submission), method)


@pytest.mark.item("coverage")
@pytest.mark.depends("test_a_claimed_cell_comes_out_again[rnn]")
@pytest.mark.hint("Write each cell once: a line a method, number of labels and seed.")
def test_no_cell_stands_twice(submission):
    """No cell of results.csv stands twice with different numbers."""
    found = {}
    for cell in STUDY.read(Renamed(submission)):
        key = cell.factor, cell.value, cell.seed
        require(found.setdefault(key, cell.metric) == cell.metric, f"{cell} stands twice")
    require(len(found) >= 9 * len(METHODS), f"only {len(found)} cells")


# ------------------------------------------------------------------------------ orderings


GAIN = 0.15  # the reference gains 0.46 on AG News and 0.41 on the stand-in


@pytest.mark.item("orderings", weight=2)
@pytest.mark.depends(*(f"test_a_claimed_cell_comes_out_again[{method}]" for method in METHODS))
@pytest.mark.hint("With ten labels a class a pretrained encoder is far ahead: does it get through?")
def test_pretraining_helps_where_labels_are_few(submission):
    """By means over seeds the fine-tuned encoder beats both others at 10 labels a class."""
    table = Renamed(submission)
    found = {method: STUDY.means(table, method) for method in METHODS}
    require(all(10 in means for means in found.values()), "10 labels a class are needed")
    for method in ("rnn", "transformer"):
        more = found["finetuned"][10] - found[method][10]
        require(more > GAIN, f"finetuned is {more:.3f} better than {method} at 10 labels a class")


@pytest.mark.item("orderings")
@pytest.mark.parametrize("method", [claimed(method) for method in METHODS])
@pytest.mark.hint("Twenty times the labels help every method: are they all trained on?")
def test_more_labels_help(submission, method):
    """By means over seeds 200 labels a class are better than 10."""
    means = STUDY.means(Renamed(submission), method)
    require({10, 200} <= means.keys(), "10 and 200 labels a class are needed")
    text = f"{method}: {means[10]:.3f} with 10 labels a class, {means[200]:.3f} with 200"
    require(means[200] > means[10] - 0.02, text)
