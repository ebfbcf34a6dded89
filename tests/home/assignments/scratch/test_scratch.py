"""Public tests."""

import torch
from scratch import layers


def test_conv2d():
    """conv2d of ones counts."""
    answer = layers.conv2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
    assert answer.item() == 4.0, "conv2d of four ones should be 4"
