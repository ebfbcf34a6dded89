"""Corners that no other test looks into: buffers, depth, the mode of training, every setting."""

import pytest
import torch

from grader.suite import (
    as_number,
    as_object,
    as_tensor,
    assert_matches,
    attribute,
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


@pytest.mark.item("training", weight=0.5)
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


def noise(rng, n, classes):
    """Draw images of noise and labels that mean nothing: whatever is learnt, numbers differ."""
    images = torch.tensor(rng.integers(0, 256, (n, 3, 8, 8)), dtype=torch.uint8)
    return images, torch.tensor(rng.integers(0, classes, n))


def by_hand(student, seed, options, decay, data):
    """Return the percentage that build and train reach with a seed, as run_cell must do it."""
    images, labels, test_images, test_labels = data
    as_object(student.study.torch.fetch()).manual_seed(seed)
    module = as_object(student.model.build(**options))
    student.model.train(module, images, labels, seed, epochs=5, decay=decay)
    found = as_tensor(module(test_images), (len(test_images), options["classes"])).argmax(dim=1)
    return 100 * float((found == test_labels).double().mean())


def require_cell(student, rng, factor, value, options, decay="cosine", asked=5):
    """Compare three cells of five classes, of which some are tested, with build and train."""
    for _ in range(3):
        data = (*noise(rng, 70, 5), *noise(rng, 400, asked))
        data[1][0] = 4  # the largest label is always among those that are trained on
        seed = int(rng.integers(1000, 2**31))
        found = as_number(student.study.run_cell(factor, value, seed, data))
        expected = by_hand(student, seed, {"classes": 5, "depth": 8, **options}, decay, data)
        # Batches of another size round otherwise: two images of 400 may fall to another side.
        require(
            abs(found - expected) <= 0.5,
            f"run_cell({factor!r}, {value!r}, ...) gives {found:.2f}, build and train with these "
            f"settings and the same seed {expected:.2f}",
        )


@pytest.mark.item("reproducible")
@pytest.mark.hint("Set the one factor, leave the others as in BASE; seed torch, build, train.")
@pytest.mark.parametrize(
    ("factor", "value", "options", "decay"),
    [
        ("dropout", 0.4, {"dropout": 0.4}, "cosine"),
        ("norm", "layer", {"norm": "layer"}, "cosine"),
        ("decay", "none", {}, "none"),
        ("residual", "plain-14", {"depth": 14, "residual": False}, "cosine"),
        ("residual", "residual-14", {"depth": 14}, "cosine"),
        ("depth", 14, {"depth": 14}, "cosine"),
    ],
    ids=["dropout", "norm", "decay", "plain", "residual", "depth"],
)
def test_a_cell_is_build_and_train_of_its_setting(student, rng, factor, value, options, decay):
    """A cell's number is that of build and train with its setting and its seed."""
    require_cell(student, rng, factor, value, options, decay)


@pytest.mark.item("reproducible", weight=0.5)
@pytest.mark.depends("test_a_cell_is_build_and_train_of_its_setting")
@pytest.mark.hint("The test images need not bear every label: the training images' labels count.")
def test_a_cell_has_as_many_classes_as_the_largest_label_says(student, rng):
    """Test images that lack the largest labels change nothing about the network."""
    require_cell(student, rng, "depth", 8, {}, asked=3)
