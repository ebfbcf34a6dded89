# ruff: noqa: D103 - as an instructor writes them
"""The checks of the hidden suite as an ordinary instructor writes them, in the student's process.

Each peer gets these functions in its own form: test functions, test cells, test cases.
"""

import numpy as np
import torch


def reference_softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def reference_cross_entropy(z, y):
    return -np.log(reference_softmax(z)[np.arange(len(y)), y]).mean()


def reference_linear_forward(x, w, b):
    return x @ w + b


def reference_linear_backward(dy, x, w):
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


def reference_sgd_step(params, grads, lr):
    return [p - lr * g for p, g in zip(params, grads, strict=True)]


def reference_mlp(x, w1, b1, w2, b2):
    return torch.relu(x @ w1.T + b1) @ w2.T + b2


def same(actual, expected):
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-7)


def network(student):
    model = student.MLP(4, 6, 3)
    weights = [p.detach().clone() for p in model.parameters()]
    assert [tuple(p.shape) for p in weights] == [(6, 4), (6,), (3, 6), (3,)]
    return model, weights


def check_softmax(student):
    z = np.random.default_rng(101).standard_normal((32, 10))
    expected = reference_softmax(z)
    same(student.softmax(z), expected)


def check_softmax_of_large_logits(student):
    z = np.random.default_rng(102).standard_normal((8, 5)) * 1000
    expected = reference_softmax(z)
    same(student.softmax(z), expected)


def check_cross_entropy(student):
    rng = np.random.default_rng(103)
    z, y = rng.standard_normal((32, 10)), rng.integers(0, 10, 32)
    expected = reference_cross_entropy(z, y)
    np.testing.assert_allclose(student.cross_entropy(z, y), expected, rtol=1e-4)


def check_linear_forward(student):
    rng = np.random.default_rng(104)
    x, w, b = (rng.standard_normal(s) for s in ((16, 8), (8, 4), (4,)))
    expected = reference_linear_forward(x, w, b)
    same(student.linear_forward(x, w, b), expected)


def check_linear_backward(student):
    rng = np.random.default_rng(105)
    dy, x, w = (rng.standard_normal(s) for s in ((16, 4), (16, 8), (8, 4)))
    expected = reference_linear_backward(dy, x, w)
    got = student.linear_backward(dy, x, w)
    assert len(got) == 3
    for actual, wanted in zip(got, expected, strict=True):
        same(actual, wanted)


def check_sgd_step(student):
    rng = np.random.default_rng(106)
    params, grads = ([rng.standard_normal((6, 3)), rng.standard_normal(3)] for _ in range(2))
    expected = reference_sgd_step(params, grads, 0.1)
    got = student.sgd_step(params, grads, 0.1)
    assert len(got) == 2
    for actual, wanted in zip(got, expected, strict=True):
        same(actual, wanted)


def check_mlp_forward(student):
    model, weights = network(student)
    x = torch.randn(16, 4, generator=torch.Generator().manual_seed(107))
    expected = reference_mlp(x, *weights)
    torch.testing.assert_close(model(x).detach(), expected, rtol=1e-4, atol=1e-6)


def check_mlp_gradients(student):
    model, weights = network(student)
    generator = torch.Generator().manual_seed(108)
    x, dy = torch.randn(16, 4, generator=generator), torch.randn(16, 3, generator=generator)
    own = [w.requires_grad_() for w in weights]
    expected = torch.autograd.grad((reference_mlp(x, *own) * dy).sum(), own)
    (model(x) * dy).sum().backward()
    for parameter, wanted in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, wanted, rtol=1e-4, atol=1e-6)
