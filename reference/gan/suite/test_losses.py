"""The losses of five games on raw outputs: by hand, on drawn outputs, and where exp overflows."""

import pytest
import torch

from grader.suite import expect_raises, require, require_unchanged

KINDS = ("saturating", "non_saturating", "lsgan", "wgan", "hinge")
# Raw outputs 2 and -1 for data, 1 and -3 for fakes: what both players minimise, by hand.
BY_HAND = {
    "saturating": (1.40101937, -0.68092452),
    "non_saturating": (1.40101937, 1.68092452),
    "lsgan": (3.75, 4.0),
    "wgan": (-1.5, 1.0),
    "hinge": (2.0, 1.0),
}
HINTS = {
    "saturating": "-log sigmoid(a) is softplus(-a); the saturating generator descends on "
    "log(1 - sigmoid(b)).",
    "non_saturating": "The generator's loss is -log sigmoid(b), the discriminator's as usual.",
    "lsgan": "Targets are 1 for data and 0 for fakes, each half of a mean square, no sigmoid.",
    "wgan": "The critic wants mean(a) - mean(b) large, so it minimises mean(b) - mean(a).",
    "hinge": "max(0, 1 - a) and max(0, 1 + b) for the critic; the generator has no max.",
}


def kinds():
    """Return a case a kind, each with its hint."""
    return [pytest.param(kind, marks=pytest.mark.hint(HINTS[kind])) for kind in KINDS]


@pytest.mark.item("losses", weight=2)
@pytest.mark.visibility("visible")
@pytest.mark.parametrize("kind", kinds())
def test_losses_by_hand(student, as_real, kind):
    """Two outputs for data and two for fakes give the losses of the handout."""
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([1.0, -3.0])
    wanted_d, wanted_g = BY_HAND[kind]
    found = as_real(student.losses.d_loss(kind, real, fake))
    require(abs(found - wanted_d) < 1e-4, f"d_loss is {found:.6f}, by hand {wanted_d}")
    found = as_real(student.losses.g_loss(kind, fake))
    require(abs(found - wanted_g) < 1e-4, f"g_loss is {found:.6f}, by hand {wanted_g}")


@pytest.mark.item("losses", weight=2)
@pytest.mark.parametrize("kind", kinds())
def test_losses_of_drawn_outputs(student, reference, normal, as_real, rng, kind):
    """Both losses of random outputs, of unlike numbers of data and fakes."""
    for n, m in ((7, 12), (64, 5), (1, 1)):
        real, fake = 2 * normal(rng, n), 2 * normal(rng, m)
        wanted = float(reference.losses.d_loss(kind, real, fake))
        found = as_real(student.losses.d_loss(kind, real, fake))
        require(abs(found - wanted) < 1e-4 * (1 + abs(wanted)), "d_loss: is each part a mean?")
        wanted = float(reference.losses.g_loss(kind, fake))
        found = as_real(student.losses.g_loss(kind, fake))
        require(abs(found - wanted) < 1e-4 * (1 + abs(wanted)), "g_loss: is it a mean?")


@pytest.mark.item("losses")
@pytest.mark.hint("log(sigmoid(-1000)) is log 0: softplus says the same without a rounded 0.")
@pytest.mark.parametrize("kind", KINDS)
def test_huge_outputs_give_finite_losses(student, reference, as_real, kind):
    """Outputs of 1000 and -1000 give finite losses, of the right size."""
    for size in (1000.0, -1000.0):
        output, level = torch.tensor([size]), torch.zeros(1)
        pairs = (
            (student.losses.d_loss(kind, output, level), reference.losses.d_loss),
            (student.losses.d_loss(kind, level, output), reference.losses.d_loss),
        )
        for (found, loss), args in zip(pairs, ((output, level), (level, output)), strict=True):
            wanted = float(loss(kind, *args))
            require(abs(as_real(found) - wanted) <= 1e-3 * (1 + abs(wanted)), "not that loss")
        wanted = float(reference.losses.g_loss(kind, output))
        found = as_real(student.losses.g_loss(kind, output))
        require(abs(found - wanted) <= 1e-3 * (1 + abs(wanted)), "not the generator's loss")


@pytest.mark.item("losses")
@pytest.mark.hint("The saturating loss is level where D is sure of a fake, the other is steep.")
def test_slopes_where_the_discriminator_is_sure(student, as_real):
    """At an output of -10 the saturating loss hardly falls and the non-saturating one by 1."""
    step, wanted = 0.01, {"saturating": -4.54e-5, "non_saturating": -0.999955}
    for kind, slope in wanted.items():
        low, high = (
            as_real(student.losses.g_loss(kind, torch.tensor([at], dtype=torch.float64)))
            for at in (-10 - step, -10 + step)
        )
        found = (high - low) / (2 * step)
        require(abs(found - slope) < 1e-3 * abs(slope), f"{kind}: a slope of {found:.6g} at -10")


@pytest.mark.item("losses", weight=0.5)
@pytest.mark.depends("test_losses_of_drawn_outputs")
@pytest.mark.hint("Raise ValueError for a kind that is not in LOSSES, in both functions.")
def test_unknown_losses_are_refused(student):
    """Unknown kinds raise ValueError."""
    with expect_raises(ValueError):
        student.losses.d_loss("no such loss", torch.zeros(2), torch.zeros(2))
    with expect_raises(ValueError):
        student.losses.g_loss("no such loss", torch.zeros(2))


@pytest.mark.item("losses", weight=0.5)
@pytest.mark.depends("test_losses_of_drawn_outputs")
@pytest.mark.hint("Compute new tensors: the outputs belong to whoever called.")
def test_losses_change_no_tensor(student, normal, rng):
    """d_loss and g_loss leave the outputs as they were."""
    for kind in KINDS:
        require_unchanged(student, student.losses.d_loss, kind, normal(rng, 5), normal(rng, 6))
        require_unchanged(student, student.losses.g_loss, kind, normal(rng, 6))


@pytest.mark.item("losses")
@pytest.mark.hint("The best D against any generator: the data's share of both, p / (p + q).")
def test_optimal_discriminator(student, reference, as_numbers, as_real, require_near, rng):
    """The best D is p / (p + q): the value of the game there is 2 JS - 2 log 2."""
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.3, 0.5])
    found = as_numbers(student.losses.optimal_discriminator(p, q), (3,))
    require_near(found, torch.tensor([0.71428571, 0.5, 0.28571429]))
    p, q = (torch.tensor(rng.dirichlet(torch.ones(6).numpy() * 2)) for _ in range(2))
    found = as_numbers(student.losses.optimal_discriminator(p, q), (6,))
    value = float((p * found.log() + q * (1 - found).log()).sum())
    wanted = float(reference.losses.divergence("gan", p, q))
    require(
        abs(value - wanted) < 1e-5, f"the game's value at D is {value:.5f}, at best {wanted:.5f}"
    )
