"""The open part: the best network that the student can train within the budget."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest
import torch

from grader.suite import as_object, as_tensor, parameters, require

SIZE = 20  # pixels a side
BEST_CPU_SECONDS, DRAWN_CPU_SECONDS = 120, 60
PROBES = 16
DRAWS, CLASSES, DRAWN_TRAIN, DRAWN_TEST = 2, 6, 500, 1000
MOTIF, WINDOW = 4, 10  # pixels a side, of a motif and of the place where it is seen


class Drawn(NamedTuple):
    """Training and test pictures: uint8 [N, 3, SIZE, SIZE] and int64 [N]."""

    train_x: torch.Tensor
    train_y: torch.Tensor
    test_x: torch.Tensor
    test_y: torch.Tensor
    names: tuple[str, ...]  # of the classes


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


def accuracy(student, twin, module, data, require_same):
    """Return the share of held-out images that our copy of a network of `build` gets right.

    Data are training images, test images and labels as in `Split`. AssertionError for a module that
    is no network of `build`.
    """
    for options in candidates(student, module, len(data.names)):
        ours = twin(student, module, **options).eval()
        try:
            require_same(module, ours, data.train_x[:PROBES])
        except AssertionError:
            continue
        with torch.no_grad():
            found = torch.cat([ours(part).argmax(dim=1) for part in data.test_x.split(250)])
        return float((found == data.test_y).double().mean())
    return require(False, "what best returned computes something else than a network of build")


def best(student, data, seed, cpu_seconds):
    """Let `best` train on a split's images; return its module."""
    with student.budget(cpu_seconds=cpu_seconds):
        return as_object(student.model.best(data.train_x, data.train_y, len(data.names), int(seed)))


def drawn_pictures(rng, train, test):
    """Draw pictures of classes that nobody has seen: a motif somewhere, on a ground of another.

    A class is its motif, which is drawn for this run; place, brightness and noise are drawn anew
    for each picture. Its ground is one of as many others, drawn at random: it tells nothing.
    """
    motifs, grounds = rng.normal(0, 1, (2, CLASSES, 3, MOTIF, MOTIF))
    for patch in (*motifs, *grounds):  # of one colour, as bright as every other
        patch -= patch.mean(axis=(1, 2), keepdims=True)
        patch /= patch.std(axis=(1, 2), keepdims=True)
    labels = rng.integers(0, CLASSES, train + test)
    pictures = np.empty((len(labels), 3, SIZE, SIZE))
    for picture, label in zip(pictures, labels, strict=True):
        picture[:] = tiled(grounds[rng.integers(CLASSES)], rng)
        top, left = rng.integers(0, SIZE - WINDOW + 1, 2)
        window = picture[:, top : top + WINDOW, left : left + WINDOW]
        window[:] = tiled(motifs[label], rng)[:, :WINDOW, :WINDOW]
        picture *= rng.uniform(25, 40)
    pictures += rng.uniform(100, 155, (len(labels), 3, 1, 1)) + rng.normal(0, 28, pictures.shape)
    images = torch.tensor(pictures.round().clip(0, 255).astype(np.uint8))
    told = torch.tensor(labels)
    names = tuple(f"motif {number}" for number in range(CLASSES))
    return Drawn(images[:train], told[:train], images[train:], told[train:], names)


def tiled(motif, rng):
    """Return a motif side by side until a picture is full, from a corner drawn at random."""
    times = -(-SIZE // MOTIF) + 1
    top, left = rng.integers(0, MOTIF, 2)
    return np.tile(motif, (1, times, times))[:, top : top + SIZE, left : left + SIZE]


@pytest.mark.item("best")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint("Mirror images, shift them, let the rate rise and fall, train on: what helps?")
def test_the_best_network(
    student, twin, split, variant, rng, bar, require_same, require_code_alone, submission
):
    """The network that `best` trains, on images held back."""
    require_code_alone(submission)
    data = split(int(rng.integers(2**31)), variant["train"], variant["test"], SIZE)
    module = best(student, data, rng.integers(2**31), BEST_CPU_SECONDS)
    bar("best", accuracy(student, twin, module, data, require_same))


# Of public images a few bits a weight can be brought along; of these nothing can.
@pytest.mark.item("best")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint(
    "best is also run on fewer pictures, drawn for the run: it must learn from the images it is "
    "given. Count steps with them in mind: few images make few steps an epoch."
)
def test_the_best_network_on_pictures_nobody_has_seen(student, twin, rng, bar, require_same):
    """The networks that `best` trains on pictures drawn for this submission, on others of them."""
    # In one draw of ten some motifs are much alike, which is no fault of the network.
    found = []
    for _ in range(DRAWS):
        data = drawn_pictures(rng, DRAWN_TRAIN, DRAWN_TEST)
        module = best(student, data, rng.integers(2**31), DRAWN_CPU_SECONDS)
        found.append(accuracy(student, twin, module, data, require_same))
    bar("best-drawn", max(found))
