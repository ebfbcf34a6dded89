"""Promises of the docstrings that other tests leave open: every fan, every layer, every step."""

import numpy as np
import pytest
import torch

from grader.suite import (
    as_array,
    as_object,
    as_tensor,
    assert_matches,
    parameters,
    require,
    require_unchanged,
)

OPTIMISERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
# A wrong function is one idea: it is asked no more.
RIGHT_ACTIVATIONS = [
    pytest.param(
        name,
        marks=pytest.mark.depends(
            f"test_layers.py::test_activation[{name}]",
            f"test_layers.py::test_activation_grad[{name}]",
        ),
    )
    for name in ("relu", "leaky_relu", "elu", "sigmoid", "softplus", "gelu")
]
RIGHT_ONES = [
    pytest.param(name, marks=pytest.mark.depends(f"test_optim.py::test_trajectory[{name}]"))
    for name in OPTIMISERS
]
RATE = 1e-4  # so small that two steps see one gradient


@pytest.mark.item("initialisation", weight=0.5)
@pytest.mark.hint("fan_in counts the inputs of a unit and no bias; fan_out the units.")
@pytest.mark.parametrize("kind", ["xavier_uniform", "xavier_normal", "he_uniform", "he_normal"])
def test_a_single_input_is_a_fan_of_one(student, seed, kind):
    """With one input the spread is that of a fan of 1: the bias is none."""
    generator = student.numpy_generator(seed)
    # One and a half thousand draws: the std has a relative sd of 0.018 (normal) or less. With the
    # bias counted Xavier's is 0.82 of the right one, He's 0.71.
    if kind.startswith("he"):
        w = as_array(student.layers.initialise(kind, 1, 1500, generator), (1500, 1), np.float64)
        std = np.sqrt(2)
    else:
        drawn = [student.layers.initialise(kind, 1, 1, generator) for _ in range(1500)]
        w = np.concatenate([as_array(one, (1, 1), np.float64) for one in drawn])
        std = 1.0
    require(abs(w.std() / std - 1) < 0.13, f"std {w.std():.3g}, expected {std:.3g}")


@pytest.mark.item("initialisation", weight=0.5)
@pytest.mark.hint("The last layer starts like every other one: He for rectifiers, else Xavier.")
@pytest.mark.parametrize(("name", "family"), [("relu", "he"), ("tanh", "xavier")])
def test_every_layer_starts_alike(student, seed, name, family):
    """Each weight matrix of an MLP, the last one too, has the spread of its own fans."""
    sizes = (200, 150, 120, 250)
    mlp = student.layers.MLP(list(sizes), name, student.numpy_generator(seed))
    arrays = as_object(mlp).parameters()
    require(type(arrays) in (list, tuple) and len(arrays) == 6, "expected six arrays")
    for w, fan_in, fan_out in zip(arrays[0::2], sizes[:-1], sizes[1:], strict=True):
        w = as_array(w, (fan_out, fan_in), np.float64)
        std = np.sqrt(2 / fan_in if family == "he" else 2 / (fan_in + fan_out))
        # 18,000 draws or more: a relative sd of 0.0053.
        require(abs(w.std() / std - 1) < 0.04, f"std {w.std():.3g}, expected {std:.3g}")


@pytest.mark.item("optimisers")
@pytest.mark.hint("lr is an argument of every step: keep no learning rate in the state.")
@pytest.mark.parametrize("name", RIGHT_ONES)
def test_a_step_takes_the_rate_it_is_given(student, reference, rng, name):
    """Six steps, each with a learning rate of its own, follow the reference."""
    w = ours = rng.normal(0, 1, 4)
    state = our_state = None
    for _ in range(6):
        gradient, lr = rng.normal(0, 1, 4), rng.uniform(0.01, 0.5)
        answer = student.optim.step(name, w, gradient, state, lr=lr)
        require(type(answer) in (tuple, list) and len(answer) == 2, "expected (new w, new state)")
        w, state = as_array(answer[0], (4,), np.float64), answer[1]
        ours, our_state = reference.optim.step(name, ours, gradient, our_state, lr=lr)
        assert_matches(w, ours)


@pytest.mark.item("optimisers", weight=0.5)
@pytest.mark.hint("w -= ... changes the caller's array: make a new one by w = w - ...")
@pytest.mark.parametrize("name", RIGHT_ONES)
def test_a_step_changes_no_array_it_is_given(student, rng, name):
    """Weights and gradient are the caller's: after two steps they are as they were."""
    w, state = rng.normal(0, 1, 4), None
    for _ in range(2):
        gradient = rng.normal(0, 1, 4)
        answer = require_unchanged(
            student, student.optim.step, name, w, gradient, state=state, lr=0.1
        )
        require(type(answer) in (tuple, list) and len(answer) == 2, "expected (new w, new state)")
        w, state = as_array(answer[0], (4,), np.float64), answer[1]


@pytest.mark.item("activations", weight=0.25)
@pytest.mark.hint("Work on a copy: x[x < 0] = 0 changes the array of whoever called.")
@pytest.mark.parametrize("name", RIGHT_ACTIVATIONS)
def test_an_activation_changes_no_array_it_is_given(student, rng, name):
    """Activation and derivative leave their argument as it was."""
    for function in (student.layers.activation, student.layers.activation_grad):
        require_unchanged(student, function, name, rng.normal(0, 2, (3, 4)))


@pytest.mark.item("softmax-loss", weight=0.5)
@pytest.mark.depends(
    "test_layers.py::test_softmax_along_the_last_axis",
    "test_layers.py::test_log_softmax",
    "test_layers.py::test_cross_entropy",
)
@pytest.mark.hint("z -= z.max() changes the caller's logits: subtract into a new array.")
def test_the_loss_changes_no_array_it_is_given(student, rng):
    """Softmax, its logarithm and the cross-entropy leave logits and labels as they were."""
    z = rng.normal(0, 2, (5, 4))
    for function in (student.layers.softmax, student.layers.log_softmax):
        require_unchanged(student, function, z)
    require_unchanged(student, student.layers.cross_entropy, z, rng.integers(0, 4, 5))


@pytest.mark.item("backpropagation", weight=0.5)
@pytest.mark.depends("test_layers.py::test_forward", "test_layers.py::test_backward")
@pytest.mark.hint("forward and backward leave x and dy alone: da *= ... changes the caller's dy.")
def test_a_network_changes_no_array_it_is_given(student, rng):
    """Forward leaves x as it was, backward dy."""
    mlp = as_object(student.layers.MLP([3, 4, 2], "relu", student.numpy_generator(0)))
    require_unchanged(student, mlp.forward, rng.normal(0, 1, (5, 3)))
    require_unchanged(student, mlp.backward, rng.normal(0, 1, (5, 2)))


@pytest.mark.item("fit", weight=0.5)
@pytest.mark.hint("With `steps` train by torch.optim.Adam: no other optimiser, and no L-BFGS.")
def test_a_step_of_fit_is_one_of_adam(student, variant, term):
    """Two steps move every parameter by the learning rate, whatever its gradient: Adam does."""
    x = np.linspace(variant["low"], variant["high"], 64)
    points, values = (torch.tensor(v, dtype=torch.float32).reshape(-1, 1) for v in (x, term(x)))

    def after(rate):
        settings = {"depth": 2, "width": 16, "activation": "tanh", "learning_rate": rate}
        module = as_object(student.model.fit(points, values, 3, steps=2, **settings))
        found = [as_tensor(p).detach().double().ravel() for p in parameters(module).values()]
        return torch.cat(found)

    # Both start alike, and Adam's first steps are the rate times the gradient's sign. The cosine
    # makes of two steps one and a half rates, a half or one, by where it begins to fall.
    apart = ((after(2 * RATE) - after(RATE)).abs() / RATE).numpy()
    low, middle, high = np.quantile(apart, [0.2, 0.5, 0.8])
    require(0.3 < middle < 1.8, f"twice the rate moves a parameter by {middle:.2f} rates more")
    require(high < 1.5 * low, f"some parameters move by {low:.2f} rates, others by {high:.2f}")
