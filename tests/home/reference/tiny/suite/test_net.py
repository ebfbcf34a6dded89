"""Hidden tests of the second part."""

import numpy as np
import pytest

from grader.suite import as_array, as_object, assert_matches, attribute


@pytest.fixture(scope="module")
def layer(shared_student):
    return as_object(shared_student.net.Linear(3, 2))


@pytest.mark.item("linear")
@pytest.mark.hint("Look at __call__.")
def test_linear_maps_three_to_two(layer):
    """Linear maps (N, 3) to (N, 2)."""
    as_array(layer(np.ones((5, 3))), (5, 2), np.float64)


@pytest.mark.item("linear")
@pytest.mark.depends("test_linear_maps_three_to_two")
def test_linear_is_affine(layer):
    """Linear computes x W^T + b."""
    weight, bias = (as_array(attribute(layer, name)) for name in ("weight", "bias"))
    assert weight.size + bias.size == 8
    x = np.arange(6.0).reshape(2, 3)
    assert_matches(layer(x), x @ weight.T + bias)
