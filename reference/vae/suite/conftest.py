"""What the tests share: images drawn for the submission, and models of drawn parameters.

A training has one right end: its start, its batches and its noise are given by the seed, and Adam
in float64 forgets how sums are rounded. So whatever is trained is compared with our own training.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from grader.suite import as_array, as_object, attribute, require

HELD = 1000  # images that bounds are measured on


@dataclass(frozen=True)
class Pictures:
    """Images of the term's set, their pixels shuffled: those to train on, and those kept here."""

    train: np.ndarray  # float64 [n, 196], numbers 0 and 1
    held: np.ndarray  # [1000, 196]

    def as_data(self):
        """Return them as `run_cell` gets them."""
        return {"train": self.train, "test": self.held}


@pytest.fixture(scope="session")
def published(reference, variant):
    """Give the term's data as `run_cell` of the study gets them."""
    return reference.study.load_data(variant["images"])


@pytest.fixture(scope="session")
def pictures(published):
    """Give ``pictures(rng, n)``: a split of the submission's own, `n` images to train on or all.

    The networks see no order in pixels, so learning is as hard in any; but parameters that were
    trained at home, also on images that are held out here, fit no order but their own.
    """
    every = np.concatenate([published["train"], published["test"]])

    def draw(rng, n=None):
        shuffled = every[rng.permutation(len(every))][:, rng.permutation(every.shape[1])]
        return Pictures(shuffled[HELD:][:n], shuffled[:HELD])

    return draw


@pytest.fixture(scope="session")
def drawn_model(reference):
    """Give ``drawn_model(rng, pixels, hidden, latent)``: our model of random parameters.

    No bias is 0 and no width is another's, so that nothing can be left out or swapped unseen.
    """

    def draw(rng, pixels=7, hidden=5, latent=3):
        options = reference.model.Options(latent=latent, hidden=hidden)
        start = reference.model.start(pixels, options, 0)
        spread = {name: 0.5 * rng.normal(size=value.shape) for name, value in start.items()}
        return reference.model.VAE(spread)

    return draw


@pytest.fixture
def theirs(student):
    """Give ``theirs(model)``: the student's model of the same parameters."""
    return lambda model: as_object(student.model.VAE(model.parameters))


@pytest.fixture(scope="session")
def ours(reference):
    """Give ``ours(model, pixels, latent, hidden)``: our model of a student's parameters.

    With `latent` or `hidden` None any width up to the handout's is allowed.
    """

    def copy(model, pixels, latent=None, hidden=None):
        found = attribute(model, "parameters")
        require(type(found) is dict, "parameters is no dict")
        width = {"latent": (latent, "mu_b", 64), "hidden": (hidden, "encoder_b", 256)}
        sizes = {}
        for name, (asked, bias, most) in width.items():
            sizes[name] = asked or len(as_array(found.get(bias), (None,)))
            require(1 <= sizes[name] <= most, f"{name} is {sizes[name]}, from 1 to {most}")
        wanted = reference.model.start(pixels, reference.model.Options(**sizes), 0)
        require(found.keys() == wanted.keys(), "other parameters than the docstring of VAE names")
        arrays = {
            name: as_array(found[name], value.shape, np.float64) for name, value in wanted.items()
        }
        return reference.model.VAE(arrays)

    return copy


@pytest.fixture(scope="session")
def slope():
    """Give ``slope(function, x, direction)``: a central difference along a direction."""

    def difference(function, x, direction, step=1e-5):
        return (function(x + step * direction) - function(x - step * direction)) / (2 * step)

    return difference
