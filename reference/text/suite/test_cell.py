"""One cell of the study: what it measures, and that it learns from nothing that it measures.

The texts are drawn for this submission. Seeds are, too, from the small numbers that people take:
nothing tells a run_cell that it is not asked for a cell of its table.
"""

import numpy as np
import pytest
import torch

from grader.suite import as_tensor, assert_matches, expect_raises, require

METHODS = ("rnn", "transformer", "finetuned", "random_encoder")
SEEDS = 10  # seeds of cells are drawn below it
# A cell is what the docstring says, to the last draw of its seed: the reference's cells differ by
# nothing from our own measurement. One of 200 texts may lie between two classes up to rounding.
SAME = 0.006


def seeds(rng, count):
    """Draw different seeds of cells."""
    return [int(seed) for seed in rng.permutation(max(SEEDS, 2 * count))[:count]]


@pytest.mark.item("reproducible")
@pytest.mark.visibility("visible")
@pytest.mark.hint("For each class in turn: members[torch.randperm(len(members), generator)[:n]].")
def test_few_labels_by_hand(student, reference):
    """Two texts of each of three classes, drawn by seed 4."""
    y, train = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0]), torch.tensor([9, 1, 2, 3, 4, 5, 6, 8])
    wanted = reference.study.few_labels(y, train, 2, 4)
    found = as_tensor(student.study.few_labels(y, train, 2, 4), (6,), torch.int64)
    assert_matches(found, wanted)


@pytest.mark.item("reproducible")
@pytest.mark.hint("`labels` is the number a class, not in all; only places of `train`.")
def test_few_labels_of_random_classes(student, reference, rng):
    """As many texts of each class as are asked for, of those to train on; else ValueError."""
    y = torch.tensor(rng.integers(0, 4, 200))
    train = torch.tensor(rng.permutation(200)[:120])
    for labels in (1, 7, 15):
        seed = int(rng.integers(2**31))
        wanted = reference.study.few_labels(y, train, labels, seed)
        found = student.study.few_labels(y, train, labels, seed)
        assert_matches(as_tensor(found, tuple(wanted.shape), torch.int64), wanted)
    with expect_raises(ValueError):
        student.study.few_labels(y, train, 100, 0)


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_few_labels_of_random_classes")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.parametrize(
    "method",
    [
        pytest.param("rnn", marks=pytest.mark.hint("from_scratch with its defaults and the seed.")),
        pytest.param(
            "transformer", marks=pytest.mark.hint("from_scratch with its defaults and the seed.")
        ),
        pytest.param("finetuned", marks=pytest.mark.hint("finetune with its defaults.")),
        pytest.param(
            "random_encoder",
            marks=pytest.mark.hint("finetune on random_like(pretrained, seed), with its defaults."),
        ),
    ],
)
def test_a_cell_measures_what_training_gives(
    student, run_cell, measure_cell, small_data, rng, method
):
    """The number is the accuracy, on all of test, of the network that training makes."""
    data, ranges = small_data(rng), {"few": (2, 5), "many": (20, 29)}
    if method in ("rnn", "transformer"):  # which learn next to nothing from two labels
        del ranges["few"]
    for labels, seed in zip(ranges.values(), seeds(rng, len(ranges)), strict=True):
        cell = (method, int(rng.integers(*labels)), seed, data)
        claimed, measured = run_cell(student, *cell), measure_cell(student, *cell)
        require(
            abs(measured - claimed) <= SAME,
            f"{method}: run_cell gives {claimed:.3f}, the network that your training makes with "
            f"this seed scores {measured:.3f}",
        )


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_a_cell_measures_what_training_gives")
@pytest.mark.limits(cpu_seconds=40)
@pytest.mark.hint("Texts, weights and batches all come from the seed of the cell.")
@pytest.mark.parametrize("method", ["rnn", "finetuned"])
def test_the_seed_of_a_cell_decides_it(student, run_cell, small_data, rng, method):
    """Equal seeds give equal numbers, other seeds others."""
    data = small_data(rng)
    first, *others = seeds(rng, 8)
    one, again = (run_cell(student, method, 10, first, data) for _ in range(2))
    require(abs(one - again) < 1e-3, f"one seed gave {one} and {again}")
    # Two of 200 texts may well agree: only if all do is the seed forgotten.
    for seed in others:
        if run_cell(student, method, 10, seed, data) != one:
            return
    pytest.fail("eight seeds gave one number to the last digit")


@pytest.mark.item("reproducible", weight=0.5)
@pytest.mark.depends("test_a_cell_measures_what_training_gives")
@pytest.mark.hint("Raise ValueError for a method that does not exist.")
def test_unknown_methods_are_refused(student, small_data, rng):
    """An unknown method raises ValueError."""
    data = small_data(rng, pool=12, tested=20)
    with expect_raises(ValueError):
        student.study.run_cell("no such method", 10, 0, data)


# ------------------------------------------------------------------------------ that it is honest

# Classes by lot are guessed with probability 1/3: the share of 200 right guesses has an sd of
# 0.033, that of two cells together 0.024. Whoever trains on them reaches far more.
GUESSED = 0.45


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_a_cell_measures_what_training_gives")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint("Train on few_labels of `train` alone, not on texts of `test`.")
@pytest.mark.parametrize("method", ["rnn", "finetuned"])
def test_labels_of_test_are_not_trained_on(student, run_cell, small_data, rng, method):
    """Test texts whose classes are drawn by lot are guessed no better than by chance."""
    found = []
    for seed in seeds(rng, 2):
        data = small_data(rng)
        y = data["y"].clone()
        y[data["test"]] = torch.tensor(rng.integers(0, 3, len(data["test"])))
        found.append(run_cell(student, method, 10, seed, {**data, "y": y}))
    mean = float(np.mean(found))
    require(mean < GUESSED, f"{mean:.2f} of the classes drawn by lot are right, by chance 0.33")


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_a_cell_measures_what_training_gives")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint("Nothing may be chosen by the accuracy on test: train, then measure once.")
@pytest.mark.parametrize("method", ["rnn", "transformer", "finetuned"])
def test_nothing_is_chosen_by_the_labels_of_test(
    student, run_cell, small_data, relabelled, rng, method
):
    """With the classes of test turned round, the accuracies of a cell add up to 1."""
    # Of fixed predictions each is right once as the classes go round. Who keeps the epoch, the seed
    # or the rate that did best on test gets the best of each turn.
    data, (seed,) = small_data(rng, classes=2), seeds(rng, 1)
    shares = [run_cell(student, method, 10, seed, relabelled(data, shift)) for shift in (0, 1)]
    require(abs(sum(shares) - 1) < 1e-3, f"the accuracies {shares} do not add up to 1")
