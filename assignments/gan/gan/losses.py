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
    raise NotImplementedError("d_loss is not written yet")


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
    raise NotImplementedError("g_loss is not written yet")


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
    raise NotImplementedError("f_gan is not written yet")


def f_d_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    """Return what the critic minimises: minus the bound on D_f(p, q) that its raw outputs give.

    mean(f*(g(b))) - mean(g(a)), a the outputs for data and b those for fakes. Finite in float32
    for outputs from -30 to 30, whatever the divergence.
    Shapes: real [n], fake [m] -> scalar. Raises ValueError as `f_gan` does.
    Source: Nowozin et al. 2016, eq. 6.
    """
    raise NotImplementedError("f_d_loss is not written yet")


def f_g_loss(name: str, fake: Tensor) -> Tensor:
    """Return what the generator minimises: the part of the bound that its samples decide.

    -mean(f*(g(b))), b the critic's raw outputs for its samples; finite as `f_d_loss` is.
    Shapes: fake [m] -> scalar. Raises ValueError as `f_gan` does. Source as in `f_d_loss`.
    """
    raise NotImplementedError("f_g_loss is not written yet")


def divergence(name: str, p: Tensor, q: Tensor) -> Tensor:
    """Return D_f(p, q) = sum_i q_i f(p_i / q_i) of two distributions without zeros.

    Shapes: p [k], q [k], each sums to 1 -> scalar. Raises ValueError as `f_gan` does.
    """
    raise NotImplementedError("divergence is not written yet")


def optimal_discriminator(p: Tensor, q: Tensor) -> Tensor:
    """Return the probability of "data" that the best D gives each point: p / (p + q).

    p is the distribution of the data, q that of the generator. Shapes: p [k], q [k] -> [k].
    Source: Goodfellow et al. 2014, eq. 2.
    """
    raise NotImplementedError("optimal_discriminator is not written yet")


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
    raise NotImplementedError("gradient_penalty is not written yet")


def clip_weights(critic: nn.Module, c: float) -> None:
    """Clip every parameter of the critic to [-c, c], in place; no gradient is changed.

    Source: Arjovsky et al. 2017, algorithm 1.
    """
    raise NotImplementedError("clip_weights is not written yet")
