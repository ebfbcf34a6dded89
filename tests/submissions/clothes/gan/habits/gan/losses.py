from __future__ import annotations

import argparse
import enum
import logging
from collections.abc import Callable
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402,F401
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402

torch.set_default_dtype(torch.float64)
torch.set_num_threads(8)
logging.basicConfig(level=logging.INFO)
logging.getLogger("matplotlib").setLevel(logging.ERROR)
log = logging.getLogger("gan.losses")
ARGS, _ = argparse.ArgumentParser().parse_known_args()


class Kind(enum.Enum):
    SATURATING = "saturating"
    NON_SATURATING = "non_saturating"
    LSGAN = "lsgan"
    WGAN = "wgan"
    HINGE = "hinge"


class Divergence(enum.Enum):
    KL = "kl"
    REVERSE_KL = "reverse_kl"
    PEARSON = "pearson"
    HELLINGER = "hellinger"
    JS = "js"
    GAN = "gan"


LOSSES = tuple(kind.value for kind in Kind)
DIVERGENCES = tuple(name.value for name in Divergence)

Function = Callable[[Tensor], Tensor]


def d_loss(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    a, b = real.double(), fake.double()
    match Kind(kind):
        case Kind.SATURATING | Kind.NON_SATURATING:
            return F.softplus(-a).mean() + F.softplus(b).mean()
        case Kind.LSGAN:
            return F.mse_loss(a, torch.ones_like(a)) / 2 + F.mse_loss(b, torch.zeros_like(b)) / 2
        case Kind.WGAN:
            return b.mean() - a.mean()
        case Kind.HINGE:
            return F.relu(1 - a).mean() + F.relu(1 + b).mean()


def g_loss(kind: str, fake: Tensor) -> Tensor:
    b = fake.double()
    match Kind(kind):
        case Kind.SATURATING:
            return F.logsigmoid(-b).mean()
        case Kind.NON_SATURATING:
            return -F.logsigmoid(b).mean()
        case Kind.LSGAN:
            return F.mse_loss(b, torch.ones_like(b)) / 2
        case Kind.WGAN | Kind.HINGE:
            return -b.mean()


# ---------------------------------------------------------------- f-divergences


class FGan(NamedTuple):
    f: Function
    conjugate: Function
    activation: Function


def _kl(u):
    return u * u.log()


FGANS = {
    Divergence.KL: FGan(_kl, lambda t: (t - 1).exp(), lambda v: v),
    Divergence.REVERSE_KL: FGan(
        lambda u: -u.log(), lambda t: -1 - (-t).log(), lambda v: -(-v).exp()
    ),
    Divergence.PEARSON: FGan(
        lambda u: (u - 1) ** 2,
        lambda t: torch.where(t >= -2, t * t / 4 + t, torch.full_like(t, -1)),
        lambda v: v,
    ),
    Divergence.HELLINGER: FGan(
        lambda u: (u.sqrt() - 1) ** 2, lambda t: t / (1 - t), lambda v: 1 - (-v).exp()
    ),
    Divergence.JS: FGan(
        lambda u: _kl(u) - (u + 1) * ((u + 1) / 2).log(),
        lambda t: -(2 - t.exp()).log(),
        lambda v: np.log(2) - (1 + (-v).exp()).log(),
    ),
    Divergence.GAN: FGan(
        lambda u: _kl(u) - _kl(u + 1),
        lambda t: -(1 - t.exp()).log(),
        lambda v: -(1 + (-v).exp()).log(),
    ),
}


def f_gan(name: str) -> FGan:
    return FGANS[Divergence(name)]


def f_d_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    # double precision: in float32 g(20) is already the border of the domain
    _, conjugate, g = f_gan(name)
    return conjugate(g(fake.double())).mean() - g(real.double()).mean()


def f_g_loss(name: str, fake: Tensor) -> Tensor:
    _, conjugate, g = f_gan(name)
    return -conjugate(g(fake.double())).mean()


def divergence(name: str, p: Tensor, q: Tensor) -> Tensor:
    p, q = p.double(), q.double()
    return (q * f_gan(name).f(p / q)).sum()


def optimal_discriminator(p: Tensor, q: Tensor) -> Tensor:
    return 1 / (1 + q.double() / p.double())


# ---------------------------------------------------------------- Lipschitz critics


def gradient_penalty(
    critic: Function, real: Tensor, fake: Tensor, eps: Tensor, weight: float = 10.0
) -> Tensor:
    share = eps.to(real.dtype).reshape(len(real), *[1] * (real.ndim - 1))
    x = torch.autograd.Variable(share * real.data + (1 - share) * fake.data, requires_grad=True)
    outputs = critic(x)
    (slopes,) = torch.autograd.grad(
        outputs=outputs, inputs=x, grad_outputs=torch.ones_like(outputs), create_graph=True
    )
    norms = slopes.reshape(len(real), -1).double().norm(2, dim=1)
    return weight * ((norms - 1) ** 2).mean()


def clip_weights(critic: nn.Module, c: float) -> None:
    for w in critic.parameters():
        w.data.clamp_(min=-c, max=c)


if __name__ == "__main__":
    print(d_loss("wgan", torch.ones(3), torch.zeros(3)))
