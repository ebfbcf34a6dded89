"""Hidden tests of the torch part."""

import pytest
import torch

from grader.suite import as_object, as_tensor, assert_matches, gradients, parameters


@pytest.fixture(scope="module")
def layer(shared_student):
    return as_object(shared_student.net.Linear(3, 2))


@pytest.mark.item("linear")
@pytest.mark.hint("Subclass torch.nn.Module.")
def test_linear_maps_three_to_two(layer):
    """Linear maps (N, 3) to (N, 2)."""
    as_tensor(layer(torch.ones(5, 3)), (5, 2), torch.float32)


@pytest.mark.item("linear")
@pytest.mark.depends("test_linear_maps_three_to_two")
def test_linear_is_affine(layer, figure):
    """Linear computes x W^T + b."""
    named = parameters(layer)
    assert sum(p.numel() for p in named.values()) == 8
    x = torch.arange(6.0).reshape(2, 3)
    assert_matches(layer(x), x @ named["weight"].T + named["bias"])
    assert_matches(gradients(layer, x, torch.ones(2, 2))["bias"], torch.full((2,), 2.0))
    figure("weights", "The weights", visibility="visible").imshow(named["weight"].numpy())
