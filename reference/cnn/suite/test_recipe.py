"""The recipe, one idea at a time: each test asks for a single thing that `train` must do.

Sixty-four images or fewer are one batch, which no order can change. Weights that get no gradient,
because all features are dropped, move by weight decay alone. Copies of one image have the same mean
gradient in batches of every size.
"""

import pytest
import torch
from torch.nn import functional as F

from grader.suite import as_number, as_object, as_tensor, assert_matches, parameters, require

RATE = 0.02


def noise(rng, n, classes=4):
    """Draw images of noise and labels that mean nothing: uint8 [n, 3, 8, 8] and int64 [n]."""
    images = torch.tensor(rng.integers(0, 256, (n, 3, 8, 8)), dtype=torch.uint8)
    return images, torch.tensor(rng.integers(0, classes, n))


def weights(module):
    """Return a student's parameters in order, as they are now."""
    return [as_tensor(p).detach().clone() for p in parameters(as_object(module)).values()]


def scaled_as_training_does(network, images):
    """Give our network the buffers that `train` sets before its first step."""
    pixels = images.float()
    network.mean.copy_(pixels.mean(dim=(0, 2, 3)))
    network.std.copy_(pixels.std(dim=(0, 2, 3)))


@pytest.mark.item("training")
@pytest.mark.hint(
    "With one batch and one epoch train makes one step: minus the rate times the gradient of the "
    "mean cross-entropy, of the scaled images with their own labels."
)
def test_the_first_step_goes_down_the_gradient_of_the_mean_loss(student, twin, rng, any_draw):
    """One epoch on one batch is one step down the gradient of the mean cross-entropy."""

    def agree():
        images, labels = noise(rng, 64)
        module = student.model.build(8, "none", classes=4)
        ours = twin(student, module, 8, "none", classes=4)
        scaled_as_training_does(ours, images)
        F.cross_entropy(ours(images), labels).backward()
        before = weights(module)
        student.model.train(module, images, labels, 1, epochs=1, base_rate=RATE, decay="none")
        for start, end, mine in zip(before, weights(module), ours.parameters(), strict=True):
            # Weight decay, which this test leaves open, adds 5e-4 of weights below 0.5.
            assert_matches((start - end) / RATE, mine.grad, rtol=5e-2, atol=3e-4)

    any_draw(agree)


@pytest.mark.item("training")
@pytest.mark.depends("test_the_first_step_goes_down_the_gradient_of_the_mean_loss")
@pytest.mark.hint("torch.optim.SGD(..., momentum=0.9), one optimiser for all epochs, zero_grad.")
def test_steps_gather_momentum(student, reference, twin, rng, any_draw):
    """A second and a third step on the same batch are carried on by momentum."""

    def agree():
        images, labels = noise(rng, 64)
        module = student.model.build(8, "none", classes=4)
        ours = twin(student, module, 8, "none", classes=4)
        before = weights(module)
        for train, network in ((student.model.train, module), (reference.model.train, ours)):
            train(network, images, labels, 1, epochs=3, base_rate=RATE, decay="none")
        for start, end, mine in zip(before, weights(module), ours.parameters(), strict=True):
            assert_matches(end - start, (mine - start).detach(), rtol=5e-2, atol=3e-5)

    any_draw(agree)


@pytest.mark.item("training")
@pytest.mark.hint("torch.optim.SGD(..., weight_decay=5e-4), on all parameters.")
def test_weights_decay(student, reference, twin, rng):
    """Weights that get no gradient shrink by weight decay, all of them."""
    images, labels = noise(rng, 64)
    options = {"norm": "none", "dropout": 1.0, "classes": 4}
    module = student.model.build(8, **options)
    ours = twin(student, module, 8, **options)
    before = weights(module)
    student.model.train(module, images, labels, 1, epochs=2, base_rate=1.0, decay="none")
    reference.model.train(ours, images, labels, 1, epochs=2, base_rate=1.0, decay="none")
    after = weights(module)
    for start, end, mine in zip(before[:-1], after[:-1], ours.parameters(), strict=False):
        assert_matches((end - start), (mine - start).detach(), rtol=2e-2, atol=2e-6)


@pytest.mark.item("training")
@pytest.mark.hint("Batches of 64; the last one has what is left over and counts as a step too.")
def test_the_last_batch_is_a_step_too(student, rng):
    """80 copies of an image are two steps, as 128 copies are: 64 and 16, or 64 and 64."""
    image = noise(rng, 1)[0]
    start = as_object(student.model.build(8, "none", classes=4))

    def trained(copies):
        module = as_object(student.model.build(8, "none", classes=4))
        module.load_state_dict(start.state_dict())
        images, labels = image.repeat(copies, 1, 1, 1), torch.full((copies,), 2)
        student.model.train(module, images, labels, 1, epochs=1, base_rate=RATE, decay="none")
        return torch.cat([weight.ravel() for weight in weights(module)])

    first = torch.cat([weight.ravel() for weight in weights(start)])
    one, two = trained(64) - first, trained(128) - first
    require(float((two - one).abs().max()) > 1e-4, "128 images make no step more than 64")
    # The divisor of the variance, which is free, differs by 0.1 % between so many copies.
    assert_matches(trained(80) - first, two, rtol=2e-2)


@pytest.mark.item("training")
@pytest.mark.hint(
    "Add up each batch's mean loss times its number of images, and divide by all images."
)
def test_the_loss_of_an_epoch_is_the_mean_over_its_images(student, twin, rng):
    """While weights stand still, an epoch's loss is the mean loss of all images."""
    images, labels = noise(rng, 80)
    images[:64] //= torch.arange(1, 65, dtype=torch.uint8)[:, None, None, None]
    module = student.model.build(8, "none", classes=4)
    ours = twin(student, module, 8, "none", classes=4)
    scaled_as_training_does(ours, images)
    with torch.no_grad():
        expected = float(F.cross_entropy(ours(images), labels))
    options = {"epochs": 4, "base_rate": 1e-12, "decay": "none"}
    losses = student.model.train(module, images, labels, 1, **options)
    require(type(losses) is list and len(losses) == 4, "expected a list of 4 losses")
    for loss in losses:
        assert_matches(as_number(loss), expected, rtol=3e-5)
