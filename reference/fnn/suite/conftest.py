"""What the tests of model and study share: the term's function, and the proof of a network."""

import numpy as np
import pytest
import torch

from grader.suite import as_tensor, gradients, parameters, require

PROBES = 8
# Rounding of float32 stays far below it, and a network this close to its predictions meets the
# handout's bars as well as they do.
SHARE = 2e-3


def _column(values):
    return torch.tensor(np.asarray(values), dtype=torch.float32).reshape(-1, 1)


def _sizes(tensors):
    """Return the sizes of the layers; AssertionError if these are no FNN's parameters."""
    shapes = [tuple(tensor.shape) for tensor in tensors]
    require(len(shapes) >= 4 and len(shapes) % 2 == 0, f"parameters of shapes {shapes}")
    require(all(len(shape) == 1 for shape in shapes[1::2]), f"parameters of shapes {shapes}")
    sizes = [1, *(shape[0] for shape in shapes[1::2])]
    chained = [s for a, b in zip(sizes[:-1], sizes[1:], strict=True) for s in ((b, a), (b,))]
    require(shapes == chained and sizes[-1] == 1, f"parameters of shapes {shapes}")
    return sizes


def _seen(module, x):
    """Return what the first layer sees for x: dL/dW_1 = dL/db_1 x, at the unit that counts most."""
    found = list(gradients(module, _column(x), _column(1.0)).values())
    require(len(found) >= 4 and found[0] is not None and found[1] is not None, "no gradient")
    weight, bias = (as_tensor(g).detach().double().numpy().ravel() for g in found[:2])
    require(weight.shape == bias.shape, "gradients of other shapes than their parameters")
    unit = int(np.argmax(np.abs(bias)))
    require(bias[unit] != 0, "the first layer takes no part in the prediction")
    return weight[unit] / bias[unit]


@pytest.fixture(scope="session")
def term(variant):
    """Give the function of the variant, by its formula in the manifest."""
    return {
        "sin x + cos x + sin x cos x": lambda x: np.sin(x) + np.cos(x) + np.sin(x) * np.cos(x),
        "log2 x + cos(pi x / 2)": lambda x: np.log2(x) + np.cos(np.pi * x / 2),
        "sin x": np.sin,
    }[variant["formula"]]


@pytest.fixture
def require_network(reference):
    """Give ``require_network(module, x, predicted)``: the predictions come from its parameters.

    An FNN of the parameters it shows is run out here, with each activation in turn, on x scaled
    as its gradients say; up to one factor and one constant the predictions must be the output.
    """

    def check(module, x, predicted):
        tensors = [as_tensor(t, dtype=torch.float32) for t in parameters(module).values()]
        sizes = _sizes(tensors)
        arrays = [tensor.detach().double().numpy() for tensor in tensors]
        probes = np.linspace(float(np.min(x)), float(np.max(x)), PROBES)
        scale = np.polynomial.Polynomial.fit(probes, [_seen(module, p) for p in probes], 1)
        wide = max(float(np.ptp(predicted)), 1e-3)
        errors = []
        for name in reference.layers.ACTIVATIONS:
            ours = reference.layers.MLP(sizes, name, np.random.default_rng(0))
            ours.set_parameters(arrays)
            z = ours.forward(scale(np.asarray(x))[:, None])[:, 0]
            terms = np.stack([z, np.ones_like(z)], axis=1)
            factors = np.linalg.lstsq(terms, predicted, rcond=None)[0]
            errors.append(float(np.max(np.abs(terms @ factors - predicted))))
        require(
            min(errors) <= SHARE * wide,
            f"the network of these parameters is {min(errors):.3g} off the predictions",
        )

    return check
