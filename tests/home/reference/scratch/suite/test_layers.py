"""Hidden tests."""

import pytest
import torch

from grader.suite import assert_matches


@pytest.fixture
def tensors(seed):
    """Return a function that draws tensors of given shapes."""
    generator = torch.Generator().manual_seed(seed)
    return lambda *shapes: [torch.randn(shape, generator=generator) for shape in shapes]


@pytest.mark.item("convolution")
def test_conv2d(student, reference, tensors):
    """conv2d is a convolution."""
    x, w = tensors((2, 3, 5, 6), (4, 3, 2, 3))
    assert_matches(student.layers.conv2d(x, w), reference.layers.conv2d(x, w))


@pytest.mark.item("convolution")
def test_conv2d_of_one_kernel(shared_student, reference, tensors):
    """conv2d works for one kernel."""
    x, w = tensors((1, 1, 4, 4), (1, 1, 1, 1))
    assert_matches(shared_student.layers.conv2d(x, w), reference.layers.conv2d(x, w))


@pytest.mark.item("attention")
def test_attention(shared_student, reference, tensors):
    """attention weighs values."""
    q, k, v = tensors(*[(2, 4, 3)] * 3)
    assert_matches(shared_student.layers.attention(q, k, v), reference.layers.attention(q, k, v))


@pytest.mark.item("features")
def test_features(student, reference, tensors):
    """features are a rectified convolution."""
    x, w = tensors((1, 2, 4, 4), (3, 2, 2, 2))
    assert_matches(student.model.features(x, w), reference.model.features(x, w))
