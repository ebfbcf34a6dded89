"""What the files of the suite share: images nobody has seen, and the proof of a network.

Held-out images and labels stay out here. A student's network is read by its parameters, set up
again with the reference, and predicts in this process.
"""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from grader.suite import as_object, as_tensor, parameters, require

CROP = 15 / 16  # of a side: each image is seen through a window of its own
GAIN = 0.1  # the most by which a colour of an image is made lighter or darker
# float32 rounds by 1e-7 a layer, in another order here than there; twenty layers deep in training
# mode it has been seen to reach 1e-5.
SHARE = 1e-3


MAX_CODE_BYTES = 60_000  # of all Python files


@dataclass(frozen=True)
class Split:
    """Training and test images of one submission: uint8 [N, 3, size, size] and int64 [N]."""

    train_x: torch.Tensor
    train_y: torch.Tensor
    test_x: torch.Tensor
    test_y: torch.Tensor
    names: tuple[str, ...]  # of the classes, in the order of the labels


def _seen_through_windows(images, size, rng):
    """Crop, mirror, tint and shrink every image at random: [N, 3, H, H] -> [N, 3, size, size]."""
    side = images.shape[2]
    window = round(side * CROP)
    gains = rng.uniform(1 - GAIN, 1 + GAIN, (len(images), 3, 1, 1))
    corners = rng.integers(0, side - window + 1, (len(images), 2))
    mirrored = rng.random(len(images)) < 0.5
    seen = np.empty((len(images), 3, window, window), np.uint8)
    for number, (top, left) in enumerate(corners):
        crop = images[number, :, top : top + window, left : left + window]
        seen[number] = crop[:, :, ::-1] if mirrored[number] else crop
    small = F.adaptive_avg_pool2d(torch.tensor(seen, dtype=torch.float32), size)
    return (small * torch.tensor(gains)).round().clamp(0, 255).to(torch.uint8)


@pytest.fixture(scope="session")
def require_code_alone():
    """Give ``require_code_alone(submission)``: its Python files are too small for weights."""

    def check(submission):
        size = submission.code_bytes()
        require(
            size <= MAX_CODE_BYTES, f"{size} bytes of Python files, {MAX_CODE_BYTES} are allowed"
        )

    return check


@pytest.fixture(scope="session")
def pool(reference, variant):
    """Give all images of the variant's set, as they are published."""
    name, options = reference.study.SETS[variant["images"]]
    return reference.datasets.load(name, **options)


@pytest.fixture(scope="session")
def split(pool):
    """Give ``split(seed, train, test, size)``: a fresh split, its labels in a new order.

    Public labels can be looked up. Nobody can know by heart which images these are, what was done
    to them, and which class has which number.
    """

    def draw(seed, train, test, size):
        rng = np.random.default_rng(seed)
        images = np.concatenate([pool.train_x, pool.test_x])
        labels = np.concatenate([pool.train_y, pool.test_y])
        chosen = rng.permutation(len(images))[: train + test]
        order = rng.permutation(len(pool.classes))  # the old number of each new label
        new = torch.tensor(np.argsort(order)[labels[chosen]])
        seen = _seen_through_windows(images[chosen], size, rng)
        names = tuple(pool.classes[old] for old in order)
        return Split(seen[:train], new[:train], seen[train:], new[train:], names)

    return draw


@pytest.fixture(scope="session")
def colours():
    """Give ``colours(rng, n)``: images of three plain colours and noise, learnt in a few steps."""

    def draw(rng, n):
        hues = torch.tensor([[200, 60, 60], [60, 200, 60], [60, 60, 200]])
        labels = torch.tensor(rng.integers(0, 3, n))
        noise = torch.tensor(rng.integers(-40, 41, (n, 3, 8, 8)))
        return (hues[labels][:, :, None, None] + noise).to(torch.uint8), labels

    return draw


def _copy(theirs, ours, what):
    """Copy tensors into ours; AssertionError unless they are as many, of the same shapes."""
    shapes = [tuple(tensor.shape) for tensor in theirs]
    wanted = [tuple(tensor.shape) for tensor in ours]
    require(shapes == wanted, f"{what} of shapes {shapes}, expected {wanted}")
    with torch.no_grad():
        for mine, tensor in zip(ours, theirs, strict=True):
            mine.copy_(as_tensor(tensor, tuple(mine.shape), torch.float32, finite=False))


def _running(buffers):
    """Return the running statistics among a model's buffers, in order."""
    return [
        tensor for name, tensor in buffers.items() if name not in ("mean", "std") and tensor.ndim
    ]


def _buffers(student, module):
    """Return a student's buffers by name, tensors all."""
    found = student.model.buffers(module)
    require(type(found) is dict, "buffers(model) must give a dict: leave it as it was given")
    found = {name: as_tensor(tensor, finite=False) for name, tensor in found.items()}
    require({"mean", "std"} <= found.keys(), "the buffers mean and std are missing")
    return found


@pytest.fixture(scope="session")
def twin(reference):
    """Give ``twin(student, module, depth, ...)``: our network with the parameters of theirs."""

    def make(student, module, *args, **options):
        ours = reference.model.build(*args, **options)
        _copy(list(parameters(as_object(module)).values()), list(ours.parameters()), "parameters")
        theirs, mine = _buffers(student, module), dict(ours.named_buffers())
        _copy([theirs["mean"], theirs["std"]], [mine["mean"], mine["std"]], "mean and std")
        _copy(_running(theirs), _running(mine), "running statistics")
        return ours

    return make


def outputs(module, images, batch=250):
    """Return a student's logits for images, batch by batch: float32 [N, K]."""
    found = [as_tensor(module(part), finite=False) for part in images.split(batch)]
    return torch.cat([as_tensor(part, (None, None), torch.float32, finite=False) for part in found])


def logits(network, images):
    """Return our network's logits for images, batch by batch: float32 [N, K]."""
    with torch.no_grad():
        return torch.cat([network(part) for part in images.split(250)])


def same_outputs(theirs, ours):
    """Say whether logits agree up to rounding; NaN agrees with NaN."""
    if theirs.shape != ours.shape:
        return False
    finite = torch.isfinite(ours)
    scale = max(float(ours[finite].abs().max()) if finite.any() else 0.0, 1e-3)
    close = (theirs - ours).abs()[finite] <= SHARE * scale
    return bool(close.all()) and bool((torch.isfinite(theirs) == finite).all())


@pytest.fixture(scope="session")
def require_same():
    """Give ``require_same(module, network, images)``: what theirs computes is what ours does."""

    def check(module, network, images):
        theirs, ours = outputs(module, images), logits(network, images)
        require(same_outputs(theirs, ours), "the output is not that of a network of its parameters")

    return check
