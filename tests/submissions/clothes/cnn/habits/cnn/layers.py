from __future__ import annotations

import argparse
import enum
import logging
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402,F401
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402

torch.set_default_dtype(torch.float64)
torch.set_num_threads(8)
logging.basicConfig(level=logging.DEBUG)
log = logging.getLogger("cnn.layers")
logging.getLogger("matplotlib").setLevel(logging.ERROR)
ARGS, _ = argparse.ArgumentParser().parse_known_args()


class Kind(enum.Enum):
    CONV = "conv"
    LINEAR = "linear"
    NORM = "norm"


class Gradients(NamedTuple):
    x: Tensor
    w: Tensor
    b: Tensor


def out_size(n: int, k: int, padding: int = 0, stride: int = 1, dilation: int = 1) -> int:
    out = int(np.floor((n + 2 * padding - dilation * (k - 1) - 1) / stride)) + 1
    if out <= 0:
        raise ValueError(f"out_size({n}, {k}, {padding}, {stride}, {dilation}) = {out}")
    return out


def parameter_count(layers: list[tuple]) -> list[int]:
    counts = []
    for kind, *sizes in layers:
        kind = Kind(kind)
        if kind is Kind.NORM:
            counts.append(2 * sizes[0])
        else:
            fan_in = sizes[0] * (sizes[2] ** 2 if kind is Kind.CONV else 1)
            counts.append((fan_in + 1) * sizes[1])
    return counts


def _padded(x, p):
    big = torch.zeros((*x.shape[:2], x.shape[2] + 2 * p, x.shape[3] + 2 * p), device=x.device)
    big[:, :, p : p + x.shape[2], p : p + x.shape[3]] = x.double()
    return big


def _indices(out, k, stride, dilation):
    return np.add.outer(np.arange(k) * dilation, np.arange(out) * stride)  # [k, out]


def conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Tensor:
    ho = out_size(x.shape[2], w.shape[2], padding, stride, dilation)
    wo = out_size(x.shape[3], w.shape[3], padding, stride, dilation)
    log.debug("conv2d %s -> %d x %d", tuple(x.shape), ho, wo)
    big, weights = _padded(x, padding), w.double()
    rows = torch.as_tensor(_indices(ho, w.shape[2], stride, dilation), device=x.device)
    cols = torch.as_tensor(_indices(wo, w.shape[3], stride, dilation), device=x.device)
    patches = big[:, :, rows][:, :, :, :, cols]  # [N, C, kh, H', kw, W']
    y = torch.tensordot(patches, weights, dims=([1, 2, 4], [1, 2, 3]))  # [N, H', W', O]
    y = y.permute(0, 3, 1, 2)
    if b is not None:
        y = y + b.double().reshape(1, -1, 1, 1)
    return y.to(x.dtype).contiguous()


def conv2d_backward(
    dy: Tensor, x: Tensor, w: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Gradients:
    big, d, weights = _padded(x, padding), dy.double(), w.double()
    rows = torch.as_tensor(_indices(dy.shape[2], w.shape[2], stride, dilation), device=x.device)
    cols = torch.as_tensor(_indices(dy.shape[3], w.shape[3], stride, dilation), device=x.device)
    patches = big[:, :, rows][:, :, :, :, cols]
    dw = torch.einsum("nohw,ncuhvw->ocuv", d, patches)
    # the transposed convolution: spread dy out, pad it, correlate with the flipped kernel
    spread = torch.zeros(
        (*d.shape[:2], (d.shape[2] - 1) * stride + 1, (d.shape[3] - 1) * stride + 1),
        device=x.device,
    )
    spread[:, :, ::stride, ::stride] = d
    reach = [dilation * (k - 1) for k in w.shape[2:]]
    full = torch.zeros(
        (*d.shape[:2], spread.shape[2] + 2 * reach[0], spread.shape[3] + 2 * reach[1]),
        device=x.device,
    )
    full[:, :, reach[0] : reach[0] + spread.shape[2], reach[1] : reach[1] + spread.shape[3]] = spread
    back = conv2d(full, weights.flip(2, 3).transpose(0, 1), dilation=dilation)
    dbig = torch.zeros_like(big)
    dbig[:, :, : back.shape[2], : back.shape[3]] = back
    dx = dbig[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]
    return Gradients(dx.to(x.dtype), dw.to(w.dtype), d.sum((0, 2, 3)).to(dy.dtype))


def maxpool2d(x: Tensor, k: int, stride: int | None = None) -> Tensor:
    step = k if stride is None else stride
    ho, wo = (out_size(n, k, stride=step) for n in x.shape[2:])
    rows, cols = _indices(ho, k, step, 1), _indices(wo, k, step, 1)
    tall = torch.stack([x[:, :, torch.as_tensor(r)] for r in rows]).max(dim=0)[0]
    return torch.stack([tall[:, :, :, torch.as_tensor(c)] for c in cols]).max(dim=0)[0]


def maxpool2d_backward(dy: Tensor, x: Tensor, k: int, stride: int | None = None) -> Tensor:
    step = k if stride is None else stride
    n, c, h, w = x.shape
    dx = np.zeros((n, c, h, w))
    xn, dn = x.double().cpu().numpy(), dy.double().cpu().numpy()
    batch, channel = np.ogrid[:n, :c]
    for i in range(dy.shape[2]):
        for j in range(dy.shape[3]):
            window = xn[:, :, i * step : i * step + k, j * step : j * step + k].reshape(n, c, -1)
            place = window.argmax(axis=-1)  # the first of equals
            dx[batch, channel, i * step + place // k, j * step + place % k] += dn[:, :, i, j]
    return torch.from_numpy(dx).to(x)


class Moments(NamedTuple):
    mean: Tensor
    variance: Tensor


def _axes(x):
    return tuple(a for a in range(x.ndim) if a != 1)


def batchnorm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Tensor, Moments]:
    kind = x.dtype
    z = x.double()
    shape = [1, x.shape[1]] + [1] * (x.ndim - 2)
    if training:
        m = x.numel() // x.shape[1]
        if m == 1:
            raise ValueError("m is 1")
        now = Moments(z.mean(_axes(z)), z.var(_axes(z), correction=0))
        mixed = [
            (1 - momentum) * old.double() + momentum * new
            for old, new in zip(running, (now.mean, now.variance * m / (m - 1)))
        ]
        running = Moments(*(t.to(old.dtype) for t, old in zip(mixed, running)))
    else:
        now = Moments(running[0].double(), running[1].double())
        running = Moments(*running)
    x_hat = (z - now.mean.reshape(shape)) / (now.variance.reshape(shape) + eps).sqrt()
    y = gamma.double().reshape(shape) * x_hat + beta.double().reshape(shape)
    return y.to(kind), running


def batchnorm_backward(
    dy: Tensor, x: Tensor, gamma: Tensor, eps: float = 1e-5
) -> Gradients:
    z, d = x.double(), dy.double()
    mean = z.mean(_axes(z), keepdim=True)
    std = (z.var(_axes(z), correction=0, keepdim=True) + eps).sqrt()
    x_hat = (z - mean) / std
    shape = mean.shape
    dx = d - d.mean(_axes(d), keepdim=True) - x_hat * (d * x_hat).mean(_axes(d), keepdim=True)
    dx = dx * gamma.double().reshape(shape) / std
    return Gradients(
        dx.to(x.dtype), (d * x_hat).sum(_axes(d)).to(x.dtype), d.sum(_axes(d)).to(x.dtype)
    )


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator) -> Tensor:
    if not 0 <= p <= 1:
        raise ValueError(f"p={p}")
    if not training:
        return x
    keep = torch.full(x.shape, 1.0 - p, device=x.device).bernoulli(generator=generator)
    return (x.double() * keep / (1 - p)).to(x.dtype) if p < 1 else torch.zeros_like(x)


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, eps: float = 0.0):
    z = logits.double()
    n, k = z.shape
    log_p = z - z.logsumexp(1, keepdim=True)
    rows = torch.arange(n, device=z.device)
    of_label, of_all = log_p[rows, labels], log_p.sum(1)
    share = eps / (k - 1)
    loss = -((1 - eps) * of_label + share * (of_all - of_label)).mean()
    gradient = log_p.exp() - share
    gradient[rows, labels] -= 1 - eps - share
    return loss.to(logits.dtype), (gradient / n).to(logits.dtype)


if __name__ == "__main__":
    print(out_size(28, 5))
