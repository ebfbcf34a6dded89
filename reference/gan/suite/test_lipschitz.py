"""Gradient penalty and clipping, on critics that are known by their formula and on networks."""

import pytest
import torch

from grader.suite import StudentRaised, as_object, attribute, require, require_unchanged

EXACT = 1e-4


def with_linear(ask, student, slope):
    """Return ask(critic) for the critic x -> slope . x: a tensor's own method in the sandbox.

    Such a critic takes numbers of its own precision alone, so it comes in both.
    """
    single, double = (
        student.hold(torch.tensor(slope, dtype=dtype)).inner.fetch()
        for dtype in (torch.float32, torch.float64)
    )
    try:
        return ask(single)
    except StudentRaised:
        return ask(double)


def exponential(student, base):
    """Return the critic x -> base^x of samples of one number."""
    return student.hold(torch.tensor(base)).pow.fetch()


@pytest.mark.item("lipschitz", weight=2)
@pytest.mark.hint("weight * (|slope| - 1)^2, both ways from 1, and the norm, not its square.")
@pytest.mark.parametrize("slope", [(3.0, 4.0), (0.3, 0.4)], ids=["steep", "flat"])
def test_penalty_of_a_linear_critic(student, as_real, normal, rng, slope):
    """A critic of slope 5 costs 10 * 16, and one of slope 0.5 costs 10 * 0.25, at any points."""
    real, fake, eps = normal(rng, 6, 2), normal(rng, 6, 2), torch.tensor(rng.random(6)).float()
    norm = (slope[0] ** 2 + slope[1] ** 2) ** 0.5
    for weight in (10.0, 0.5):
        rest = (real, fake, eps, weight)
        found = with_linear(
            lambda critic, rest=rest: student.losses.gradient_penalty(critic, *rest), student, slope
        )
        found = as_real(found)
        wanted = weight * (norm - 1) ** 2
        require(abs(found - wanted) < EXACT * wanted, f"slope {norm}: a penalty of {found:.4f}")


@pytest.mark.item("lipschitz", weight=2)
@pytest.mark.hint("x = eps * real + (1 - eps) * fake: eps = 1 is the real sample itself.")
def test_eps_belongs_to_the_real_sample(student, as_real, normal, rng):
    """The penalty is taken between both samples, nearer to the real one where eps is large."""
    real, fake = normal(rng, 40, 1), 1 + normal(rng, 40, 1)
    eps = torch.tensor(rng.random(40) ** 3).float()  # mostly near 0
    base = float(rng.uniform(1.5, 3))
    found = as_real(
        student.losses.gradient_penalty(exponential(student, base), real, fake, eps, 10.0)
    )
    x = (eps[:, None] * real + (1 - eps[:, None]) * fake).double()
    log = torch.tensor(base).double().log()
    wanted = float(10 * (log * (log * x).exp() - 1).square().mean())
    require(abs(found - wanted) < 1e-3 * wanted, f"a penalty of {found:.4f}, expected {wanted:.4f}")


@pytest.mark.item("lipschitz")
@pytest.mark.hint("Flatten each sample's slope before its norm: one number a sample.")
def test_the_norm_is_over_all_numbers_of_a_sample(student, as_real, normal, rng):
    """Samples of several axes have one norm each."""
    slope = (1.0, 2.0, 2.0)
    real, fake = normal(rng, 5, 1, 3), normal(rng, 5, 1, 3)
    eps = torch.tensor(rng.random(5)).float()
    found = with_linear(
        lambda critic: student.losses.gradient_penalty(critic, real, fake, eps, 1.0), student, slope
    )
    found = as_real(found)
    require(abs(found - 4.0) < 1e-3, f"slope 3 costs 4, not {found:.4f}")


@pytest.mark.item("lipschitz", weight=2)
@pytest.mark.hint("One norm a sample, over dim 1; the mean over samples comes last.")
def test_penalty_of_a_network(student, reference, copied, as_real, normal, rng):
    """The penalty of a drawn critic at drawn points is what its parameters give."""
    critic = as_object(student.model.Critic(6, 16))
    ours = copied(critic, reference.model.Critic(6, 16))
    real, fake = 2 * normal(rng, 30, 6), normal(rng, 30, 6) - 1
    eps = torch.tensor(rng.random(30)).float()
    wanted = float(reference.losses.gradient_penalty(ours, real, fake, eps, 7.0).detach())
    found = as_real(student.losses.gradient_penalty(critic, real, fake, eps, 7.0))
    require(abs(found - wanted) < 1e-3 * wanted, f"{found:.5f}, expected {wanted:.5f}")


@pytest.mark.item("lipschitz", weight=2)
@pytest.mark.depends("test_penalty_of_a_network")
@pytest.mark.hint("create_graph=True in autograd.grad: the penalty has a slope of its own.")
def test_the_critic_learns_from_the_penalty(student, reference, twin_of, normal, rng):
    """Steps of a critic under a heavy penalty are Adam's, by the slope of all of its loss."""

    def begin(model):
        networks = model.Generator(2, 8, 3), model.Critic(3, 16)
        return model.Game("wgan", *networks, weight=50.0, learning_rate=0.01)

    twin = twin_of(begin(student.model), begin(reference.model))
    drawn = [
        (3 * normal(rng, 20, 3), None, normal(rng, 20, 2), torch.tensor(rng.random(20)).float())
        for _ in range(3)
    ]
    twin.require_same_move(lambda game: [game.d_step(*one) for one in drawn])


@pytest.mark.item("lipschitz")
@pytest.mark.hint("clamp_ every parameter, biases too, to both sides of 0, without gradients.")
def test_clipping(student, reference, copied, rng):
    """Every parameter is clipped to [-c, c], and what lies within stays."""
    critic = as_object(student.model.Critic(4, 16))
    before = copied(critic, reference.model.Critic(4, 16))
    c = float(rng.uniform(0.05, 0.2))
    student.losses.clip_weights(critic, c)
    after = copied(critic, reference.model.Critic(4, 16))
    for old, new in zip(before.parameters(), after.parameters(), strict=True):
        far = float((new - old.clamp(-c, c)).detach().abs().max())
        require(far < 1e-6, "a parameter is not what clipping to [-c, c] gives")


@pytest.mark.item("lipschitz")
@pytest.mark.depends("test_clipping")
@pytest.mark.hint("The root of a sum of squares has an infinite slope at 0; vector_norm has 0.")
def test_a_level_critic_leaves_no_nan(student, reference, copied, as_real, normal, rng):
    """A critic that is level everywhere costs `weight`, and learns from it without NaN."""
    networks = student.model.Generator(2, 8, 2), student.model.Critic(2, 8)
    game = as_object(student.model.Game("wgan", *networks, weight=4.0))
    critic = attribute(game, "critic")
    student.losses.clip_weights(critic, 0.0)
    real, z, eps = normal(rng, 5, 2), normal(rng, 5, 2), torch.tensor(rng.random(5)).float()
    loss = as_real(game.d_step(real, None, z, eps))
    require(abs(loss - 4.0) < 1e-3, f"the loss is {loss}, expected 4")
    ours = copied(critic, reference.model.Critic(2, 8))
    finite = all(bool(tensor.isfinite().all()) for tensor in ours.parameters())
    require(finite, "the critic's parameters are NaN after a step where its slope was 0")


@pytest.mark.item("lipschitz", weight=0.5)
@pytest.mark.depends("test_penalty_of_a_linear_critic")
@pytest.mark.hint("Interpolate into a new tensor: data and fakes belong to whoever called.")
def test_a_penalty_changes_no_tensor(student, normal, rng):
    """gradient_penalty leaves data, fakes and eps as they were."""
    real, fake, eps = normal(rng, 4, 2), normal(rng, 4, 2), torch.tensor(rng.random(4)).float()
    penalty = student.losses.gradient_penalty
    with_linear(
        lambda critic: require_unchanged(student, penalty, critic, real, fake, eps, 1.0),
        student,
        (1.0, 2.0),
    )
