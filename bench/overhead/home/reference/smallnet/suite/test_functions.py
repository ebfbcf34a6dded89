"""Hidden tests for this engine; `bench/overhead/peers/checks.py` asks the same of the peers."""

import numpy as np
import pytest
import torch

from grader.suite import (
    as_array,
    as_number,
    as_object,
    as_tensor,
    assert_matches,
    gradients,
    parameters,
    require,
)

RTOL = 1e-4


def same(actual, expected):
    """Compare arrays whose precision is the student's choice."""
    got = as_array(actual, expected.shape)
    assert_matches(got.astype(np.float64), expected, rtol=RTOL)


def network(student):
    """Return a student's network with its parameters in order, their shapes checked."""
    model = as_object(student.functions.MLP(4, 6, 3))
    weights = list(parameters(model).values())
    shapes = [tuple(p.shape) for p in weights]
    require(shapes == [(6, 4), (6,), (3, 6), (3,)], f"parameters of shapes {shapes}")
    return model, weights


def forward(x, w1, b1, w2, b2):
    """Return what the network should."""
    return torch.relu(x @ w1.T + b1) @ w2.T + b2


@pytest.mark.item("losses")
def test_softmax(student, reference, rng):
    """Softmax of ordinary logits."""
    z = rng.standard_normal((32, 10))
    same(student.functions.softmax(z), reference.functions.softmax(z))


@pytest.mark.item("losses")
def test_softmax_of_large_logits(student, reference, rng):
    """Softmax of logits that overflow exp."""
    z = rng.standard_normal((8, 5)) * 1000
    same(student.functions.softmax(z), reference.functions.softmax(z))


@pytest.mark.item("losses")
def test_cross_entropy(student, reference, rng):
    """cross_entropy of random logits."""
    z, y = rng.standard_normal((32, 10)), rng.integers(0, 10, 32)
    loss = as_number(student.functions.cross_entropy(z, y))
    assert_matches(loss, reference.functions.cross_entropy(z, y), rtol=RTOL)


@pytest.mark.item("linear")
def test_linear_forward(student, reference, rng):
    """linear_forward of random input."""
    x, w, b = (rng.standard_normal(s) for s in ((16, 8), (8, 4), (4,)))
    same(student.functions.linear_forward(x, w, b), reference.functions.linear_forward(x, w, b))


@pytest.mark.item("linear")
def test_linear_backward(student, reference, rng):
    """linear_backward of random input."""
    dy, x, w = (rng.standard_normal(s) for s in ((16, 4), (16, 8), (8, 4)))
    got = student.functions.linear_backward(dy, x, w)
    require(isinstance(got, (tuple, list)) and len(got) == 3, "three gradients")
    for actual, expected in zip(got, reference.functions.linear_backward(dy, x, w), strict=True):
        same(actual, expected)


@pytest.mark.item("linear")
def test_sgd_step(student, reference, rng):
    """sgd_step on two parameters."""
    params, grads = ([rng.standard_normal((6, 3)), rng.standard_normal(3)] for _ in range(2))
    got = student.functions.sgd_step(params, grads, 0.1)
    require(isinstance(got, (tuple, list)) and len(got) == 2, "two parameters")
    for actual, expected in zip(got, reference.functions.sgd_step(params, grads, 0.1), strict=True):
        same(actual, expected)


@pytest.mark.item("mlp")
def test_mlp_forward(student, rng):
    """MLP computes linear, ReLU, linear."""
    model, weights = network(student)
    x = torch.from_numpy(rng.standard_normal((16, 4), dtype=np.float32))
    assert_matches(as_tensor(model(x), (16, 3)), forward(x, *weights), rtol=RTOL)


@pytest.mark.item("mlp")
def test_mlp_gradients(student, rng):
    """MLP passes gradients to every parameter."""
    model, weights = network(student)
    x = torch.from_numpy(rng.standard_normal((16, 4), dtype=np.float32))
    dy = torch.from_numpy(rng.standard_normal((16, 3), dtype=np.float32))
    own = [w.detach().clone().requires_grad_() for w in weights]
    expected = torch.autograd.grad((forward(x, *own) * dy).sum(), own)
    for actual, wanted in zip(gradients(model, x, dy).values(), expected, strict=True):
        assert_matches(actual, wanted, rtol=RTOL)
