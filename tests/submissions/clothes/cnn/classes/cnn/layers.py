from __future__ import annotations

import torch
from torch import Tensor

from .geometry import Axis
from .operations import BatchNormalisation, Convolution, MaxPooling, SmoothedLabels

Pair = tuple[Tensor, Tensor]


def out_size(n: int, k: int, padding: int = 0, stride: int = 1, dilation: int = 1) -> int:
    return Axis(n, k, padding, stride, dilation).out


class Count:
    @staticmethod
    def conv(c_in, c_out, k):
        return c_out * (c_in * k**2 + 1)

    @staticmethod
    def linear(d_in, d_out):
        return d_out * (d_in + 1)

    @staticmethod
    def norm(c):
        return 2 * c


def parameter_count(layers: list[tuple]) -> list[int]:
    kinds = vars(Count)
    for kind, *_ in layers:
        if kind not in ("conv", "linear", "norm"):
            raise ValueError(f"Unknown layer: {kind}")
    return [kinds[kind].__func__(*sizes) for kind, *sizes in layers]


def conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Tensor:
    return Convolution(x, w, stride, padding, dilation).forward(b)


def conv2d_backward(
    dy: Tensor, x: Tensor, w: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
) -> tuple[Tensor, Tensor, Tensor]:
    return Convolution(x, w, stride, padding, dilation).backward(dy)


def maxpool2d(x: Tensor, k: int, stride: int | None = None) -> Tensor:
    return MaxPooling(x, k, k if stride is None else stride).forward()


def maxpool2d_backward(dy: Tensor, x: Tensor, k: int, stride: int | None = None) -> Tensor:
    return MaxPooling(x, k, k if stride is None else stride).backward(dy)


def batchnorm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running: Pair,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    norm = BatchNormalisation(x, eps)
    m = len(norm.rows)
    if training and m == 1:
        raise ValueError("The variance of one number is not defined")
    mean, variance = norm.statistics() if training else running
    if training:
        batch = (mean, variance * (m / (m - 1)))
        running = tuple(old + momentum * (new - old) for old, new in zip(running, batch))
    return norm.back(norm.normalise(mean, variance) * gamma + beta), running


def batchnorm_backward(
    dy: Tensor, x: Tensor, gamma: Tensor, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    norm = BatchNormalisation(x, eps)
    grad = BatchNormalisation(dy, eps).rows
    mean, variance = norm.statistics()
    x_hat = norm.normalise(mean, variance)
    dgamma, dbeta = (grad * x_hat).sum(dim=0), grad.sum(dim=0)
    inner = grad - grad.mean(dim=0) - x_hat * (grad * x_hat).mean(dim=0)
    return norm.back(inner * gamma / (variance + eps).sqrt()), dgamma, dbeta


class Dropout:
    def __init__(self, p, generator):
        if not 0 <= p <= 1:
            raise ValueError("p must be in [0, 1]")
        self.p, self.generator = p, generator

    def mask(self, x):
        noise = torch.rand(x.size(), generator=self.generator, device=x.device)
        return torch.where(noise < self.p, 0.0, 1.0).to(x.dtype)

    def __call__(self, x):
        if self.p == 1:
            return x * 0
        return x * self.mask(x) / (1 - self.p)


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator) -> Tensor:
    layer = Dropout(p, generator)
    return layer(x) if training else x


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, eps: float = 0.0) -> Pair:
    n, k = logits.shape
    q = SmoothedLabels(labels, k, eps, logits).q
    log_z = torch.logsumexp(logits, dim=1, keepdim=True)
    log_p = logits - log_z
    return -(q * log_p).sum(dim=1).mean(), (torch.exp(log_p) - q) / n
