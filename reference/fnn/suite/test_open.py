"""The open part: the same fit on a harder function."""

import numpy as np
import pytest
import torch

from grader.suite import RemoteObject, require

TRAIN_POINTS, TEST_POINTS = 512, 1000
FIT_CPU_SECONDS = 15


def hard_function(rng):
    """Return waves of 1, 5 and 11 periods on [0, 2 pi) with random phases."""
    phases = rng.uniform(0, 2 * np.pi, 3)

    def function(x):
        return (
            np.sin(x + phases[0])
            + 0.5 * np.sin(5 * x + phases[1])
            + 0.25 * np.sin(11 * x + phases[2])
        )

    return function


@pytest.mark.item("hard-function")
@pytest.mark.depends("test_model.py::test_every_hidden_layer_learns_from_the_values")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint(
    "Fine detail is learnt last: look at the first layer's initial weights, train on."
)
def test_fit_learns_fine_detail(student, rng, bar, figure, predict, require_network):
    """Test error on a function with up to eleven periods."""
    function = hard_function(rng)
    x = 2 * np.pi * rng.permutation(TRAIN_POINTS) / TRAIN_POINTS
    fresh = np.sort(rng.uniform(0, 2 * np.pi, TEST_POINTS))
    points, values = (torch.tensor(v, dtype=torch.float32).reshape(-1, 1) for v in (x, function(x)))
    with student.budget(cpu_seconds=FIT_CPU_SECONDS):
        module = student.model.fit(points, values, int(rng.integers(2**31)))
    require(isinstance(module, RemoteObject), "fit(...) gave a plain value, not a module")
    predicted = predict(module, fresh)
    axes = figure("hard", "The harder function and what the network made of it")
    axes.plot(fresh, function(fresh), color="black", label="function")
    axes.plot(fresh, predicted, "--", color="tab:orange", label="network")
    axes.legend()
    require_network(module, fresh, predicted)
    bar("detail-mse", np.mean((predicted - function(fresh)) ** 2))
