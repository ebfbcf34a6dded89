"""Promises of the docstrings that other tests leave open: order, dropout, no side effects."""

import numpy as np
import pytest
import torch

from grader.suite import (
    as_number,
    as_object,
    as_tensor,
    require,
    require_unchanged,
    set_training,
)


def normal(rng, *shape):
    """Return normal numbers."""
    return torch.tensor(rng.normal(0, 1, shape))


@pytest.mark.item("convolution", weight=0.5)
@pytest.mark.depends(
    "test_layers.py::test_convolution", "test_layers.py::test_convolution_backward"
)
@pytest.mark.hint("Pad into a new tensor; += on x or w changes what the caller has.")
def test_a_convolution_changes_no_tensor_it_is_given(student, rng):
    """conv2d and its backward pass leave images, kernels and gradients as they were."""
    x, w, b = normal(rng, 2, 3, 6, 5), normal(rng, 4, 3, 3, 2), normal(rng, 4)
    require_unchanged(student, student.layers.conv2d, x, w, b, 1, 1)
    y = normal(rng, 2, 4, 6, 6)
    require_unchanged(student, student.layers.conv2d_backward, y, x, w, 1, 1)


@pytest.mark.item("pooling", weight=0.5)
@pytest.mark.depends("test_layers.py::test_pooling", "test_layers.py::test_pooling_backward")
@pytest.mark.hint("Mark windows in a new tensor, not in x.")
def test_pooling_changes_no_tensor_it_is_given(student, rng):
    """maxpool2d and its backward pass leave images and gradients as they were."""
    x = normal(rng, 2, 3, 6, 6)
    require_unchanged(student, student.layers.maxpool2d, x, 2)
    require_unchanged(student, student.layers.maxpool2d_backward, normal(rng, 2, 3, 3, 3), x, 2)


@pytest.mark.item("batch-norm", weight=0.5)
@pytest.mark.depends(
    "test_layers.py::test_batch_norm_in_training",
    "test_layers.py::test_batch_norm_in_evaluation",
    "test_layers.py::test_batch_norm_backward",
)
@pytest.mark.hint("Return new running statistics: mul_ and add_ change those of the caller.")
def test_batch_norm_changes_no_tensor_it_is_given(student, rng):
    """Batch normalisation, forward and backward, leaves all it is given as it was."""
    x, gamma, beta = normal(rng, 5, 3, 4, 4), normal(rng, 3), normal(rng, 3)
    running = (normal(rng, 3), 1 + normal(rng, 3).square())
    for training in (True, False):
        require_unchanged(student, student.layers.batchnorm, x, gamma, beta, running, training)
    require_unchanged(student, student.layers.batchnorm_backward, normal(rng, 5, 3, 4, 4), x, gamma)


@pytest.mark.item("dropout", weight=0.5)
@pytest.mark.depends("test_layers.py::test_dropout_zeroes_a_share_and_scales_the_rest")
@pytest.mark.hint("x[mask] = 0 changes the caller's tensor: multiply by the mask instead.")
def test_dropout_changes_no_tensor_it_is_given(student, rng):
    """Dropout leaves its input as it was."""
    x, generator = normal(rng, 6, 7), student.torch_generator(0)
    require_unchanged(student, student.layers.dropout, x, 0.5, True, generator)


@pytest.mark.item("loss", weight=0.5)
@pytest.mark.depends("test_layers.py::test_smoothed_cross_entropy")
@pytest.mark.hint("logits -= max changes the caller's logits: subtract into a new tensor.")
def test_the_loss_changes_no_tensor_it_is_given(student, rng):
    """The loss leaves logits and labels as they were."""
    labels = torch.tensor(rng.integers(0, 4, 5))
    logits = 3 * normal(rng, 5, 4)
    require_unchanged(student, student.layers.smoothed_cross_entropy, logits, labels, 0.1)


@pytest.mark.item("network")
@pytest.mark.hint("Average over H and W first; dropout works on the means, one a channel.")
def test_dropout_drops_means_of_channels(student, twin, rng):
    """In training logits spread as much as dropping whole means of channels makes them."""
    n, p, options = 1000, 0.5, {"norm": "none", "classes": 10, "width": 8}
    module = as_object(student.model.build(8, dropout=p, **options))
    image = torch.tensor(rng.integers(0, 256, (1, 3, 16, 16)), dtype=torch.uint8)
    ours, features = twin(student, module, 8, dropout=p, **options).eval(), []
    ours.head.register_forward_hook(lambda _, given, __: features.append(given[0]))
    with torch.no_grad():
        ours(image)
    # Var(logit_k) = p / (1 - p) sum_j w_kj^2 f_j^2, of which a thousand images, all one, give an
    # estimate with a relative sd of 0.045 or less. Dropping before the mean leaves a fraction.
    expected = p / (1 - p) * (ours.head.weight.square() @ features[0][0].square()).sum()
    set_training(module, True)
    logits = as_tensor(module(image.repeat(n, 1, 1, 1)), (n, 10), torch.float32).detach()
    share = float(logits.double().var(dim=0).sum() / expected.detach())
    require(0.65 < share < 1.4, f"the logits' variance is {share:.2f} of that of dropped means")


@pytest.mark.item("training")
@pytest.mark.hint("Call torch.randperm inside the loop over epochs: each has an order of its own.")
def test_every_epoch_has_an_order_of_its_own(student, rng):
    """With weights that stand still the loss differs from epoch to epoch: other batches."""
    # Batch normalisation is by the batch, so that an epoch's loss tells which images met in one.
    images = torch.tensor(rng.integers(0, 256, (100, 3, 8, 8)), dtype=torch.uint8)
    images = (images.float() * torch.tensor(rng.uniform(0.1, 1, (100, 1, 1, 1)))).to(torch.uint8)
    labels = torch.tensor(rng.integers(0, 10, 100))
    module = student.model.build(8)
    losses = student.model.train(module, images, labels, 1, epochs=4, base_rate=1e-12, decay="none")
    require(type(losses) is list and len(losses) == 4, "expected a list of 4 losses")
    found = np.array([as_number(loss) for loss in losses])
    require(np.ptp(found) > 1e-5, f"four epochs without learning have losses {found}")
