"""Losses, one step after the other. Where gradients must flow I keep whole batches."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

LOSSES = ("saturating", "non_saturating", "lsgan", "wgan", "hinge")
DIVERGENCES = ("kl", "reverse_kl", "pearson", "hellinger", "js", "gan")

Function = Callable[[Tensor], Tensor]


def log_sigmoid(v):
    # of the larger of 0 and -v is taken out what would overflow
    zero = torch.zeros_like(v)
    return torch.minimum(v, zero) - torch.log1p(torch.exp(-torch.abs(v)))


def average(numbers):
    return numbers.sum() / numbers.numel()


def positive(v):
    return torch.clamp(v, min=0)


def d_loss(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    if kind == "saturating" or kind == "non_saturating":
        # 1 - sigmoid(b) is sigmoid(-b)
        return average(-log_sigmoid(real)) + average(-log_sigmoid(-fake))
    elif kind == "lsgan":
        return 0.5 * average((real - 1) * (real - 1)) + 0.5 * average(fake * fake)
    elif kind == "wgan":
        return average(fake) - average(real)
    elif kind == "hinge":
        return average(positive(1 - real)) + average(positive(1 + fake))
    raise ValueError("what is the loss " + repr(kind) + "?")


def g_loss(kind: str, fake: Tensor) -> Tensor:
    if kind == "saturating":
        return average(log_sigmoid(-fake))
    elif kind == "non_saturating":
        return average(-log_sigmoid(fake))
    elif kind == "lsgan":
        return 0.5 * average((fake - 1) * (fake - 1))
    elif kind == "wgan" or kind == "hinge":
        return -average(fake)
    raise ValueError("what is the loss " + repr(kind) + "?")


# ---------------------------------------------------------------- f-divergences


def f_gan(name: str) -> tuple[Function, Function, Function]:
    if name == "kl":

        def f(u):
            return u * torch.log(u)

        def conjugate(t):
            return torch.exp(t - 1)

        def activation(v):
            return v

    elif name == "reverse_kl":

        def f(u):
            return -torch.log(u)

        def conjugate(t):
            return -1 - torch.log(-t)

        def activation(v):
            return -torch.exp(-v)

    elif name == "pearson":

        def f(u):
            return (u - 1) * (u - 1)

        def conjugate(t):
            # t^2/4 + t is -1 at t = -2, its lowest point
            t = torch.clamp(t, min=-2)
            return t * t / 4 + t

        def activation(v):
            return v

    elif name == "hellinger":

        def f(u):
            return (torch.sqrt(u) - 1) * (torch.sqrt(u) - 1)

        def conjugate(t):
            return t / (1 - t)

        def activation(v):
            return 1 - torch.exp(-v)

    elif name == "js":

        def f(u):
            return u * torch.log(u) - (u + 1) * torch.log((u + 1) / 2)

        def conjugate(t):
            return -torch.log(2 - torch.exp(t))

        def activation(v):
            return math.log(2) + log_sigmoid(v)

    elif name == "gan":

        def f(u):
            return u * torch.log(u) - (u + 1) * torch.log(u + 1)

        def conjugate(t):
            return -torch.log(1 - torch.exp(t))

        def activation(v):
            return log_sigmoid(v)

    else:
        raise ValueError("what is the divergence " + repr(name) + "?")
    return f, conjugate, activation


def both(name, v):
    """f*(g(v)), worked out on paper where the two after each other round badly."""
    f, conjugate, activation = f_gan(name)
    if name == "reverse_kl":
        return v - 1  # -1 - log(exp(-v))
    elif name == "hellinger":
        return torch.exp(v) - 1  # (1 - e^-v) / e^-v
    elif name == "js":
        return -log_sigmoid(-v) - math.log(2)  # -log(2 - 2 sigmoid(v))
    elif name == "gan":
        return -log_sigmoid(-v)  # -log(1 - sigmoid(v))
    return conjugate(activation(v))


def f_d_loss(name: str, real: Tensor, fake: Tensor) -> Tensor:
    f, conjugate, activation = f_gan(name)
    return average(both(name, fake)) - average(activation(real))


def f_g_loss(name: str, fake: Tensor) -> Tensor:
    return -average(both(name, fake))


def divergence(name: str, p: Tensor, q: Tensor) -> Tensor:
    f, conjugate, activation = f_gan(name)
    total = 0
    for i in range(len(p)):
        total = total + q[i] * f(p[i] / q[i])
    return total


def optimal_discriminator(p: Tensor, q: Tensor) -> Tensor:
    answer = torch.zeros_like(p)
    for i in range(len(p)):
        answer[i] = p[i] / (p[i] + q[i])
    return answer


# ---------------------------------------------------------------- Lipschitz critics


def gradient_penalty(
    critic: Function, real: Tensor, fake: Tensor, eps: Tensor, weight: float = 10.0
) -> Tensor:
    n = real.shape[0]
    share = eps.detach()
    while share.dim() < real.dim():
        share = share.unsqueeze(-1)
    x = share * real.detach() + (1 - share) * fake.detach()
    x.requires_grad_(True)
    outputs = critic(x).reshape(n)
    gradients = torch.autograd.grad(outputs.sum(), x, create_graph=True)[0]
    # vector_norm has the slope 0 at 0
    norms = torch.linalg.vector_norm(gradients.reshape(n, -1), dim=1)
    return weight * average((norms - 1) * (norms - 1))


def clip_weights(critic: nn.Module, c: float) -> None:
    for parameter in critic.parameters():
        numbers = parameter.data
        numbers[numbers > c] = c
        numbers[numbers < -c] = -c
