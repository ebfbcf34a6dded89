"""Public tests of the lab cnn: run ``python -m pytest test_cnn.py`` beside the folder ``cnn``.

They need the student's package, NumPy, torch and pytest, no data set, and show small examples
worked by hand. Passing them is a good start, not full marks: the hidden tests ask for more.
"""

import functools

import numpy as np
import pytest
import torch
from cnn import layers, model, study


def told(test):
    """Say in one line which function is not written yet, instead of a traceback."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        try:
            return test(*args, **kwargs)
        except NotImplementedError as missing:
            reason = str(missing)
        pytest.fail(reason, pytrace=False)

    return run


def close(actual, expected, tolerance=1e-5):
    """Assert equal shapes and nearly equal values."""
    actual = np.asarray(actual.detach() if isinstance(actual, torch.Tensor) else actual)
    expected = np.asarray(expected)
    assert actual.shape == expected.shape, f"shape {actual.shape}, expected {expected.shape}"
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def wide(matrix):
    """Turn a matrix into one image, or one kernel, of one channel: [1, 1, H, W]."""
    return torch.tensor(matrix, dtype=torch.float64)[None, None]


IMAGE = wide([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]])
KERNEL = wide([[2, 0, 1], [0, 1, 2], [1, 0, 2]])
ROWS = torch.tensor([[1.0, 2.0], [3.0, 6.0], [5.0, 10.0]], dtype=torch.float64)


def slope(function, at, place, h=1e-6):
    """Return how fast a number changes with one entry of a tensor."""
    nudge = torch.zeros_like(at)
    nudge[place] = h
    return (function(at + nudge) - function(at - nudge)) / (2 * h)


@told
def test_out_size():
    """28 x 31 pixels, padding 2, stride 3, kernel 5."""
    assert [layers.out_size(n, 5, padding=2, stride=3) for n in (28, 31)] == [10, 11]


@told
def test_parameter_count():
    """The first and the last layer of LeNet-5."""
    assert layers.parameter_count([("conv", 1, 6, 5), ("linear", 84, 10)]) == [156, 850]


@told
def test_conv2d():
    """The example of the lecture; a flipped kernel would give [[11, 12], [10, 11]]."""
    close(layers.conv2d(IMAGE, KERNEL)[0, 0], [[15, 16], [6, 15]])
    bias = torch.tensor([3.0], dtype=torch.float64)
    close(layers.conv2d(IMAGE, KERNEL, bias)[0, 0], [[18, 19], [9, 18]])
    padded = [[7, 12, 10, 2], [4, 15, 16, 10], [10, 6, 15, 6], [8, 10, 4, 3]]
    close(layers.conv2d(IMAGE, KERNEL, padding=1)[0, 0], padded)
    close(layers.conv2d(IMAGE, KERNEL, padding=1, stride=2)[0, 0], [[7, 10], [10, 15]])


@told
def test_conv2d_backward():
    """Each gradient is the slope of the sum of all outputs."""
    dy = torch.ones(1, 1, 2, 2, dtype=torch.float64)
    dx, dw, db = layers.conv2d_backward(dy, IMAGE, KERNEL)
    for place in ((0, 0, 0, 0), (0, 0, 1, 2)):
        close(dx[place], slope(lambda x: float(layers.conv2d(x, KERNEL).sum()), IMAGE, place))
        close(dw[place], slope(lambda w: float(layers.conv2d(IMAGE, w).sum()), KERNEL, place))
    close(db, [4.0])


@told
def test_maxpool2d():
    """2 x 2 windows."""
    close(layers.maxpool2d(IMAGE, 2)[0, 0], [[2, 3], [3, 2]])


@told
def test_maxpool2d_backward():
    """The largest pixel of each window gets the gradient."""
    dx = layers.maxpool2d_backward(wide([[1, 2], [3, 4]]), IMAGE, 2)
    close(dx[0, 0], [[0, 1, 2, 0], [0, 0, 0, 0], [3, 0, 0, 4], [0, 0, 0, 0]])


def normalised(training):
    """Normalise ROWS, starting from running mean 1 and variance 4."""
    one = torch.ones(2, dtype=torch.float64)
    return layers.batchnorm(ROWS, one, 0 * one, (one, 4 * one), training)


@told
def test_batchnorm():
    """Training uses the batch's statistics, evaluation the running ones."""
    y, (mean, variance) = normalised(training=True)
    close(y, [[-1.224745, -1.224745], [0, 0], [1.224745, 1.224745]])
    close(mean, [0.9 * 1 + 0.1 * 3, 0.9 * 1 + 0.1 * 6])
    close(variance, [0.9 * 4 + 0.1 * 4, 0.9 * 4 + 0.1 * 16])  # unbiased: 4 and 16
    y, (mean, variance) = normalised(training=False)
    close(y, [[0, 0.5], [1, 2.5], [2, 4.5]])
    close(mean, [1, 1])
    close(variance, [4, 4])


@told
def test_batchnorm_backward():
    """Shifting a whole column changes nothing, so the gradients of a column add up to 0."""
    dy = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]], dtype=torch.float64)
    gamma = torch.ones(2, dtype=torch.float64)
    dx, dgamma, dbeta = layers.batchnorm_backward(dy, ROWS, gamma)
    close(dx.sum(dim=0), [0, 0])
    close(dgamma, [-1.224745, 0])
    close(dbeta, [1, 2])


@told
def test_dropout():
    """What stays is divided by 1 - p; evaluation changes nothing."""
    x = torch.ones(100, 100)
    y = layers.dropout(x, 0.2, True, torch.Generator().manual_seed(0))
    assert set(np.round(np.unique(y.numpy()), 4).tolist()) == {0.0, 1.25}
    assert abs(float((y == 0).float().mean()) - 0.2) < 0.03
    close(layers.dropout(x, 0.2, False, torch.Generator().manual_seed(0)), x)


@told
def test_smoothed_cross_entropy():
    """The convention of the handout, not torch's; the gradient is softmax - q."""
    logits, label = torch.tensor([[1.0, 2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([1])
    loss, gradient = layers.smoothed_cross_entropy(logits, label, 0.1)
    close(float(loss), 0.640190)
    close(gradient, [[0.203550, -0.256086, 0.053811, -0.001275]])


@told
def test_build():
    """Depth 8, width 16: 75,290 parameters; logits for images of any size."""
    network = model.build(8)
    assert sum(p.numel() for p in network.parameters()) == 75_290
    assert network(torch.zeros(2, 3, 17, 12, dtype=torch.uint8)).shape == (2, 10)


@told
def test_learning_rate():
    """Four epochs from 0.1."""
    close([model.learning_rate(e, 4, 0.1, "step") for e in range(4)], [0.1, 0.1, 0.01, 0.001])
    cosine = [0.1, 0.085355, 0.05, 0.014645]
    close([model.learning_rate(e, 4, 0.1, "cosine") for e in range(4)], cosine)


def colours(n):
    """Return images of three plain colours and noise, and their labels."""
    rng = np.random.default_rng(n)
    labels = rng.integers(0, 3, n)
    hues = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200]])[labels]
    images = hues[:, :, None, None] + rng.integers(-40, 41, (n, 3, 8, 8))
    return torch.tensor(images, dtype=torch.uint8), torch.tensor(labels)


@told
def test_train_learns_three_colours():
    """The loss falls, the model is left in evaluation mode and knows its colours."""
    torch.manual_seed(0)
    network = model.build(8, classes=3)
    images, labels = colours(200)
    losses = model.train(network, images, labels, 0, epochs=4)
    assert len(losses) == 4 and losses[-1] < losses[0]
    assert not network.training
    with torch.no_grad():
        right = (network(images).argmax(dim=1) == labels).float().mean()
    assert right > 0.9, f"only {float(right):.0%} of the training images are right"


@told
def test_best_gives_a_network_in_evaluation_mode():
    """Your best network, on a task that is easy."""
    images, labels = colours(64)
    network = model.best(images, labels, 3, 0)
    assert not network.training
    assert network(images[:5]).shape == (5, 3)


@told
def test_run_cell_gives_the_same_percentage_for_the_same_seed():
    """A cell can be run again."""
    data = (*colours(64), *colours(50))
    first, again = (study.run_cell("depth", 8, 1, data) for _ in range(2))
    assert 0 <= first <= 100
    assert abs(first - again) < 1e-6
