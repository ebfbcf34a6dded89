"""The network against the layers by hand, its training, and the study."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch

REFERENCE = Path(__file__).parents[3] / "reference" / "cnn"


def images(n, size=8, seed=0):
    return torch.randint(
        0, 256, (n, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def colours(n, seed=0):
    """Return images of three colours with noise, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    hues = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200]])[labels]
    pixels = hues[:, :, None, None] + rng.integers(-40, 41, (n, 3, 8, 8))
    return torch.tensor(pixels, dtype=torch.uint8), torch.tensor(labels)


@pytest.mark.parametrize(("depth", "count"), [(8, 75_290), (20, 269_722)])
def test_parameter_count(cnn, depth, count):
    assert sum(p.numel() for p in cnn.model.build(depth).parameters()) == count


def test_shortcuts_have_no_parameters(cnn):
    plain = [p.shape for p in cnn.model.build(14, residual=False).parameters()]
    assert plain == [p.shape for p in cnn.model.build(14).parameters()]


def test_a_block_is_what_the_layers_by_hand_compute(cnn):
    torch.manual_seed(0)
    block = cnn.model.Block(4, 8, 2, "batch", residual=True).double()
    x = torch.randn(3, 4, 7, 6).double()
    layers, fresh = cnn.layers, (torch.zeros(8).double(), torch.ones(8).double())
    c1, n1, c2, n2 = block.conv1.weight, block.norm1, block.conv2.weight, block.norm2
    h, _ = layers.batchnorm(layers.conv2d(x, c1, None, 2, 1), n1.weight, n1.bias, fresh, True)
    h, _ = layers.batchnorm(
        layers.conv2d(h.clamp(min=0), c2, None, 1, 1), n2.weight, n2.bias, fresh, True
    )
    shortcut = torch.cat([x[:, :, ::2, ::2], torch.zeros(3, 4, 4, 3).double()], dim=1)
    torch.testing.assert_close(block(x), (h + shortcut).clamp(min=0))


@pytest.mark.parametrize("size", [8, 15, 32])
@pytest.mark.parametrize("norm", ["none", "batch", "layer", "group"])
def test_any_norm_takes_any_size(cnn, norm, size):
    logits = cnn.model.build(8, norm, 0.2, classes=7, width=8)(images(3, size))
    assert logits.shape == (3, 7) and logits.dtype == torch.float32


def test_impossible_networks_are_refused_with_the_known_ones(cnn):
    with pytest.raises(ValueError, match="8, 14, 20"):
        cnn.model.build(18)
    with pytest.raises(ValueError, match="layer, group"):
        cnn.model.build(8, "instance")
    with pytest.raises(ValueError, match="none, step, cosine"):
        cnn.model.learning_rate(0, 1, 0.1, "linear")


@pytest.mark.parametrize(
    ("decay", "rates"),
    [
        pytest.param("none", [1, 1, 1, 1], id="none"),
        pytest.param("step", [1, 1, 0.1, 0.01], id="step"),
        pytest.param("cosine", [1, 0.853553, 0.5, 0.146447], id="cosine"),
    ],
)
def test_learning_rates_of_four_epochs(cnn, decay, rates):
    found = [cnn.model.learning_rate(epoch, 4, 1.0, decay) for epoch in range(4)]
    assert found == pytest.approx(rates, abs=1e-6)


def test_training_learns_and_ends_in_evaluation(cnn):
    torch.manual_seed(0)
    network = cnn.model.build(8, classes=3)
    x, y = colours(150)
    losses = cnn.model.train(network, x, y, 0, epochs=4)
    assert len(losses) == 4 and losses[-1] < losses[0] / 2
    assert not network.training
    assert cnn.study.accuracy(network, *colours(100, seed=1)) > 90
    torch.testing.assert_close(network.mean, x.float().mean(dim=(0, 2, 3)))


def test_one_step_is_one_of_torchs_sgd(cnn):
    torch.manual_seed(0)
    network = cnn.model.build(8, "none")
    x, y = images(1).repeat(10, 1, 1, 1), torch.full((10,), 4)
    start = [p.detach().clone() for p in network.parameters()]
    cnn.model._set_scale(network, x)
    torch.nn.functional.cross_entropy(network(x), y).backward()
    steps = [0.1 * (p.grad + 5e-4 * p.detach()) for p in network.parameters()]
    cnn.model.train(network, x, y, 0, epochs=1, base_rate=0.1)
    for before, step, after in zip(start, steps, network.parameters(), strict=True):
        torch.testing.assert_close(after.detach(), before - step, rtol=1e-5, atol=1e-6)


def test_a_run_that_diverges_ends(cnn):
    torch.manual_seed(0)
    network = cnn.model.build(8, "none")
    losses = cnn.model.train(network, images(70), torch.arange(70) % 10, 0, epochs=3, base_rate=1e9)
    assert len(losses) == 3 and not math.isfinite(losses[-1])


def test_best_learns_and_equal_seeds_give_equal_networks(cnn):
    x, y = colours(70)
    one, same = (cnn.model.best(x, y, 3, 5) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not one.training
    assert cnn.study.accuracy(one, *colours(60, seed=1)) > 80


def test_augmenting_mirrors_and_shifts_but_invents_nothing(cnn):
    torch.manual_seed(0)
    x = images(6)
    seen = cnn.model._augment(x)
    assert seen.shape == x.shape and seen.dtype == torch.uint8
    assert torch.equal(seen.flatten(2).sort().values, x.flatten(2).sort().values)
    assert not torch.equal(seen, x)


def test_the_studys_images_are_always_the_same_and_balanced(cnn):
    options = {**cnn.study.SETS["synthetic"][1], "train": 40, "test": 1, "size": 16}
    loaded = cnn.datasets.load("synthetic-images", **options)
    old = cnn.study.TRAIN_IMAGES, cnn.study.TEST_IMAGES
    cnn.study.TRAIN_IMAGES, cnn.study.TEST_IMAGES = 100, 50
    try:
        train_x, train_y, test_x, test_y = cnn.study.select(loaded)
    finally:
        cnn.study.TRAIN_IMAGES, cnn.study.TEST_IMAGES = old
    assert train_x.shape == (100, 3, 16, 16) and test_x.shape == (48, 3, 16, 16)
    assert torch.bincount(train_y).tolist() == [25] * 4
    assert torch.bincount(test_y).tolist() == [12] * 4
    assert not {x.numpy().tobytes() for x in train_x} & {x.numpy().tobytes() for x in test_x}


def test_shrinking_averages_boxes(cnn):
    boxes = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4).repeat(3, axis=1)
    assert cnn.study.shrink(boxes, 2)[0, 0].tolist() == [[2, 4], [10, 12]]  # 2.5 is rounded to even


@pytest.mark.parametrize(
    ("factor", "value"),
    [
        ("dropout", 0.9),
        ("norm", "group"),
        ("decay", "none"),
        ("residual", "plain-8"),
        ("depth", 14),
    ],
)
def test_a_cell_is_repeatable_and_a_percentage(cnn, factor, value):
    data = (*colours(64), *colours(50, seed=1))
    first, again = (cnn.study.run_cell(factor, value, 3, data) for _ in range(2))
    assert first == again and 0 <= first <= 100


def test_an_unknown_factor_is_refused_with_the_known_ones(cnn):
    with pytest.raises(ValueError, match="dropout, norm, decay, residual, depth"):
        cnn.study.run_cell("width", 8, 0, (*colours(4), *colours(4)))


def test_the_handed_in_results_are_those_of_the_sweep(cnn):
    with (REFERENCE / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == cnn.study.COLUMNS
    expected = {
        (factor, str(value), str(seed))
        for factor, values in cnn.study.SWEEP.items()
        for value in values
        for seed in cnn.study.SEEDS
    }
    assert {tuple(row[:3]) for row in rows[1:]} == expected
