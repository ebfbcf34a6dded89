"""Public tests of the lab gan: run ``python -m pytest test_gan.py`` beside the folder ``gan``.

They need the student's package, NumPy, torch and pytest, and show small examples worked by hand.
Passing them is a good start, not full marks: the hidden tests ask for more.
"""

import functools

import pytest
import torch
from gan import losses, metrics, model, study


def told(test):
    """Say in one line which function is not written yet, instead of a traceback."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        try:
            return test(*args, **kwargs)
        except NotImplementedError as missing:
            reason = str(missing)
        pytest.fail(reason, pytrace=False)

    return run


def close(actual, expected, tolerance=1e-5):
    """Assert equal shapes and nearly equal values."""
    actual, expected = torch.as_tensor(actual), torch.as_tensor(expected)
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance, check_dtype=False)


REAL, FAKE = torch.tensor([2.0, -1.0]), torch.tensor([1.0, -3.0])
P, Q = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.1, 0.3, 0.6])


@told
@pytest.mark.parametrize(
    ("kind", "d", "g"),
    [
        ("saturating", 1.401019, -0.680925),
        ("non_saturating", 1.401019, 1.680925),
        ("lsgan", 3.75, 4.0),
        ("wgan", -1.5, 1.0),
        ("hinge", 2.0, 1.0),
    ],
)
def test_losses(kind, d, g):
    """Two raw outputs for data, two for fakes: what both players minimise."""
    close(losses.d_loss(kind, REAL, FAKE), d)
    close(losses.g_loss(kind, FAKE), g)


@told
def test_losses_stay_finite():
    """A discriminator that is sure and wrong: the loss is 1000, not inf."""
    close(losses.d_loss("non_saturating", torch.tensor([-1000.0]), torch.tensor([-1000.0])), 1000.0)


@told
@pytest.mark.parametrize(
    ("kind", "slopes"),
    [
        ("saturating", [-0.365529, -0.023713]),
        ("non_saturating", [-0.134471, -0.476287]),
        ("lsgan", [0.0, -2.0]),
    ],
)
def test_slopes_of_the_generators_loss(kind, slopes):
    """Where a fake is found out (-3) only the non-saturating loss is steep."""
    fake = FAKE.clone().requires_grad_()
    losses.g_loss(kind, fake).backward()
    close(fake.grad, slopes)


@told
@pytest.mark.parametrize(
    ("name", "at_2", "slope", "high", "value"),
    [
        ("kl", 1.386294, 1.0, 1.0, 1.101868),
        ("reverse_kl", -0.693147, -0.367879, 0.0, 1.002104),
        ("pearson", 1.0, 1.0, 1.25, 4.05),
        ("hellinger", 0.171573, 0.632121, 1.718282, 0.491054),
        ("js", 0.169899, 0.379885, 0.620115, 0.461291),
        ("gan", -1.909543, -0.313262, 1.313262, -0.925003),
    ],
)
def test_f_divergences(name, at_2, slope, high, value):
    """f(2), g(1), f*(g(1)), and the divergence of two distributions."""
    f, conjugate, activation = losses.f_gan(name)
    close(f(torch.tensor(2.0)), at_2)
    close(activation(torch.tensor(1.0)), slope)
    close(conjugate(activation(torch.tensor(1.0))), high)
    close(losses.divergence(name, P, Q), value)


@told
def test_losses_of_an_f_gan():
    """Raw outputs (1, 0, -1) at three points: minus the bound on D(p, q), by kl."""
    outputs, p, q = torch.tensor([1.0, 0.0, -1.0]), (5, 3, 2), (2, 3, 5)
    real, fake = (outputs.repeat_interleave(torch.tensor(part)) for part in (p, q))
    close(losses.f_d_loss("kl", real, fake), 0.078031)


@told
def test_optimal_discriminator():
    """The data's share of both."""
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.3, 0.5])
    close(losses.optimal_discriminator(p, q), [0.714286, 0.5, 0.285714])


@told
def test_gradient_penalty():
    """D(x) = |x|^2 / 2, whose slope is x: at (1.5, 1), of norm 1.803, and at (0, 0)."""
    real, fake = torch.tensor([[3.0, 4.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    scale = torch.ones(1, requires_grad=True)
    found = losses.gradient_penalty(
        lambda x: scale * x.square().sum(dim=1) / 2, real, fake, torch.tensor([0.25, 0.5]), 10.0
    )
    close(found.detach(), 8.222244)
    found.backward()  # the critic learns from it, and nothing is NaN where the slope is 0
    close(scale.grad.isfinite(), [True])


@told
def test_earth_movers():
    """The carried mass times the distance."""
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.3, 0.5])
    close(metrics.emd_discrete(p, q, torch.tensor([0.0, 1.0, 10.0])), 3.0)
    close(metrics.emd_1d(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0, 2.0])), 0.5)


@told
def test_fid():
    """Four corners of a square, and the same moved by 1 in both directions."""
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    moved = metrics.statistics(corners + 1)
    close(metrics.fid(*metrics.statistics(corners), *moved), 2.0, 1e-4)
    c1, c2 = torch.tensor([[2.0, 0.5], [0.5, 1.0]]), torch.tensor([[1.0, -0.3], [-0.3, 2.0]])
    close(metrics.fid(torch.tensor([1.0, 0.0]), c1, torch.zeros(2), c2), 1.575426, 1e-4)


@told
def test_modes():
    """Ten samples, two of three modes, one sample far from all."""
    centres = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    points = torch.tensor([[0.1, 0.0]] * 6 + [[2.0, 0.2]] * 3 + [[1.0, 1.0]])
    count, share = metrics.modes(points, centres, 0.3, 0.1)
    assert count == 2
    close(share, 0.9)


@told
def test_precision_and_recall():
    """One fake among the data, one far away."""
    real, fake = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.5], [100.0]])
    precision, _ = metrics.precision_recall(real, fake, 1)
    close(precision, 0.5)


@told
def test_networks():
    """Shapes, and labels that are needed where there are classes."""
    generator, critic = model.Generator(4, 8, 6, classes=3), model.Critic(6, 8, classes=3)
    y = torch.tensor([0, 1, 2, 0, 1])
    images = generator(torch.randn(5, 4), y)
    assert images.shape == (5, 6) and critic(images, y).shape == (5,)
    with pytest.raises(ValueError):
        generator(torch.randn(5, 4))


@told
def test_steps_move_their_own_player():
    """A critic's step leaves the generator alone, and a generator's step the critic."""
    game = model.Game("lsgan", model.Generator(2, 8, 2), model.Critic(2, 8))

    def state(network):
        return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])

    before = state(game.generator), state(game.critic)
    game.d_step(torch.randn(16, 2), None, torch.randn(16, 2), torch.rand(16))
    assert torch.equal(state(game.generator), before[0])
    middle = state(game.critic)
    assert not torch.equal(middle, before[1])
    game.g_step(torch.randn(16, 2), None)
    assert torch.equal(state(game.critic), middle)
    assert not torch.equal(state(game.generator), before[0])


@told
def test_a_fit_goes_on_where_it_stopped():
    """Three steps and two more are five."""
    samples = torch.randn(200, 1, generator=torch.Generator().manual_seed(0))
    once = model.fit_gaussian(samples, "kl", 1, 5)
    twice = model.fit_gaussian(samples, "kl", 1, 3)
    twice.run(samples, None, 2, 1)
    close(twice.generator.sigma, once.generator.sigma)
    assert once.t == twice.t == 5


@told
def test_unknown_factors_are_refused():
    """A factor that is not in BASE."""
    with pytest.raises(ValueError):
        study.run_cell("no such factor", 1, 0, {})
