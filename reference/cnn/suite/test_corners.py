"""Corners that no other test looks into: buffers, depth, the mode of training, every setting."""

import pytest
import torch
from torch.nn import functional as F

from grader.suite import (
    as_object,
    as_tensor,
    assert_matches,
    attribute,
    parameters,
    require,
    set_training,
)


@pytest.mark.item("network", weight=0.5)
@pytest.mark.hint("register_buffer: mean is 0 and std is 255 until train sets them.")
def test_an_untrained_network_scales_by_255(student):
    """The buffers of an untrained network are mean 0 and std 255, for each colour."""
    module = student.model.build(8)
    assert_matches(attribute(module, "mean"), torch.zeros(3))
    assert_matches(attribute(module, "std"), torch.full((3,), 255.0))


@pytest.mark.item("network", weight=0.5)
@pytest.mark.hint("Depth 6n + 2 has n blocks in each of three stages, for every n.")
def test_a_network_of_depth_32_has_five_blocks_a_stage(student, twin):
    """Depth 32 has five blocks in each stage."""
    twin(student, student.model.build(32, width=4), 32, width=4)


@pytest.mark.item("training")
@pytest.mark.hint(
    "Call model.train() before the first epoch: who calls may have left it in eval()."
)
def test_training_puts_the_model_in_training_mode(student, rng):
    """A network that comes in evaluation mode is trained in training mode."""
    module = as_object(student.model.build(8))
    set_training(module, False)
    images = torch.tensor(rng.integers(0, 256, (64, 3, 8, 8)), dtype=torch.uint8)
    student.model.train(module, images, torch.tensor(rng.integers(0, 10, 64)), 0, epochs=1)
    running = student.model.buffers(module)
    require(type(running) is dict, "buffers(model) must give a dict: leave it as it was given")
    means = [
        as_tensor(tensor, finite=False)
        for name, tensor in running.items()
        if "running_mean" in name
    ]
    moved = [mean for mean in means if bool((mean != 0).any())]
    require(len(moved) == 7, f"{len(moved)} of 7 norms have seen the batch")


def kernels(module):
    """Return the kernels of a student's convolutions as they are now, each as a vector."""
    tensors = [as_tensor(tensor).detach() for tensor in parameters(as_object(module)).values()]
    return [tensor.flatten().clone() for tensor in tensors if tensor.ndim == 4]


@pytest.mark.item("accuracy", weight=0.5)
@pytest.mark.depends("test_a_network_of_depth_32_has_five_blocks_a_stage")
@pytest.mark.hint("train goes on from the weights that the model has, and moves them step by step.")
def test_training_goes_on_from_the_weights_it_is_given(student, split, variant, rng):
    """After five epochs on real images every kernel is another, and still like its first self."""
    data = split(int(rng.integers(2**31)), variant["train"] // 2, 1, 15)
    module = as_object(student.model.build(8, classes=len(data.names)))
    before = kernels(module)
    with student.budget(cpu_seconds=60):
        student.model.train(module, data.train_x, data.train_y, 0, epochs=5)
    for start, end in zip(before, kernels(module), strict=True):
        alike = float(F.cosine_similarity(start, end, dim=0))
        # 0.82 to 0.95 by the recipe; weights from elsewhere have 0, give or take 0.05.
        require(0.5 < alike < 0.9999, f"a kernel's cosine with its first self is {alike:.4f}")
