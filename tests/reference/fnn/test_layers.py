"""The NumPy layers against torch, finite differences and numbers worked by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn import functional as F

TORCH = {
    "identity": lambda x: x,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "softplus": F.softplus,
    "swish": F.silu,
    "gelu": F.gelu,
}
LOGITS = arrays(np.float64, (3, 4), elements=st.floats(-1e4, 1e4))


def close(actual, expected, tolerance=1e-10):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def test_every_activation_has_an_oracle(fnn):
    assert set(fnn.layers.ACTIVATIONS) == set(TORCH)


@pytest.mark.parametrize("name", TORCH)
def test_activation_and_derivative_agree_with_autograd(fnn, name):
    # torch's softplus is linear above 20, exact only to 2e-9: stay below.
    values = np.concatenate([np.linspace(-8, 8, 41), [-700.0, 15.0]])
    x = torch.tensor(values, requires_grad=True)
    y = TORCH[name](x)
    y.sum().backward()
    nonzero = values != 0  # torch chooses another side of some kinks
    close(fnn.layers.activation(name, values), y.detach().numpy())
    close(fnn.layers.activation_grad(name, values)[nonzero], x.grad.numpy()[nonzero])


def test_derivatives_at_the_kink_are_those_from_the_left(fnn):
    for name, slope in (("relu", 0.0), ("leaky_relu", 0.01), ("elu", 1.0)):
        assert fnn.layers.activation_grad(name, np.zeros(1)) == slope


@pytest.mark.parametrize("name", TORCH)
def test_large_inputs_raise_no_warning_and_stay_finite(fnn, name):
    x = np.array([-1e6, -1000.0, 1000.0, 1e6])
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(fnn.layers.activation(name, x)).all()
        assert np.isfinite(fnn.layers.activation_grad(name, x)).all()


def test_known_values(fnn):
    close(fnn.layers.softmax(np.array([1.2, 4.0, 0.2])), [0.05614, 0.92321, 0.02065], 5e-6)
    large = np.array([1000.0, 1001.0, 1002.0])
    close(large - fnn.layers.log_softmax(large), 1002.40761, 1e-8)
    loss, _ = fnn.layers.cross_entropy(np.log([[0.7, 0.3]]), np.array([0]))
    close(loss, 0.356675, 1e-6)
    x = np.array([-1.0, 0.5, 2.0])
    close(fnn.layers.activation("gelu", x), [-0.15866, 0.34573, 1.9545], 5e-5)


@given(z=LOGITS)
def test_softmax_is_a_distribution_and_agrees_with_torch(fnn, z):
    p = fnn.layers.softmax(z)
    close(p.sum(axis=-1), 1.0)
    close(p, torch.softmax(torch.tensor(z), -1).numpy())
    close(fnn.layers.log_softmax(z), torch.log_softmax(torch.tensor(z), -1).numpy())


@given(z=LOGITS, labels=arrays(np.int64, 3, elements=st.integers(0, 3)))
def test_cross_entropy_agrees_with_torch(fnn, z, labels):
    logits = torch.tensor(z, requires_grad=True)
    expected = F.cross_entropy(logits, torch.tensor(labels))
    expected.backward()
    loss, gradient = fnn.layers.cross_entropy(z, labels)
    assert type(loss) is float
    close(loss, expected.item())
    close(gradient, logits.grad.numpy())


@pytest.mark.parametrize(
    ("kind", "std"),
    [
        pytest.param("xavier_normal", math.sqrt(2 / 900), id="xavier_normal"),
        pytest.param("xavier_uniform", math.sqrt(2 / 900), id="xavier_uniform"),
        pytest.param("he_normal", math.sqrt(2 / 500), id="he_normal"),
        pytest.param("he_uniform", math.sqrt(2 / 500), id="he_uniform"),
    ],
)
def test_initialisation_has_the_spread_of_its_paper(fnn, kind, std):
    w = fnn.layers.initialise(kind, 500, 400, np.random.default_rng(0))
    assert w.shape == (400, 500)
    assert w.std() == pytest.approx(std, rel=0.01)


def torch_twin(mlp, activation, x):
    """Run the same parameters through torch; return them and the output."""
    parameters = [torch.tensor(p, requires_grad=True) for p in mlp.parameters()]
    h = torch.tensor(x)
    layers = list(zip(parameters[0::2], parameters[1::2], strict=True))
    for number, (w, b) in enumerate(layers):
        h = F.linear(h, w, b)
        if number < len(layers) - 1:
            h = TORCH[activation](h)
    return parameters, h


@pytest.mark.parametrize("activation", TORCH)
@pytest.mark.parametrize("sizes", [(3, 2), (3, 7, 2), (3, 6, 5, 4, 2)], ids=str)
def test_mlp_agrees_with_autograd(fnn, activation, sizes):
    rng = np.random.default_rng(1)
    mlp = fnn.layers.MLP(sizes, activation, rng)
    mlp.set_parameters([p + rng.normal(0, 0.3, p.shape) for p in mlp.parameters()])
    x, dy = rng.normal(0, 1, (5, 3)), rng.normal(0, 1, (5, 2))
    parameters, y = torch_twin(mlp, activation, x)
    y.backward(torch.tensor(dy))
    close(mlp.forward(x), y.detach().numpy())
    for gradient, parameter in zip(mlp.backward(dy), parameters, strict=True):
        close(gradient, parameter.grad.numpy())


def test_the_exam_network_by_hand(fnn):
    """ReLU network without bias: y = -2, L = 4.5, dV = (-6, 0), dW = ((3, -3), (0, 0))."""
    mlp = fnn.layers.MLP((2, 2, 1), "relu", np.random.default_rng(0))
    mlp.set_parameters([[[1, -1], [0, 2]], [0, 0], [[-1, 1]], [0]])
    y = mlp.forward(np.array([[1.0, -1.0]]))
    assert y.item() == -2.0
    dw, _, dv, _ = mlp.backward(y - 1.0)
    assert dv.tolist() == [[-6.0, 0.0]]
    assert dw.tolist() == [[3.0, -3.0], [0.0, 0.0]]


def test_he_holds_a_signal_through_ten_layers_and_xavier_loses_it(fnn):
    rng = np.random.default_rng(0)
    spreads = {}
    for kind in ("he_normal", "xavier_normal"):
        h = rng.standard_normal((200, 500))
        for _ in range(10):
            h = fnn.layers.activation("relu", h @ fnn.layers.initialise(kind, 500, 500, rng).T)
        spreads[kind] = h.std()
    assert spreads["he_normal"] == pytest.approx(0.70, abs=0.3)
    assert spreads["xavier_normal"] == pytest.approx(0.027, abs=0.015)


@pytest.mark.parametrize("call", ["activation", "activation_grad"])
def test_unknown_names_are_refused_with_the_known_ones(fnn, call):
    with pytest.raises(ValueError, match="softplus"):
        getattr(fnn.layers, call)("sigmoide", np.zeros(2))
    with pytest.raises(ValueError, match="he_normal"):
        fnn.layers.initialise("he", 2, 2, np.random.default_rng(0))


def test_nothing_given_is_changed(fnn):
    rng = np.random.default_rng(2)
    z, labels = rng.normal(0, 1, (4, 3)), np.array([0, 1, 2, 0])
    before = z.copy()
    for name in TORCH:
        fnn.layers.activation(name, z)
        fnn.layers.activation_grad(name, z)
    fnn.layers.cross_entropy(z, labels)
    mlp = fnn.layers.MLP((3, 5, 3), "relu", rng)
    mlp.forward(z)
    mlp.backward(z)
    assert np.array_equal(z, before)
