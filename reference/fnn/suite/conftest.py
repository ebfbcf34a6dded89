"""What the tests of model and study share: the term's function, and the proof of a network."""

import numpy as np
import pytest
import torch

from grader.suite import as_object, as_tensor, gradients, parameters, require

PROBES = 8
# Rounding of float32 stays far below it, and a network this close to its predictions meets the
# handout's bars as well as they do.
SHARE = 2e-3
# Of that turn, how much nearly the same y may cause: training is continuous, what a hash of y draws
# is not. Training has 0.03 and less, a hash 1.
NEARLY = 0.5
# How far another y must turn the units of a layer, on average, in radians. Training turns them by
# 0.1 and more, in the reference by 1; layers that were drawn, solved or embedded without y by 0.
TURN = 1e-3


def _column(values):
    return torch.tensor(np.asarray(values), dtype=torch.float32).reshape(-1, 1)


def _numbers(value, shape=None, *, finite=True):
    """Take a tensor of real numbers, in whatever precision it was computed, as float64."""
    tensor = as_tensor(value, shape, finite=finite)
    require(tensor.is_floating_point(), f"expected real numbers, got {tensor.dtype}")
    return tensor.detach().double().numpy()


def _sizes(arrays):
    """Return the sizes of the layers; AssertionError if these are no FNN's parameters."""
    shapes = [array.shape for array in arrays]
    require(len(shapes) >= 4 and len(shapes) % 2 == 0, f"parameters of shapes {shapes}")
    require(all(len(shape) == 1 for shape in shapes[1::2]), f"parameters of shapes {shapes}")
    sizes = [1, *(shape[0] for shape in shapes[1::2])]
    chained = [s for a, b in zip(sizes[:-1], sizes[1:], strict=True) for s in ((b, a), (b,))]
    require(shapes == chained and sizes[-1] == 1, f"parameters of shapes {shapes}")
    return sizes


def _seen_at(module, x):
    """Return what the first layer sees for x: dL/dW_1 = dL/db_1 x, at the unit that counts most.

    None where no unit counts, as where all of them are saturated.
    """
    found = list(gradients(module, _column(x), _column(1.0)).values())
    require(len(found) >= 4 and found[0] is not None and found[1] is not None, "no gradient")
    weight, bias = (_numbers(g).ravel() for g in found[:2])
    require(weight.shape == bias.shape, "gradients of other shapes than their parameters")
    unit = int(np.argmax(np.abs(bias)))
    return weight[unit] / bias[unit] if bias[unit] else None


def _hidden_units(module):
    """Return of each hidden layer the units' weights and biases as unit vectors [width, inputs]."""
    arrays = [_numbers(tensor) for tensor in parameters(module).values()]
    _sizes(arrays)
    layers = []
    for weight, bias in zip(arrays[:-2:2], arrays[1:-2:2], strict=True):
        units = np.concatenate([weight, bias[:, None]], axis=1)
        length = np.linalg.norm(units, axis=1, keepdims=True)
        layers.append(units / np.maximum(length, np.finfo(float).tiny))
    return layers


def _turns(one, other):
    """Return by how much the units of each hidden layer differ, in radians where it is little."""
    pairs = list(zip(_hidden_units(one), _hidden_units(other), strict=False))
    for units, others in pairs:
        require(units.shape == others.shape, "two functions gave networks of two shapes")
    return [float(np.mean(np.linalg.norm(units - others, axis=1))) for units, others in pairs]


@pytest.fixture(scope="session")
def require_learnt():
    """Give ``require_learnt(one, other)`` for networks of equal points and seed but other values.

    Whatever trains a layer sees y. The length of a unit's weights does not count: a relu's can be
    chosen at will, if the next layer is divided by it.
    """

    def check(one, other):
        for number, turn in enumerate(_turns(one, other), 1):
            require(turn > TURN, f"hidden layer {number} is the same whatever y is: {turn:.2g}")

    return check


@pytest.fixture(scope="session")
def require_continuous():
    """Give ``require_continuous(one, near, other)``: nearly the same values, nearly the same units.

    Points and seed of the three are equal; the values of `near` are nearly those of `one`.
    """

    def check(one, near, other):
        turns = zip(_turns(one, near), _turns(one, other), strict=True)
        for number, (little, much) in enumerate(turns, 1):
            require(
                little < NEARLY * much,
                f"nearly the same y turns layer {number} by {little:.2g}, another by {much:.2g}",
            )

    return check


@pytest.fixture(scope="session")
def term(variant):
    """Give the function of the variant, by its formula in the manifest."""
    return {
        "sin x + cos x + sin x cos x": lambda x: np.sin(x) + np.cos(x) + np.sin(x) * np.cos(x),
        "log2 x + cos(pi x / 2)": lambda x: np.log2(x) + np.cos(np.pi * x / 2),
        "sin x": np.sin,
    }[variant["formula"]]


@pytest.fixture(scope="session")
def predict():
    """Give ``predict(module, x)``: predictions at x [N] as float64 [N].

    That they are float32, as the handout says, is asked by a test of its own: a measured error
    does not depend on it. With ``finite=False`` NaN and infinity are let by.
    """

    def at(module, x, *, finite=True):
        return _numbers(as_object(module)(_column(x)), (len(x), 1), finite=finite)[:, 0]

    return at


@pytest.fixture(scope="session")
def seen():
    """Give ``seen(module, x)``: what the first layer sees of x [N], which is x itself or scaled."""

    def at(module, x):
        probes = np.linspace(float(np.min(x)), float(np.max(x)), PROBES)
        found = {probe: _seen_at(module, probe) for probe in probes}
        known = {probe: value for probe, value in found.items() if value is not None}
        require(len(known) > PROBES // 2, "the first layer takes no part in the prediction")
        line = np.polynomial.Polynomial.fit(list(known), list(known.values()), 1)
        return line(np.asarray(x))

    return at


@pytest.fixture(scope="session")
def straight_line():
    """Give ``straight_line(z, y)``: factor and constant of the line through (z, y) nearest to y."""

    def through(z, y):
        terms = np.stack([z, np.ones_like(z)], axis=1)
        return np.linalg.lstsq(terms, y, rcond=None)[0]

    return through


@pytest.fixture(scope="session")
def require_network(reference, seen, straight_line):
    """Give ``require_network(module, x, predicted)``: the predictions come from its parameters.

    An FNN of the parameters it shows is run out here, with each activation in turn (or with the one
    that is named), on x scaled as its gradients say; up to one factor and one constant the
    predictions must be the output.
    """

    def check(module, x, predicted, activation=None):
        arrays = [_numbers(tensor) for tensor in parameters(module).values()]
        sizes = _sizes(arrays)
        scaled = seen(module, x)[:, None]
        wide = max(float(np.ptp(predicted)), 1e-3)
        errors = []
        for name in [activation] if activation else reference.layers.ACTIVATIONS:
            ours = reference.layers.MLP(sizes, name, np.random.default_rng(0))
            ours.set_parameters(arrays)
            z = ours.forward(scaled)[:, 0]
            factor, constant = straight_line(z, predicted)
            errors.append(float(np.max(np.abs(factor * z + constant - predicted))))
        require(
            min(errors) <= SHARE * wide,
            f"the network of these parameters is {min(errors):.3g} off the predictions",
        )

    return check
