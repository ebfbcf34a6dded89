"""The open part: the same fit on a harder function."""

import numpy as np
import pytest
import torch

from grader.suite import as_object

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


@pytest.fixture(scope="module")
def learnt(shared_student, shared_seed, predict, require_network):
    """Give ``learnt(number)``: the n-th function of this submission, its test points, predictions.

    The network is trained once; what does not come out of a network earns nothing.
    """
    made = {}

    def get(number):
        if number not in made:
            rng = np.random.default_rng([shared_seed, number])
            function = hard_function(rng)
            x = 2 * np.pi * rng.permutation(TRAIN_POINTS) / TRAIN_POINTS
            fresh = np.sort(rng.uniform(0, 2 * np.pi, TEST_POINTS))
            with shared_student.budget(cpu_seconds=FIT_CPU_SECONDS):
                module = as_object(
                    shared_student.model.fit(
                        column(x), column(function(x)), int(rng.integers(2**31))
                    )
                )
            predicted = predict(module, fresh)
            require_network(module, fresh, predicted)
            made[number] = function(fresh), fresh, predicted
        return made[number]

    return get


def column(values):
    """Return a float32 tensor [N, 1]."""
    return torch.tensor(np.asarray(values), dtype=torch.float32).reshape(-1, 1)


@pytest.mark.item("hard-function")
@pytest.mark.depends("test_model.py::test_nearly_the_same_values_give_nearly_the_same_network")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint(
    "Fine detail is learnt last: look at the first layer's initial weights, train on."
)
def test_fit_learns_fine_detail(learnt, bar, figure):
    """Test error on a function with up to eleven periods."""
    wanted, fresh, predicted = learnt(0)
    axes = figure("hard", "The harder function and what the network made of it")
    axes.plot(fresh, wanted, color="black", label="function")
    axes.plot(fresh, predicted, "--", color="tab:orange", label="network")
    axes.legend()
    bar("detail-mse", np.mean((predicted - wanted) ** 2))


@pytest.mark.item("hard-function")
@pytest.mark.depends("test_fit_learns_fine_detail")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint(
    "Once the first layer is steep enough, precision is a matter of the optimiser: let the rate "
    "fall to nothing, or end with a method that uses curvature, such as L-BFGS."
)
def test_fit_learns_fine_detail_to_the_last_digit(learnt, bar):
    """The geometric mean of the test errors on three such functions, for the second half."""
    errors = [np.mean((predicted - wanted) ** 2) for wanted, _, predicted in map(learnt, range(3))]
    bar("detail-precision", float(np.exp(np.mean(np.log(np.maximum(errors, 1e-12))))))
