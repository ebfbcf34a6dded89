"""The NumPy optimisers against torch.optim, the schedules against numbers worked by hand."""

import numpy as np
import pytest
import torch

BY_HAND = {
    "sgd": -0.2,
    "momentum": -0.551,
    "nesterov": -0.6959,
    "adagrad": -0.148618,
    "rmsprop": -0.465985,
    "adam": -0.238527,
}


def torch_optimiser(name, parameters):
    return {
        "sgd": lambda: torch.optim.SGD(parameters, lr=0.1),
        "momentum": lambda: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
        "nesterov": lambda: torch.optim.SGD(parameters, lr=0.1, momentum=0.9, nesterov=True),
        "adagrad": lambda: torch.optim.Adagrad(parameters, lr=0.1, eps=1e-8),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, lr=0.1, alpha=0.9, eps=1e-8),
        "adam": lambda: torch.optim.Adam(parameters, lr=0.1, eps=1e-8),
    }[name]()


@pytest.mark.parametrize("name", BY_HAND)
def test_three_steps_by_hand(fnn, name):
    w, state = np.zeros(1), None
    for gradient in (1.0, 2.0, -1.0):
        w, state = fnn.optim.step(name, w, np.array([gradient]), state, lr=0.1)
    assert w.item() == pytest.approx(BY_HAND[name], abs=1e-6)


@pytest.mark.parametrize("name", BY_HAND)
def test_twenty_steps_agree_with_torch(fnn, name):
    rng = np.random.default_rng(0)
    w, state = rng.normal(0, 1, (3, 2)), None
    parameter = torch.tensor(w, requires_grad=True)
    optimiser = torch_optimiser(name, [parameter])
    for _ in range(20):
        gradient = rng.normal(0, 1, (3, 2))
        parameter.grad = torch.tensor(gradient)
        optimiser.step()
        w, state = fnn.optim.step(name, w, gradient, state, lr=0.1)
    np.testing.assert_allclose(w, parameter.detach().numpy(), rtol=1e-9)


def test_nesterov_is_the_look_ahead_form_seen_from_the_look_ahead_point(fnn):
    """Sutskever's form: v <- mu v - lr grad(theta + mu v), theta <- theta + v."""
    theta, v, mu, lr = 2.0, 0.0, 0.9, 0.05
    w, state = np.array([theta]), None
    for _ in range(15):
        v_next = mu * v - lr * (theta + mu * v)  # the gradient of x^2 / 2 is x
        theta, v = theta + v_next, v_next
        w, state = fnn.optim.step("nesterov", w, w.copy(), state, lr=lr, momentum=mu)
        assert w.item() == pytest.approx(theta + mu * v)


@pytest.mark.parametrize("name", BY_HAND)
def test_a_step_changes_nothing_it_was_given(fnn, name):
    w, gradient = np.ones(3), np.full(3, 0.5)
    _, state = fnn.optim.step(name, w, gradient, None, lr=0.1)
    kept = [np.copy(part) for part in state] if isinstance(state, tuple) else np.copy(state)
    fnn.optim.step(name, w, gradient, state, lr=0.1)
    assert w.tolist() == [1, 1, 1] and gradient.tolist() == [0.5, 0.5, 0.5]
    if isinstance(state, tuple):
        assert all(np.array_equal(a, b) for a, b in zip(state, kept, strict=True))
    elif state is not None:
        assert np.array_equal(state, kept)


@pytest.mark.parametrize(
    ("t", "kind", "options", "rate"),
    [
        pytest.param(50, "inverse", {"beta": 0.01}, 0.066667, id="inverse"),
        pytest.param(50, "exponential", {"beta": 0.99}, 0.060501, id="exponential"),
        pytest.param(50, "natural_exponential", {"beta": 0.01}, 0.060653, id="natural"),
        pytest.param(50, "cosine", {"total": 100}, 0.05, id="cosine"),
        pytest.param(250, "cosine", {"total": 100}, 0.0, id="cosine-after-its-end"),
        pytest.param(5, "warmup", {"warmup": 10}, 0.05, id="warmup"),
        pytest.param(50, "warmup", {"warmup": 10}, 0.1, id="warmup-after-its-end"),
    ],
)
def test_schedules_by_hand(fnn, t, kind, options, rate):
    found = fnn.optim.learning_rate(t, kind, alpha0=0.1, **options)
    assert type(found) is float
    assert found == pytest.approx(rate, abs=1e-6)


def test_cosine_agrees_with_torch(fnn):
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 40)
    for t in range(41):
        rate = fnn.optim.learning_rate(t, "cosine", alpha0=0.3, total=40)
        assert rate == pytest.approx(schedule.get_last_lr()[0], abs=1e-12)
        optimiser.step()
        schedule.step()


def test_unknown_names_are_refused_with_the_known_ones(fnn):
    with pytest.raises(ValueError, match="nesterov"):
        fnn.optim.step("nesterow", np.zeros(1), np.zeros(1), None, lr=0.1)
    with pytest.raises(ValueError, match="warmup"):
        fnn.optim.learning_rate(0, "linear", alpha0=0.1)
