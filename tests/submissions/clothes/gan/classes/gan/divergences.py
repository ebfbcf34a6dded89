"""The f-divergences, a class each."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


class FDivergence:
    """Subclasses know f, its conjugate, the activation, and conjugate after activation."""

    table: dict[str, FDivergence] = {}

    def __init_subclass__(cls, name: str) -> None:
        cls.name = name
        FDivergence.table[name] = cls()

    @classmethod
    def named(cls, name: str) -> FDivergence:
        try:
            return cls.table[name]
        except KeyError:
            raise ValueError(f"No f-divergence {name!r}") from None

    def f(self, u: Tensor) -> Tensor:
        raise TypeError("abstract")

    def conjugate(self, t: Tensor) -> Tensor:
        raise TypeError("abstract")

    def activation(self, v: Tensor) -> Tensor:
        return v

    def conjugate_of_raw(self, v: Tensor) -> Tensor:
        """conjugate(activation(v)); overridden where that loses digits or overflows."""
        return self.conjugate(self.activation(v))

    def between(self, p: Tensor, q: Tensor) -> Tensor:
        return torch.dot(q, self.f(p / q))

    # the two players
    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.conjugate_of_raw(fake).mean() - self.activation(real).mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        return self.conjugate_of_raw(fake).mean().neg()


class KL(FDivergence, name="kl"):
    def f(self, u):
        return torch.xlogy(u, u)

    def conjugate(self, t):
        return (t - 1).exp()


class ReverseKL(FDivergence, name="reverse_kl"):
    def f(self, u):
        return u.log().neg()

    def conjugate(self, t):
        return -1 - t.neg().log()

    def activation(self, v):
        return v.neg().exp().neg()

    def conjugate_of_raw(self, v):
        return v - 1


class Pearson(FDivergence, name="pearson"):
    def f(self, u):
        return (u - 1).square()

    def conjugate(self, t):
        # u = 1 + t/2 is where the supremum lies, were it not for u >= 0
        u = (1 + t / 2).relu()
        return u * t - self.f(u)


class Hellinger(FDivergence, name="hellinger"):
    def f(self, u):
        return (u.sqrt() - 1).square()

    def conjugate(self, t):
        return t / (1 - t)

    def activation(self, v):
        return v.neg().expm1().neg()

    def conjugate_of_raw(self, v):
        return v.expm1()


class JS(FDivergence, name="js"):
    def f(self, u):
        return torch.xlogy(u, u) - torch.xlogy(u + 1, (u + 1) / 2)

    def conjugate(self, t):
        return (2 - t.exp()).log().neg()

    def activation(self, v):
        return math.log(2.0) + logsigmoid(v)

    def conjugate_of_raw(self, v):
        return -logsigmoid(-v) - math.log(2.0)


class OriginalGAN(FDivergence, name="gan"):
    def f(self, u):
        return torch.xlogy(u, u) - torch.xlogy(u + 1, u + 1)

    def conjugate(self, t):
        return t.expm1().neg().log().neg()

    def activation(self, v):
        return logsigmoid(v)

    def conjugate_of_raw(self, v):
        return -logsigmoid(-v)
