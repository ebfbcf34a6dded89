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
    """Return what the discriminator minimises."""
    if kind in ("saturating", "non_saturating"):
        # -log sigmoid(a) = softplus(-a) and -log(1 - sigmoid(b)) = softplus(b)
        return softplus(-real).mean() + softplus(fake).mean()
    if kind == "lsgan":
        return ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2
    if kind == "wgan":
        return fake.mean() - real.mean()
    if kind == "hinge":
        return torch.relu(1 - real).mean() + torch.relu(1 + fake).mean()
    raise ValueError(f"unknown kind {kind!r}, expected one of {LOSSES}")


def g_loss(kind: str, fake: Tensor) -> Tensor:
    """Return what the generator minimises."""
    if kind == "saturating":
        return -softplus(fake).mean()
    if kind == "non_saturating":
        return softplus(-fake).mean()
    if kind == "lsgan":
        return ((fake - 1) ** 2).mean() / 2
    if kind in ("wgan", "hinge"):
        return -fake.mean()
    raise ValueError(f"unknown kind {kind!r}, expected one of {LOSSES}")


# ---------------------------------------------------------------- f-divergences


def check_divergence(name):
    if name not in DIVERGENCES:
        raise ValueError(f"unknown divergence {name!r}, expected one of {DIVERGENCES}")


def pearson_conjugate(t):
    return torch.where(t < -2, -torch.ones_like(t), t**2 / 4 + t)


def f_gan(name: str) -> tuple[Function, Function, Function]:
    """Return (f, conjugate, activation) of an f-divergence, each a function of a tensor."""
    check_divergence(name)
    if name == "kl":
        return (
            lambda u: u * torch.log(u),
            lambda t: torch.exp(t - 1),
            lambda v: v,
        )
    if name == "reverse_kl":
        return (
            lambda u: -torch.log(u),
            lambda t: -1 - torch.log(-t),
            lambda v: -torch.exp(-v),
        )
    if name == "pearson":
        return (
            lambda u: (u - 1) ** 2,
            pearson_conjugate,
            lambda v: v,
        )
    if name == "hellinger":
        return (
            lambda u: (torch.sqrt(u) - 1) ** 2,
            lambda t: t / (1 - t),
            lambda v: 1 - torch.exp(-v),
        )
    if name == "js":
        return (
            lambda u: u * torch.log(u) - (u + 1) * torch.log((u + 1) / 2),
            lambda t: -torch.log(2 - torch.exp(t)),
            lambda v: math.log(2) - softplus(-v),
        )
    return (
        lambda u: u * torch.log(u) - (u + 1) * torch.log(u + 1),
        lambda t: -torch.log(1 - torch.exp(t)),
        lambda v: -softplus(-v),
    )


def conjugate_of_output(name, v):
    """f*(g(v)) in one formula: g(v) alone rounds to the border of the domain for large v."""
    check_divergence(name)
    if name == "kl":
        return torch.exp(v - 1)
    if name == "reverse_kl":
        return v - 1
    if name == "pearson":
        return pearson_conjugate(v)
    if name == "hellinger":
        return torch.expm1(v)
    if name == "js":
        return softplus(v) - math.log(2)
    return softplus(v)


def f_d_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    """Return what the critic minimises: minus the bound on D_f(p, q)."""
    _, _, activation = f_gan(name)
    return conjugate_of_output(name, fake).mean() - activation(real).mean()


def f_g_loss(name: str, fake: Tensor) -> Tensor:
    """Return what the generator minimises: the part of the bound that its samples decide."""
    return -conjugate_of_output(name, fake).mean()


def divergence(name: str, p: Tensor, q: Tensor) -> Tensor:
    """Return D_f(p, q) = sum_i q_i f(p_i / q_i)."""
    f, _, _ = f_gan(name)
    return (q * f(p / q)).sum()


def optimal_discriminator(p: Tensor, q: Tensor) -> Tensor:
    """Return the probability of "data" that the best D gives each point."""
    return p / (p + q)


# ---------------------------------------------------------------- Lipschitz critics


def gradient_penalty(
    critic: Function, real: Tensor, fake: Tensor, eps: Tensor, weight: float = 10.0
) -> Tensor:
    """Return weight * mean_i (|grad critic(x_i)| - 1)^2 between real and fake."""
    real, fake = real.detach(), fake.detach()
    eps = eps.detach().reshape([-1] + [1] * (real.dim() - 1))
    x = (eps * real + (1 - eps) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    squares = (gradient.flatten(1) ** 2).sum(dim=1)
    # The root has an infinite slope at 0, so take it only elsewhere.
    level = squares == 0
    norm = torch.where(level, torch.zeros_like(squares), torch.where(level, 1, squares).sqrt())
    return weight * ((norm - 1) ** 2).mean()


def clip_weights(critic: nn.Module, c: float) -> None:
    """Clip every parameter of the critic to [-c, c], in place."""
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.clamp_(-c, c)
