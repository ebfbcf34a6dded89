"""The functions that are asked for; what they do stands in adversaries, divergences, lipschitz."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from .adversaries import Adversaries
from .divergences import FDivergence
from .lipschitz import Clipping, GradientPenalty

LOSSES = tuple(Adversaries.classic)
DIVERGENCES = tuple(FDivergence.table)

Function = Callable[[Tensor], Tensor]


def d_loss(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    return Adversaries.of_a_loss(kind).critic_loss(real, fake)


def g_loss(kind: str, fake: Tensor) -> Tensor:
    return Adversaries.of_a_loss(kind).generator_loss(fake)


def f_gan(name: str) -> tuple[Function, Function, Function]:
    d = FDivergence.named(name)
    return d.f, d.conjugate, d.activation


def f_d_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    return FDivergence.named(name).critic_loss(real, fake)


def f_g_loss(name: str, fake: Tensor) -> Tensor:
    return FDivergence.named(name).generator_loss(fake)


def divergence(name: str, p: Tensor, q: Tensor) -> Tensor:
    return FDivergence.named(name).between(p, q)


def optimal_discriminator(p: Tensor, q: Tensor) -> Tensor:
    return p.div(p + q)


def gradient_penalty(
    critic: Function, real: Tensor, fake: Tensor, eps: Tensor, weight: float = 10.0
) -> Tensor:
    return GradientPenalty(weight)(critic, real, fake, eps)


def clip_weights(critic: nn.Module, c: float) -> None:
    Clipping(c)(critic)
