"""A model with any layer: the model solution."""

import torch.nn.functional as F


def features(x, w):
    """Return the convolution of x with w, rectified."""
    return F.relu(F.conv2d(x, w))
