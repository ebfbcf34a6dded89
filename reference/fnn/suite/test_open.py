"""The open part: the same fit on harder functions."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from grader.suite import RemoteObject, require

TRAIN_POINTS, TEST_POINTS = 512, 1000
FIT_CPU_SECONDS = 15
FUNCTIONS = 3  # of the second bar: where one training ends varies by a factor of three


@dataclass(frozen=True)
class Learnt:
    """What fit made of a hard function: predictions at fresh points beside the true values."""

    x: np.ndarray
    wanted: np.ndarray
    predicted: np.ndarray

    @property
    def mse(self):
        """The mean squared error."""
        return float(np.mean((self.predicted - self.wanted) ** 2))


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


@pytest.fixture
def learn(student, rng, predict, require_network):
    """Give ``learn()``: let the student's fit learn a hard function that is drawn anew."""

    def once():
        function = hard_function(rng)
        x = 2 * np.pi * rng.permutation(TRAIN_POINTS) / TRAIN_POINTS
        fresh = np.sort(rng.uniform(0, 2 * np.pi, TEST_POINTS))
        points, values = (
            torch.tensor(v, dtype=torch.float32).reshape(-1, 1) for v in (x, function(x))
        )
        with student.budget(cpu_seconds=FIT_CPU_SECONDS):
            module = student.model.fit(points, values, int(rng.integers(2**31)))
        require(isinstance(module, RemoteObject), "fit(...) gave a plain value, not a module")
        predicted = predict(module, fresh)
        require_network(module, fresh, predicted)
        return Learnt(fresh, function(fresh), predicted)

    return once


@pytest.mark.item("hard-function")
@pytest.mark.depends("test_model.py::test_every_hidden_layer_learns_from_the_values")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint(
    "Fine detail is learnt last: look at the first layer's initial weights, train on."
)
def test_fit_learns_fine_detail(learn, bar, figure):
    """Test error on a function with up to eleven periods."""
    found = learn()
    axes = figure("hard", "The harder function and what the network made of it")
    axes.plot(found.x, found.wanted, color="black", label="function")
    axes.plot(found.x, found.predicted, "--", color="tab:orange", label="network")
    axes.legend()
    bar("detail-mse", found.mse)


@pytest.mark.item("hard-function")
@pytest.mark.depends("test_fit_learns_fine_detail")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint(
    "Adam alone comes to rest far above the floor: without noise, use curvature (LBFGS of torch)."
)
def test_fit_learns_fine_detail_to_the_floor(learn, bar):
    """Test error on three more such functions, their geometric mean, by the second bar."""
    bar("detail-mse-far", float(np.exp(np.mean([np.log(learn().mse) for _ in range(FUNCTIONS)]))))
