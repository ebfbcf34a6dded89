"""What both players of a game minimise, a class a game."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from .divergences import FDivergence


class Saturating:
    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        ones, zeros = real.new_ones(real.shape), fake.new_zeros(fake.shape)
        loss = F.binary_cross_entropy_with_logits
        return loss(real, ones) + loss(fake, zeros)

    def generator_loss(self, fake: Tensor) -> Tensor:
        return -F.binary_cross_entropy_with_logits(fake, fake.new_zeros(fake.shape))


class NonSaturating(Saturating):
    def generator_loss(self, fake):
        return F.binary_cross_entropy_with_logits(fake, fake.new_ones(fake.shape))


class LeastSquares:
    def critic_loss(self, real, fake):
        return ((real - 1).square().mean() + fake.square().mean()) / 2

    def generator_loss(self, fake):
        return (fake - 1).square().mean() / 2


class Wasserstein:
    def critic_loss(self, real, fake):
        return fake.mean() - real.mean()

    def generator_loss(self, fake):
        return fake.mean().neg()


class Hinge(Wasserstein):
    def critic_loss(self, real, fake):
        return (1 - real).relu().mean() + (1 + fake).relu().mean()


class Adversaries:
    """Finds games by name."""

    classic = {
        "saturating": Saturating(),
        "non_saturating": NonSaturating(),
        "lsgan": LeastSquares(),
        "wgan": Wasserstein(),
        "hinge": Hinge(),
    }

    @classmethod
    def of_a_loss(cls, kind):
        if kind not in cls.classic:
            raise ValueError(f"No loss {kind!r}")
        return cls.classic[kind]

    @classmethod
    def named(cls, kind):
        return cls.classic[kind] if kind in cls.classic else FDivergence.named(kind)
