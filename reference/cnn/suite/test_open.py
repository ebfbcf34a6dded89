"""The open part: the best network that the student can train within the budget.

Half of it is measured on the term's images, half on pictures that are drawn for the submission:
whoever knows the public images by heart, or brings weights along that do, gains nothing there.
"""

import itertools

import numpy as np
import pytest
import torch

from grader.suite import as_object, as_tensor, parameters, require

SIZE = 20  # pixels a side
BEST_CPU_SECONDS = 120
PROBES = 16
DRAWN_TRAIN, DRAWN_TEST = 1000, 1000
PATCH, STRANGERS = 7, 4  # pixels a side of a figure; figures that belong to no class
CONTRAST = (40, 90)  # of 255


def candidates(student, module, classes):
    """Yield the options of `build` that a module's parameters and buffers allow."""
    shapes = [tuple(as_tensor(p).shape) for p in parameters(module).values()]
    convolutions = [shape for shape in shapes if len(shape) == 4]
    depth = len(convolutions) + 1
    require(depth >= 8 and depth % 6 == 2, f"{depth - 1} convolutions make no network of build")
    width = convolutions[0][0]
    buffers = student.model.buffers(module)
    require(type(buffers) is dict, "buffers(model) must give a dict: leave it as it was given")
    if len(buffers) > 2:
        norms = ["batch"]
    else:
        norms = ["none"] if len(shapes) == 2 * (len(convolutions) + 1) else ["layer", "group"]
    for norm, residual in itertools.product(norms, (True, False)):
        if norm != "group" or width % 4 == 0:
            yield {
                "depth": depth,
                "norm": norm,
                "residual": residual,
                "classes": classes,
                "width": width,
            }


def drawn_pictures(rng, classes, n):
    """Draw images of figures in noise, uint8 [N, 3, SIZE, SIZE], and what the figures are, [N].

    Every class has a figure of its own, a patch of random colours, somewhere in each of its images
    and mirrored in half of them; beside or below it is one of a few figures that say nothing.
    """

    def figures(count):
        drawn = rng.normal(0, 1, (count, 3, PATCH, PATCH))
        return drawn / np.sqrt((drawn**2).mean(axis=(1, 2, 3), keepdims=True))

    known, strangers = figures(classes), figures(STRANGERS)
    labels = rng.integers(0, classes, n)
    images = rng.uniform(70, 180, (n, 3, 1, 1)) + rng.normal(0, 18, (n, 3, SIZE, SIZE))
    for image, label in zip(images, labels, strict=True):
        for figure in (strangers[rng.integers(STRANGERS)], known[label]):
            seen = figure[:, :, ::-1] if rng.random() < 0.5 else figure
            top, left = rng.integers(0, SIZE - PATCH + 1, 2)
            image[:, top : top + PATCH, left : left + PATCH] += rng.uniform(*CONTRAST) * seen
    return torch.tensor(images.round().clip(0, 255).astype(np.uint8)), torch.tensor(labels)


@pytest.fixture
def reached(student, twin, rng, require_same, require_code_alone):
    """Give ``reached(train_x, train_y, test_x, test_y, classes)``: what `best` reaches there."""

    def accuracy(train_x, train_y, test_x, test_y, classes):
        require_code_alone()
        with student.budget(cpu_seconds=BEST_CPU_SECONDS):
            module = as_object(
                student.model.best(train_x, train_y, classes, int(rng.integers(2**31)))
            )
        for options in candidates(student, module, classes):
            ours = twin(student, module, **options).eval()
            try:
                require_same(module, ours, train_x[:PROBES])
            except AssertionError:
                continue
            with torch.no_grad():
                found = torch.cat([ours(part).argmax(dim=1) for part in test_x.split(250)])
            return float((found == test_y).double().mean())
        require(False, "what best returned computes something else than a network of build")
        return None

    return accuracy


@pytest.mark.item("best")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint("Training longer, mirrored and shifted images, a rate that falls: what helps?")
def test_the_best_network_on_drawn_pictures(reached, split, variant, rng, bar):
    """The network that `best` trains on pictures drawn for this submission."""
    classes = len(split(0, 1, 1, SIZE).names)
    images, labels = drawn_pictures(rng, classes, DRAWN_TRAIN + DRAWN_TEST)
    train, test = slice(DRAWN_TRAIN), slice(DRAWN_TRAIN, None)
    bar("best-drawn", reached(images[train], labels[train], images[test], labels[test], classes))


# Who learns nothing from pictures that nobody has seen knows the term's by heart.
@pytest.mark.item("best")
@pytest.mark.depends("test_the_best_network_on_drawn_pictures")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint("Mirror images, shift them, let the rate rise and fall, train on: what helps?")
def test_the_best_network(reached, split, variant, rng, bar):
    """The network that `best` trains, on images held back."""
    data = split(int(rng.integers(2**31)), variant["train"], variant["test"], SIZE)
    parts = (data.train_x, data.train_y, data.test_x, data.test_y)
    bar("best", reached(*parts, len(data.names)))
