"""f-divergences: their functions, the bound they give, and losses that stay finite."""

import pytest
import torch

from grader.suite import expect_raises, require, require_unchanged

NAMES = ("kl", "reverse_kl", "pearson", "hellinger", "js", "gan")
HINTS = {
    "kl": "f(u) = u log u, g(v) = v, f*(t) = exp(t - 1).",
    "reverse_kl": "f(u) = -log u, g(v) = -exp(-v) < 0, f*(t) = -1 - log(-t).",
    "pearson": "f(u) = (u - 1)^2, f*(t) = t^2/4 + t, and -1 where t < -2: u is never negative.",
    "hellinger": "f(u) = (sqrt u - 1)^2, g(v) = 1 - exp(-v) < 1, f*(t) = t / (1 - t).",
    "js": "g(v) = log 2 - log(1 + exp(-v)), f*(t) = -log(2 - exp t): mind the log 2.",
    "gan": "g(v) = -log(1 + exp(-v)), f*(t) = -log(1 - exp t).",
}
# f(2), g(1), f*(g(1)), f*(g(-2)), D(p, q), and the bound at raw outputs 1, 0, -1, of
P, Q = (0.7, 0.2, 0.1), (0.1, 0.3, 0.6)
BY_HAND = {
    "kl": (1.38629436, 1.0, 1.0, 0.0497870684, 1.10186814),
    "reverse_kl": (-0.693147181, -0.367879441, 0.0, -3.0, 1.0021042),
    "pearson": (1.0, 1.0, 1.25, -1.0, 4.05),
    "hellinger": (0.171572875, 0.632120559, 1.71828183, -0.864664717, 0.491053841),
    "js": (0.169899037, 0.379885493, 0.620114507, -0.56621917, 0.461290976),
    "gan": (-1.9095425, -0.313261688, 1.31326169, 0.126928011, -0.925003385),
}
# With js and gan a g that is rounded before f* takes it has no number of its own from 17 on.
FAR = 30.0


def names():
    """Return a case a divergence, each with its hint."""
    return [pytest.param(name, marks=pytest.mark.hint(HINTS[name])) for name in NAMES]


def triple(student, name):
    """Return the student's f, conjugate and activation as functions."""
    found = student.losses.f_gan(name)
    require(type(found) in (tuple, list) and len(found) == 3, "expected (f, conjugate, activation)")
    require(all(callable(part) for part in found), "expected three functions")
    return found


@pytest.mark.item("divergences", weight=2)
@pytest.mark.parametrize("name", names())
def test_functions_by_hand(student, as_numbers, require_near, name):
    """f, its conjugate and the activation at the handout's points."""
    f, conjugate, activation = triple(student, name)
    at_2, slope, high, low, _ = BY_HAND[name]

    def ask(function, number):
        return as_numbers(function(torch.tensor([number], dtype=torch.float64)), (1,))

    require_near(ask(f, 2.0), torch.tensor([at_2]), what="f(2)")
    found = ask(activation, 1.0)
    require_near(found, torch.tensor([slope]), what="g(1)")
    found = ask(conjugate, float(found))
    require(abs(float(found) - high) < 1e-4, "f*(g(1)) is another number")
    found = ask(conjugate, float(ask(activation, -2.0)))
    require(abs(float(found) - low) < 1e-4, "f*(g(-2)) is another number")


@pytest.mark.item("divergences", weight=2)
@pytest.mark.parametrize("name", names())
def test_functions_on_drawn_numbers(
    student, reference, normal, as_numbers, require_near, rng, name
):
    """Ratios in f, outputs in the activation, and what that gives in the conjugate."""
    theirs, ours = triple(student, name), reference.losses.f_gan(name)
    ratios, outputs = normal(rng, 20).exp().double(), 1.5 * normal(rng, 4, 5).double()
    inside = ours[2](outputs)
    for place, argument in ((0, ratios), (2, outputs), (1, inside)):
        found = as_numbers(theirs[place](argument), tuple(argument.shape))
        require_near(found, ours[place](argument), what="f, f* or g: the largest error")


@pytest.mark.item("divergences", weight=0.5)
@pytest.mark.hint("Where t < -2 the supremum over u >= 0 lies at u = 0: f* is -1 there.")
def test_the_flat_part_of_pearson(student, as_numbers, require_near, rng):
    """Below -2 the conjugate of Pearson's divergence is -1, and it never falls."""
    _, conjugate, _ = triple(student, "pearson")
    t = torch.tensor([-9.0, -2.5, -2.0, float(rng.uniform(-20, -3)), 0.0], dtype=torch.float64)
    found = as_numbers(conjugate(t), (5,))
    require_near(found, torch.tensor([-1.0, -1.0, -1.0, -1.0, 0.0]))


@pytest.mark.item("divergences", weight=2)
@pytest.mark.parametrize("name", names())
def test_divergence(student, reference, as_real, rng, name):
    """D_f of the handout's distributions and of drawn ones; it is 0 of p and p but for gan."""
    p, q = torch.tensor(P, dtype=torch.float64), torch.tensor(Q, dtype=torch.float64)
    found, wanted = as_real(student.losses.divergence(name, p, q)), BY_HAND[name][-1]
    require(abs(found - wanted) < 1e-4, f"{found:.6f}, by hand {wanted}; are p and q in place?")
    for k in (2, 9):
        p, q = (torch.tensor(rng.dirichlet([3.0] * k)) for _ in range(2))
        wanted = float(reference.losses.divergence(name, p, q))
        found = as_real(student.losses.divergence(name, p, q))
        require(abs(found - wanted) < 1e-4 * (1 + abs(wanted)), "another divergence")
        wanted = float(reference.losses.divergence(name, p, p))
        require(abs(as_real(student.losses.divergence(name, p, p)) - wanted) < 1e-5, "of p and p")


@pytest.mark.item("divergences", weight=2)
@pytest.mark.parametrize("name", names())
def test_losses_of_an_f_gan(student, reference, normal, as_real, rng, name):
    """Both players' losses of drawn outputs: minus the bound, and the generator's part of it."""
    for n, m in ((8, 13), (50, 3)):
        real, fake = normal(rng, n), normal(rng, m)
        wanted = float(reference.losses.f_d_loss(name, real, fake))
        found = as_real(student.losses.f_d_loss(name, real, fake))
        require(abs(found - wanted) < 1e-3 * (1 + abs(wanted)), "f_d_loss: E_q[f*(g)] - E_p[g]")
        wanted = float(reference.losses.f_g_loss(name, fake))
        found = as_real(student.losses.f_g_loss(name, fake))
        require(abs(found - wanted) < 1e-3 * (1 + abs(wanted)), "f_g_loss: -E_q[f*(g)]")


@pytest.mark.item("divergences")
@pytest.mark.depends("test_losses_of_an_f_gan")
@pytest.mark.hint("At the best critic, g(v) = f'(p/q), the bound is the divergence itself.")
@pytest.mark.parametrize("name", ["kl", "reverse_kl", "pearson", "gan"])
def test_the_bound_is_tight_at_the_best_critic(student, reference, as_real, rng, name):
    """At the best outputs minus the critic's loss is D_f(p, q), and less at any other."""
    # Samples in proportion to p and q make means of the expectations.
    p, q = rng.integers(1, 8, 5), rng.integers(1, 8, 5)
    q[-1] += p.sum() if q.sum() <= p.sum() else 0
    ratio = torch.tensor((p / p.sum()) / (q / q.sum()), dtype=torch.float64)
    best = {
        "kl": ratio.log() + 1,
        "reverse_kl": ratio.log(),
        "pearson": 2 * (ratio - 1),
        "gan": ratio.log(),
    }[name]
    shares = [torch.tensor(part / part.sum(), dtype=torch.float64) for part in (p, q)]
    wanted = float(reference.losses.divergence(name, *shares))

    def bound(outputs):
        real, fake = (outputs.repeat_interleave(torch.tensor(part)) for part in (p, q))
        return -as_real(student.losses.f_d_loss(name, real, fake))

    found = bound(best)
    require(abs(found - wanted) < 1e-4 * (1 + abs(wanted)), "the bound is not the divergence")
    other = bound(best + torch.tensor(rng.normal(0, 0.3, 5)))
    require(other < found + 1e-9, "other outputs give a larger bound than the best critic's")


@pytest.mark.item("divergences")
@pytest.mark.hint("Simplify f*(g(v)) before you round: for js and gan it is softplus(v) and so on.")
@pytest.mark.parametrize("name", ["js", "gan"])
def test_sure_critics_give_finite_losses(student, reference, as_real, name):
    """Outputs of 30 and -30 in float32 give finite losses of the right size."""
    for size in (FAR, -FAR):
        output, level = torch.tensor([size]), torch.zeros(1)
        wanted = float(reference.losses.f_g_loss(name, output))
        found = as_real(student.losses.f_g_loss(name, output))
        require(abs(found - wanted) < 1e-3 * (1 + abs(wanted)), "f_g_loss of a sure critic")
        wanted = float(reference.losses.f_d_loss(name, level, output))
        found = as_real(student.losses.f_d_loss(name, level, output))
        require(abs(found - wanted) < 1e-3 * (1 + abs(wanted)), "f_d_loss of a sure critic")


@pytest.mark.item("divergences", weight=0.5)
@pytest.mark.depends("test_functions_on_drawn_numbers")
@pytest.mark.hint("Raise ValueError for a name that is not in DIVERGENCES, in every function.")
def test_unknown_divergences_are_refused(student):
    """Unknown names raise ValueError."""
    ones = torch.ones(2) / 2
    with expect_raises(ValueError):
        student.losses.f_gan("no such divergence")
    with expect_raises(ValueError):
        student.losses.divergence("no such divergence", ones, ones)
    with expect_raises(ValueError):
        student.losses.f_d_loss("no such divergence", ones, ones)
    with expect_raises(ValueError):
        student.losses.f_g_loss("no such divergence", ones)


@pytest.mark.item("divergences", weight=0.5)
@pytest.mark.depends("test_losses_of_an_f_gan")
@pytest.mark.hint("Compute new tensors: outputs and distributions belong to whoever called.")
def test_divergences_change_no_tensor(student, normal, rng):
    """Losses and divergences leave what they are given as it was."""
    p = torch.tensor(rng.dirichlet([2.0] * 4))
    for name in NAMES:
        require_unchanged(student, student.losses.f_d_loss, name, normal(rng, 5), normal(rng, 4))
        require_unchanged(student, student.losses.f_g_loss, name, normal(rng, 4))
        require_unchanged(student, student.losses.divergence, name, p, p.flip(0))
