"""Positions, layer normalisation, the mean over words, the mixture of layers, the learning rate."""

import pytest
import torch

from grader.suite import (
    as_number,
    as_tensor,
    assert_matches,
    expect_raises,
    require,
    require_unchanged,
)

EXACT = 1e-5


def normal(rng, *shape):
    """Return normal numbers."""
    return torch.tensor(rng.normal(0, 1, shape), dtype=torch.float32)


# ------------------------------------------------------------------------------ positions


@pytest.mark.item("positions")
@pytest.mark.hint("Sine and cosine take turns, places count from 0, the exponent is 2i/d.")
def test_positions_by_hand(student):
    """The first rows at d = 6 and d = 4."""
    found = as_tensor(student.layers.positional_encoding(2, 6), (2, 6), torch.float32)
    assert_matches(found[0], torch.tensor([0.0, 1, 0, 1, 0, 1]))
    wanted = [0.841470985, 0.540302306, 0.0463992235, 0.998922976, 0.00215443302, 0.999997679]
    assert_matches(found[1], torch.tensor(wanted), rtol=1e-6)
    found = as_tensor(student.layers.positional_encoding(2, 4), (2, 4), torch.float32)
    assert_matches(found[1], torch.tensor([0.841471, 0.540302, 0.01, 0.99995]), atol=1e-6)


@pytest.mark.item("positions")
@pytest.mark.hint("pe[t, 2i] and pe[t, 2i + 1] share an angle, t / 10000^(2i/d).")
def test_positions_of_many_places(student, reference, rng):
    """Places far from the first, widths of several kinds; each row has a squared length of d/2."""
    for n, d in ((int(rng.integers(50, 200)), 2 * int(rng.integers(3, 20))), (1, 2)):
        found = as_tensor(student.layers.positional_encoding(n, d), (n, d), torch.float32)
        assert_matches(found, reference.layers.positional_encoding(n, d), rtol=1e-4)
        assert_matches(found.square().sum(dim=1), torch.full((n,), d / 2), rtol=1e-4)


@pytest.mark.item("positions", weight=0.5)
@pytest.mark.depends("test_positions_of_many_places")
@pytest.mark.hint("Raise ValueError for an odd d: sines and cosines come in pairs.")
def test_odd_widths_are_refused(student):
    """An odd width raises ValueError."""
    with expect_raises(ValueError):
        student.layers.positional_encoding(4, 5)


@pytest.mark.item("positions")
@pytest.mark.hint("The variance divides by d: var(unbiased=False).")
def test_layer_norm_by_hand(student):
    """The vector (1, 2, 3, 6) without eps."""
    x, one, zero = torch.tensor([[1.0, 2, 3, 6]]), torch.ones(4), torch.zeros(4)
    wanted = torch.tensor([[-1.06904497, -0.534522484, 0, 1.60356745]])
    assert_matches(student.layers.layer_norm(x, one, zero, 0.0), wanted, atol=1e-6)


@pytest.mark.item("positions", weight=2)
@pytest.mark.hint("Over the last axis alone; eps goes below the root, to the variance.")
def test_layer_norm_of_random_vectors(student, reference, rng):
    """Vectors of several shapes, with gains, shifts and an eps that matters."""
    for shape in ((5, 7), (2, 3, 4)):
        x, gamma, beta = normal(rng, *shape), normal(rng, shape[-1]), normal(rng, shape[-1])
        for eps in (1e-12, 0.5):
            wanted = reference.layers.layer_norm(x, gamma, beta, eps)
            found = student.layers.layer_norm(x, gamma, beta, eps)
            assert_matches(as_tensor(found).detach(), wanted, rtol=EXACT)
    zeros = student.layers.layer_norm(torch.ones(2, 4), torch.ones(4), torch.zeros(4), 1e-5)
    assert_matches(as_tensor(zeros).detach(), torch.zeros(2, 4), atol=1e-6)


@pytest.mark.item("positions", weight=0.5)
@pytest.mark.depends("test_layer_norm_of_random_vectors")
@pytest.mark.hint("x -= mean changes the caller's vectors.")
def test_layer_norm_changes_no_tensor_it_is_given(student, rng):
    """layer_norm leaves vectors, gains and shifts as they were."""
    given = normal(rng, 3, 4), normal(rng, 4), normal(rng, 4)
    require_unchanged(student, student.layers.layer_norm, *given, 1e-5)


# ------------------------------------------------------------------------------ pooling


@pytest.mark.item("pooling", weight=2)
@pytest.mark.hint("Divide by the number of words of each text, not by T.")
def test_mean_over_words(student, reference, rng, batch):
    """The mean over the words of texts of several lengths, whatever stands in padding."""
    _, mask = batch(rng, 5, 6, 9)
    x = normal(rng, 5, 6, 3)
    wanted = reference.layers.masked_mean(x, mask)
    for given in (x, torch.where(mask[:, :, None], x, 1e4)):
        assert_matches(as_tensor(student.layers.masked_mean(given, mask)), wanted, rtol=1e-4)


@pytest.mark.item("pooling")
@pytest.mark.hint("0 / 0 is NaN: divide by 1 at least.")
def test_mean_of_no_words_is_zero(student, rng):
    """A text without words gives zeros."""
    mask = torch.tensor([[True, True], [False, False]])
    x = normal(rng, 2, 2, 3)
    found = as_tensor(student.layers.masked_mean(x, mask), (2, 3), torch.float32)
    assert_matches(found[1], torch.zeros(3))
    assert_matches(found[0], x[0].mean(dim=0), rtol=EXACT)


@pytest.mark.item("pooling", weight=0.5)
@pytest.mark.depends("test_mean_over_words")
@pytest.mark.hint("x[~mask] = 0 changes the caller's vectors: multiply instead.")
def test_mean_changes_no_tensor_it_is_given(student, rng, batch):
    """masked_mean leaves vectors and mask as they were."""
    _, mask = batch(rng, 3, 4, 9)
    require_unchanged(student, student.layers.masked_mean, normal(rng, 3, 4, 2), mask)


# ------------------------------------------------------------------------------ mixture, rate


@pytest.mark.item("mix")
@pytest.mark.hint("Softmax over s, then the sum over layers, times gamma.")
def test_mixture_by_hand(student):
    """S = (0, log 2, 0), gamma 2, layers 1, 2 and 4: 4.5."""
    s = torch.tensor([0.0, 0.693147181, 0.0])
    found = student.layers.mix_layers(torch.tensor([[1.0], [2.0], [4.0]]), s, torch.tensor(2.0))
    assert_matches(found, torch.tensor([4.5]), rtol=EXACT)


@pytest.mark.item("mix")
@pytest.mark.hint("The first axis is that of the layers, whatever follows.")
def test_mixture_of_random_layers(student, reference, rng):
    """Layers of batches of texts; gamma may be a number too."""
    for count, shape in ((4, (2, 5, 3)), (3, (6,))):
        layers, s = normal(rng, count, *shape), normal(rng, count)
        for gamma in (torch.tensor(0.7), 1.5):
            wanted = reference.layers.mix_layers(layers, s, gamma)
            assert_matches(student.layers.mix_layers(layers, s, gamma), wanted, rtol=EXACT)


@pytest.mark.item("mix")
@pytest.mark.hint("min(1, (t + 1) / warmup) (1 - t / steps): the first step is not 0.")
def test_learning_rate_by_hand(student):
    """Warm-up of 10 steps of 100, at steps 0, 4, 9, 50 and 99."""
    for step, wanted in ((0, 0.1), (4, 0.48), (9, 0.91), (50, 0.5), (99, 0.01)):
        found = as_number(student.layers.learning_rate(step, 10, 100))
        require(abs(found - wanted) < 1e-9, f"{found} at step {step}, expected {wanted}")


@pytest.mark.item("mix")
@pytest.mark.depends("test_learning_rate_by_hand")
@pytest.mark.hint("warmup = 0: no rise, and nothing divided by 0.")
def test_learning_rate_of_any_plan(student, reference, rng):
    """Plans of other lengths, with and without a warm-up."""
    for warmup, steps in ((0, 5), (1, 1), (3, 8), (7, int(rng.integers(20, 90)))):
        for step in {0, steps // 2, steps - 1}:
            found = as_number(student.layers.learning_rate(step, warmup, steps))
            wanted = reference.layers.learning_rate(step, warmup, steps)
            require(abs(found - wanted) < 1e-9, f"{found} at step {step}, expected {wanted}")
