"""Public tests of the lab fnn: run ``python -m pytest test_fnn.py`` beside the folder ``fnn``.

They need the student's package, NumPy, torch and pytest, and show small examples worked by hand.
Passing them is a good start, not full marks: the hidden tests ask for more.
"""

import functools
import math

import numpy as np
import pytest
import torch
from fnn import layers, model, optim, study


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
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"shape {actual.shape}, expected {expected.shape}"
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


X = np.array([-1.0, 0.5, 2.0])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param("identity", [-1, 0.5, 2], id="identity"),
        pytest.param("sigmoid", [0.268941, 0.622459, 0.880797], id="sigmoid"),
        pytest.param("tanh", [-0.761594, 0.462117, 0.964028], id="tanh"),
        pytest.param("relu", [0, 0.5, 2], id="relu"),
        pytest.param("leaky_relu", [-0.01, 0.5, 2], id="leaky_relu"),
        pytest.param("elu", [-0.632121, 0.5, 2], id="elu"),
        pytest.param("softplus", [0.313262, 0.974077, 2.126928], id="softplus"),
        pytest.param("swish", [-0.268941, 0.311230, 1.761594], id="swish"),
        pytest.param("gelu", [-0.158655, 0.345731, 1.954500], id="gelu"),
    ],
)
@told
def test_activation(name, values):
    """Values at -1, 0.5 and 2."""
    close(layers.activation(name, X), values)


@pytest.mark.parametrize("name", layers.ACTIVATIONS)
@told
def test_activation_grad_is_the_slope_of_activation(name):
    """The derivative equals a central difference."""
    h = 1e-6
    slope = (layers.activation(name, X + h) - layers.activation(name, X - h)) / (2 * h)
    close(layers.activation_grad(name, X), slope)


@told
def test_softmax():
    """Three logits, by hand."""
    close(layers.softmax(np.array([[1.2, 4.0, 0.2]])), [[0.056141, 0.923207, 0.020653]])


@told
def test_log_softmax():
    """Large logits: logsumexp(1000, 1001, 1002) = 1002.4076."""
    z = np.array([[1000.0, 1001.0, 1002.0]])
    close(layers.log_softmax(z), z - 1002.407606)


@told
def test_cross_entropy():
    """Minus log-probability, mean over two rows; 1/N is in the gradient."""
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]]))
    loss, gradient = layers.cross_entropy(logits, np.array([0, 2]))
    close(loss, (0.356675 + 0.693147) / 2)
    close(gradient, [[-0.15, 0.1, 0.05], [0.125, 0.125, -0.25]])


@told
def test_initialise_gives_fan_out_rows_of_the_right_size():
    """he_normal: shape [fan_out, fan_in], std sqrt(2 / fan_in)."""
    w = layers.initialise("he_normal", 400, 300, np.random.default_rng(0))
    assert w.shape == (300, 400)
    assert abs(w.std() - math.sqrt(2 / 400)) < 0.003


@told
def test_mlp_by_hand():
    """A network of two layers, forward and backward."""
    # h = relu(W x) = (2, 0), y = -2; with t = 1 and L = (y - t)^2 / 2: dL/dy = -3
    mlp = layers.MLP([2, 2, 1], "relu", np.random.default_rng(0))
    w, v = np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([[-1.0, 1.0]])
    mlp.set_parameters([w, np.zeros(2), v, np.zeros(1)])
    close(mlp.forward(np.array([[1.0, -1.0]])), [[-2.0]])
    dw, db, dv, dc = mlp.backward(np.array([[-3.0]]))
    close(dv, [[-6.0, 0.0]])
    close(dc, [-3.0])
    close(dw, [[3.0, -3.0], [0.0, 0.0]])
    close(db, [3.0, 0.0])


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        pytest.param("sgd", [-0.1, -0.3, -0.2], id="sgd"),
        pytest.param("momentum", [-0.1, -0.39, -0.551], id="momentum"),
        pytest.param("nesterov", [-0.19, -0.651, -0.6959], id="nesterov"),
        pytest.param("adagrad", [-0.1, -0.189443, -0.148618], id="adagrad"),
        pytest.param("rmsprop", [-0.316228, -0.601942, -0.465985], id="rmsprop"),
        pytest.param("adam", [-0.1, -0.196518, -0.238527], id="adam"),
    ],
)
@told
def test_step(name, weights):
    """Three steps on the gradients 1, 2, -1 from w = 0."""
    w, state = np.zeros(1), None
    for gradient, expected in zip((1.0, 2.0, -1.0), weights, strict=True):
        w, state = optim.step(name, w, np.array([gradient]), state, lr=0.1)
        close(w, [expected])


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        pytest.param("inverse", {"beta": 0.01}, 0.066667, id="inverse"),
        pytest.param("exponential", {"beta": 0.99}, 0.060501, id="exponential"),
        pytest.param("natural_exponential", {"beta": 0.01}, 0.060653, id="natural_exponential"),
        pytest.param("cosine", {"total": 100}, 0.05, id="cosine"),
        pytest.param("warmup", {"warmup": 100}, 0.05, id="warmup"),
    ],
)
@told
def test_learning_rate(kind, options, expected):
    """Each schedule at step 50."""
    close(optim.learning_rate(50, kind, alpha0=0.1, **options), expected)


@told
def test_fnn_has_the_asked_layers():
    """Parameters in order from input to output."""
    shapes = [tuple(p.shape) for p in model.FNN(2, 5, "tanh").parameters()]
    assert shapes == [(5, 1), (5,), (5, 5), (5,), (1, 5), (1,)]


@told
def test_fit_learns_the_function_of_the_term():
    """The bar of the handout, on points between the training points."""
    low, high = study.DOMAINS[study.VARIANT]
    x = np.linspace(low, high, 512, endpoint=False)[:, None]
    between = x + (high - low) / 1024
    network = model.fit(
        torch.tensor(x, dtype=torch.float32),
        torch.tensor(study.target(study.VARIANT, x), dtype=torch.float32),
        0,
    )
    with torch.no_grad():
        prediction = network(torch.tensor(between, dtype=torch.float32)).numpy()
    error = prediction - study.target(study.VARIANT, between)
    mse, largest = np.mean(error**2), np.max(np.abs(error))
    assert mse <= 1e-4, f"the MSE is {mse:.2g}; train longer or look at your scaling"
    assert largest <= 0.06, f"the largest error is {largest:.2g}; look at the ends of the domain"


@told
def test_run_cell_measures_what_fit_makes_of_the_same_seed():
    """Three cells, each beside the network that it promises to measure."""
    low, high = study.DOMAINS[study.VARIANT]
    x = np.linspace(low, high, study.TRAIN_POINTS)[:, None]
    points, values = (
        torch.tensor(v, dtype=torch.float32) for v in (x, study.target(study.VARIANT, x))
    )
    between = np.linspace(low, high, 4001)[:, None]
    apart = []
    for seed in range(3):
        settings = {**study.BASE, "width": 16}
        network = model.fit(points, values, seed, steps=study.STEPS, **settings)
        with torch.no_grad():
            prediction = network(torch.tensor(between, dtype=torch.float32)).double().numpy()
        mse = np.mean((prediction - study.target(study.VARIANT, between)) ** 2)
        apart.append(abs(study.run_cell("width", 16, seed) - math.log10(mse)))
    assert np.mean(apart) <= 0.1, (
        f"run_cell is {np.mean(apart):.2f} off the networks of fit: does it call fit with "
        "np.linspace(low, high, TRAIN_POINTS), steps=STEPS and the seed of the cell?"
    )


@told
def test_run_cell_gives_the_same_number_for_the_same_seed():
    """A cell can be run again."""
    first, again = (study.run_cell("width", 8, 1) for _ in range(2))
    assert math.isfinite(first)
    assert abs(first - again) < 1e-6
