"""Texts in which only the order of words tells the class, drawn for this submission."""

import numpy as np
import pytest
import torch

from grader.suite import as_object

WORDS, VOCAB, MARKED = 12, 60, 4
TRAIN, TEST = 1500, 400
TRAINING_CPU_SECONDS = 60  # a slow machine must decide nothing
RECIPE = {"batch": 32, "rate": 3e-3, "head_rate": 3e-3}


def orders(rng, count):
    """Draw texts that hold the same marked words; the class is which of them comes first."""
    y = rng.integers(0, MARKED, count)
    ids = rng.integers(1 + MARKED, VOCAB, (count, WORDS))
    for row, label in zip(ids, y, strict=True):
        places = np.sort(rng.permutation(WORDS)[:MARKED])
        others = rng.permutation(np.delete(np.arange(MARKED), label))
        row[places] = 1 + np.concatenate([[label], others])
    numbers = np.append(0, 1 + rng.permutation(VOCAB - 1))  # which words are marked is drawn, too
    return numbers, ids, y


def task(rng):
    """Return texts to train on and to test on."""
    numbers, ids, y = orders(rng, TRAIN + TEST)
    ids, y = torch.tensor(numbers[ids]), torch.tensor(y)
    mask = torch.ones_like(ids, dtype=torch.bool)
    return (ids[:TRAIN], mask[:TRAIN], y[:TRAIN]), (ids[TRAIN:], mask[TRAIN:], y[TRAIN:])


def learnt(student, twin, accuracy, rng, make, ours, steps):
    """Train a network of the student's; return the accuracy of our twin on the test."""
    shown, hidden = task(rng)
    with student.budget(cpu_seconds=TRAINING_CPU_SECONDS):
        module = as_object(make)
        seed = int(rng.integers(2**31))
        module = as_object(student.model.train(module, *shown, seed, steps=steps, **RECIPE))
    return accuracy(twin(module, ours), *hidden)


@pytest.mark.item("planted")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint("Without places a Transformer cannot know which word comes first.")
def test_a_transformer_learns_which_word_comes_first(student, reference, twin, accuracy, rng, bar):
    """A Transformer of two layers tells which of four words comes first."""
    options = {"dim": 32, "layers": 2, "heads": 4, "ff": 64, "dropout": 0.0}
    make = student.model.TransformerClassifier(VOCAB, MARKED, **options)
    ours = reference.model.TransformerClassifier(VOCAB, MARKED, **options)
    bar("planted-transformer", learnt(student, twin, accuracy, rng, make, ours, 300))


@pytest.mark.item("planted")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint("A state carries what was first to the end: is it passed on from word to word?")
def test_an_lstm_learns_which_word_comes_first(student, reference, twin, accuracy, rng, bar):
    """An LSTM that reads in one direction tells which of four words comes first."""
    options = {"dim": 32, "hidden": 32, "cell": "lstm", "bidirectional": False, "dropout": 0.0}
    make = student.model.RNNClassifier(VOCAB, MARKED, **options)
    ours = reference.model.RNNClassifier(VOCAB, MARKED, **options)
    bar("planted-lstm", learnt(student, twin, accuracy, rng, make, ours, 300))
