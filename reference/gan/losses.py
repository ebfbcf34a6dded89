"""What the two players minimise: five games, six f-divergences, the penalty and the clipping.

Discriminators and critics give **raw outputs** everywhere: no sigmoid, no activation. Whatever a
loss needs of that kind is part of the loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

LOSSES = ("saturating", "non_saturating", "lsgan", "wgan", "hinge")
DIVERGENCES = ("kl", "reverse_kl", "pearson", "hellinger", "js", "gan")

Function = Callable[[Tensor], Tensor]


def d_loss(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    """Return what the discriminator D minimises, given its raw outputs a for data, b for fakes.

    saturating, non_saturating   mean(-log sigmoid(a)) + mean(-log(1 - sigmoid(b)))
    lsgan                        mean((a - 1)^2) / 2 + mean(b^2) / 2
    wgan                         mean(b) - mean(a)
    hinge                        mean(max(0, 1 - a)) + mean(max(0, 1 + b))

    Outputs of any size give a finite loss: at a = -1000 the first is 1000, not inf.
    Shapes: real [n], fake [m] -> scalar. Raises ValueError for an unknown kind.
    Sources: Goodfellow et al. 2014, eq. 1; Mao et al. 2017, eq. 2 with a = 0, b = c = 1;
    Arjovsky et al. 2017, eq. 2; Lim and Ye 2017.
    """
    # BEGIN SOLUTION
    if kind in ("saturating", "non_saturating"):
        # -log sigmoid(a) = softplus(-a), and 1 - sigmoid(b) = sigmoid(-b): no log of a rounded 0.
        return softplus(-real).mean() + softplus(fake).mean()
    if kind == "lsgan":
        return ((real - 1).square().mean() + fake.square().mean()) / 2
    if kind == "wgan":
        return fake.mean() - real.mean()
    if kind == "hinge":
        return torch.relu(1 - real).mean() + torch.relu(1 + fake).mean()
    raise ValueError(f"no loss {kind!r}; choose one of {', '.join(LOSSES)}")
    # END SOLUTION


def g_loss(kind: str, fake: Tensor) -> Tensor:
    """Return what the generator minimises, given the raw outputs b of D for its samples.

    saturating      mean(log(1 - sigmoid(b)))
    non_saturating  mean(-log sigmoid(b))
    lsgan           mean((b - 1)^2) / 2
    wgan, hinge     -mean(b)

    Where D is sure of a fake (b = -10) the saturating loss has a slope of -4.5e-5 and the
    non-saturating one of -1: that is all that they differ in.
    Shapes: fake [m] -> scalar. Raises ValueError for an unknown kind. Sources as in `d_loss`.
    """
    # BEGIN SOLUTION
    if kind == "saturating":
        return -softplus(fake).mean()
    if kind == "non_saturating":
        return softplus(-fake).mean()
    if kind == "lsgan":
        return (fake - 1).square().mean() / 2
    if kind in ("wgan", "hinge"):
        return -fake.mean()
    raise ValueError(f"no loss {kind!r}; choose one of {', '.join(LOSSES)}")
    # END SOLUTION


# ---------------------------------------------------------------- f-divergences


def f_gan(name: str) -> tuple[Function, Function, Function]:
    """Return (f, conjugate, activation) of an f-divergence, each a function of a tensor.

    D_f(p, q) = sum_i q_i f(p_i / q_i). The conjugate is f*(t) = sup over u >= 0 of u t - f(u); the
    activation g maps the critic's raw output v into the domain of f*.

    name        f(u)                                g(v)                f*(t)
    kl          u log u                             v                   exp(t - 1)
    reverse_kl  -log u                              -exp(-v)            -1 - log(-t)
    pearson     (u - 1)^2                           v                   t^2/4 + t; -1 where t < -2
    hellinger   (sqrt u - 1)^2                      1 - exp(-v)         t / (1 - t)
    js          u log u - (u + 1) log((u + 1)/2)    log 2 - log(1 + e^-v)   -log(2 - exp t)
    gan         u log u - (u + 1) log(u + 1)        -log(1 + e^-v)      -log(1 - exp t)

    js is twice the Jensen-Shannon divergence, gan is js - 2 log 2. At t < -2 the supremum of
    pearson lies at u = 0, for u is a ratio of probabilities and never negative.
    Raises ValueError for an unknown name. Source: Nowozin et al. 2016, tables 1, 2 and 6.
    """
    # BEGIN SOLUTION
    if name not in DIVERGENCES:
        raise ValueError(f"no divergence {name!r}; choose one of {', '.join(DIVERGENCES)}")
    return TRIPLES[name]
    # END SOLUTION


# BEGIN SOLUTION
LOG2 = math.log(2)
TRIPLES: dict[str, tuple[Function, Function, Function]] = {
    "kl": (
        lambda u: u * u.log(),
        lambda t: (t - 1).exp(),
        lambda v: v,
    ),
    "reverse_kl": (
        lambda u: -u.log(),
        lambda t: -1 - (-t).log(),
        lambda v: -(-v).exp(),
    ),
    "pearson": (
        lambda u: (u - 1).square(),
        lambda t: torch.where(t < -2, -1.0, t.square() / 4 + t),
        lambda v: v,
    ),
    "hellinger": (
        lambda u: (u.sqrt() - 1).square(),
        lambda t: t / (1 - t),
        lambda v: 1 - (-v).exp(),
    ),
    "js": (
        lambda u: u * u.log() - (u + 1) * ((u + 1) / 2).log(),
        lambda t: -(2 - t.exp()).log(),
        lambda v: LOG2 - softplus(-v),
    ),
    "gan": (
        lambda u: u * u.log() - (u + 1) * (u + 1).log(),
        lambda t: -(1 - t.exp()).log(),
        lambda v: -softplus(-v),
    ),
}


def conjugate_of_output(name: str, v: Tensor) -> Tensor:
    """Return f*(g(v)); where both together are simpler than one after the other, in one step.

    For js and gan g(v) comes so close to the end of the domain that f* of the rounded value is
    infinite from v = 17 on; log(1 - sigmoid(v)) = -softplus(v) is exact. Shapes: any -> the same.
    """
    _, conjugate, activation = f_gan(name)
    if name == "gan":
        return softplus(v)
    if name == "js":
        return softplus(v) - LOG2
    return conjugate(activation(v))


# END SOLUTION


def f_d_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    """Return what the critic minimises: minus the bound on D_f(p, q) that its raw outputs give.

    mean(f*(g(b))) - mean(g(a)), a the outputs for data and b those for fakes. Finite in float32
    for outputs from -30 to 30, whatever the divergence.
    Shapes: real [n], fake [m] -> scalar. Raises ValueError as `f_gan` does.
    Source: Nowozin et al. 2016, eq. 6.
    """
    # BEGIN SOLUTION
    _, _, activation = f_gan(name)
    return conjugate_of_output(name, fake).mean() - activation(real).mean()
    # END SOLUTION


def f_g_loss(name: str, fake: Tensor) -> Tensor:
    """Return what the generator minimises: the part of the bound that its samples decide.

    -mean(f*(g(b))), b the critic's raw outputs for its samples; finite as `f_d_loss` is.
    Shapes: fake [m] -> scalar. Raises ValueError as `f_gan` does. Source as in `f_d_loss`.
    """
    # BEGIN SOLUTION
    return -conjugate_of_output(name, fake).mean()
    # END SOLUTION


def divergence(name: str, p: Tensor, q: Tensor) -> Tensor:
    """Return D_f(p, q) = sum_i q_i f(p_i / q_i) of two distributions without zeros.

    Shapes: p [k], q [k], each sums to 1 -> scalar. Raises ValueError as `f_gan` does.
    """
    # BEGIN SOLUTION
    f, _, _ = f_gan(name)
    return (q * f(p / q)).sum()
    # END SOLUTION


def optimal_discriminator(p: Tensor, q: Tensor) -> Tensor:
    """Return the probability of "data" that the best D gives each point: p / (p + q).

    p is the distribution of the data, q that of the generator. Shapes: p [k], q [k] -> [k].
    Source: Goodfellow et al. 2014, eq. 2.
    """
    # BEGIN SOLUTION
    return p / (p + q)
    # END SOLUTION


# ---------------------------------------------------------------- Lipschitz critics


def gradient_penalty(
    critic: Function, real: Tensor, fake: Tensor, eps: Tensor, weight: float = 10.0
) -> Tensor:
    """Return weight * mean_i (|grad critic(x_i)| - 1)^2 at x_i = eps_i real_i + (1 - eps_i) fake_i.

    eps belongs to the **real** sample; each sample has one eps for all its numbers. The norm is
    over all numbers of a sample, the mean over samples, and both sides of 1 are punished.
    Gradients of the result reach the critic's parameters, which is its purpose, but neither
    `real` nor `fake`. A sample at which the critic is level (gradient 0) costs `weight`, and its
    slope must not be NaN.

    Shapes: critic [n, ...] -> [n] or [n, 1]; real, fake [n, ...], eps [n] -> scalar.
    Source: Gulrajani et al. 2017, eq. 3 and algorithm 1.
    """
    # BEGIN SOLUTION
    share = eps.reshape(-1, *[1] * (real.ndim - 1))  # [n, 1, ...]
    x = (share * real + (1 - share) * fake).detach().requires_grad_()
    # A sample's output depends on that sample alone, so the slope of the sum is that of each.
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)  # [n, ...]
    # vector_norm has a slope of 0 at 0, where that of a root of a sum is infinite.
    norm = torch.linalg.vector_norm(slope.flatten(1), dim=1)  # [n]
    return weight * (norm - 1).square().mean()
    # END SOLUTION


def clip_weights(critic: nn.Module, c: float) -> None:
    """Clip every parameter of the critic to [-c, c], in place; no gradient is changed.

    Source: Arjovsky et al. 2017, algorithm 1.
    """
    # BEGIN SOLUTION
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.clamp_(-c, c)
    # END SOLUTION
