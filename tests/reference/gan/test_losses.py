"""The reference's losses against autograd, the definitions of the papers and each other."""

import math

import pytest
import torch

REAL, FAKE = torch.tensor([2.0, -1.0]), torch.tensor([1.0, -3.0])
BCE_REAL, BCE_FAKE = (-0.059601461, -0.365529289), (0.365529289, 0.0237129366)
NAMES = ("kl", "reverse_kl", "pearson", "hellinger", "js", "gan")


def slope(function, x):
    """Return the gradient of a scalar function at x."""
    x = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(function(x), x)
    return found


@pytest.mark.parametrize(
    ("kind", "real", "fake", "generator"),
    [
        ("saturating", BCE_REAL, BCE_FAKE, (-0.365529289, -0.0237129366)),
        ("non_saturating", BCE_REAL, BCE_FAKE, (-0.134470711, -0.476287063)),
        ("lsgan", (0.5, -1.0), (0.5, -1.5), (0.0, -2.0)),
        ("hinge", (0.0, -0.5), (0.5, 0.0), (-0.5, -0.5)),
        ("wgan", (-0.5, -0.5), (0.5, 0.5), (-0.5, -0.5)),
    ],
)  # fmt: skip
def test_slopes_are_those_worked_by_hand(gan, kind, real, fake, generator):
    losses = gan.losses
    found = slope(lambda a: losses.d_loss(kind, a, FAKE), REAL)
    torch.testing.assert_close(found, torch.tensor(real))
    found = slope(lambda b: losses.d_loss(kind, REAL, b), FAKE)
    torch.testing.assert_close(found, torch.tensor(fake))
    found = slope(lambda b: losses.g_loss(kind, b), FAKE)
    torch.testing.assert_close(found, torch.tensor(generator))


@pytest.mark.parametrize("name", NAMES)
def test_a_conjugate_is_the_supremum(gan, name):
    f, conjugate, activation = gan.losses.f_gan(name)
    u = torch.logspace(-6, 6, 200_001, dtype=torch.float64)
    for v in (-2.0, -0.5, 0.0, 0.7):
        t = activation(torch.tensor(v, dtype=torch.float64))
        assert float(conjugate(t)) == pytest.approx(float((u * t - f(u)).max()), abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_simplified_conjugate_is_the_same(gan, name):
    _, conjugate, activation = gan.losses.f_gan(name)
    v = torch.linspace(-6, 6, 50, dtype=torch.float64)
    found = gan.losses.conjugate_of_output(name, v)
    torch.testing.assert_close(found, conjugate(activation(v)))


@pytest.mark.parametrize("name", NAMES)
def test_the_bound_of_the_best_critic_is_the_divergence(gan, name):
    p, q = torch.tensor([0.7, 0.2, 0.1]).double(), torch.tensor([0.1, 0.3, 0.6]).double()
    f, conjugate, _ = gan.losses.f_gan(name)
    best = torch.stack([slope(f, ratio) for ratio in p / q])  # f'(p/q)
    bound = (p * best).sum() - (q * conjugate(best)).sum()
    torch.testing.assert_close(bound, gan.losses.divergence(name, p, q))


def test_games_are_divergences_of_each_other(gan):
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.3, 0.5])
    d = gan.losses.optimal_discriminator(p, q)
    torch.testing.assert_close(d, torch.tensor([0.71428571, 0.5, 0.28571429]))
    value = (p * d.log()).sum() + (q * (1 - d).log()).sum()
    torch.testing.assert_close(value, gan.losses.divergence("gan", p, q))
    js = gan.losses.divergence("js", p, q)
    assert float(js) == pytest.approx(float(value) + 2 * math.log(2), abs=1e-6)


@pytest.mark.parametrize(
    ("a", "loss", "steepness"), [(1.0, 8.22224362, None), (2.0, 38.9444872, 46.9722436)]
)
def test_penalty_of_a_bowl(gan, a, loss, steepness):
    real, fake = torch.tensor([[3.0, 4.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    eps, scale = torch.tensor([0.25, 0.5]), torch.tensor(a, requires_grad=True)
    found = gan.losses.gradient_penalty(
        lambda x: scale * x.square().sum(dim=1) / 2, real, fake, eps, 10.0
    )
    assert found.item() == pytest.approx(loss, rel=1e-6)
    found.backward()
    assert scale.grad.isfinite()
    if steepness is not None:
        assert float(scale.grad) == pytest.approx(steepness, rel=1e-5)


def test_penalty_reaches_neither_data_nor_fakes(gan):
    critic = torch.nn.Linear(3, 1)
    real, fake = (torch.randn(4, 3, requires_grad=True) for _ in range(2))
    gan.losses.gradient_penalty(critic, real, fake, torch.rand(4)).backward()
    assert real.grad is None and fake.grad is None
    assert critic.weight.grad.abs().max() > 0
