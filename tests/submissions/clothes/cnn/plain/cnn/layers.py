"""Convolution, pooling, batch normalisation, dropout and a loss, forward and backward by hand."""

from __future__ import annotations

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]


def out_size(n: int, k: int, padding: int = 0, stride: int = 1, dilation: int = 1) -> int:
    """Return how many positions a kernel of size k has on n pixels."""
    room = n + 2 * padding - dilation * (k - 1) - 1
    if room < 0:
        raise ValueError(f"a kernel of {k} does not fit on {n} pixels")
    return room // stride + 1


def parameter_count(layers: list[tuple]) -> list[int]:
    """Return the number of parameters of each layer of a network."""
    counts = []
    for layer in layers:
        if layer[0] == "conv":
            _, c_in, c_out, k = layer
            counts.append(c_in * c_out * k * k + c_out)
        elif layer[0] == "linear":
            _, d_in, d_out = layer
            counts.append(d_in * d_out + d_out)
        elif layer[0] == "norm":
            counts.append(2 * layer[1])
        else:
            raise ValueError(f"unknown layer {layer[0]!r}")
    return counts


def _pad(x, padding):
    n, c, h, w = x.shape
    padded = torch.zeros(n, c, h + 2 * padding, w + 2 * padding, dtype=x.dtype, device=x.device)
    padded[:, :, padding : padding + h, padding : padding + w] = x
    return padded


def _window(padded, u, v, h_out, w_out, stride, dilation):
    top, left = u * dilation, v * dilation
    return padded[
        :,
        :,
        top : top + (h_out - 1) * stride + 1 : stride,
        left : left + (w_out - 1) * stride + 1 : stride,
    ]


def conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Tensor:
    """Return the cross-correlation of images with kernels."""
    kh, kw = w.shape[2:]
    h_out = out_size(x.shape[2], kh, padding, stride, dilation)
    w_out = out_size(x.shape[3], kw, padding, stride, dilation)
    padded = _pad(x, padding)
    y = torch.zeros(x.shape[0], w.shape[0], h_out, w_out, dtype=x.dtype, device=x.device)
    for u in range(kh):
        for v in range(kw):
            window = _window(padded, u, v, h_out, w_out, stride, dilation)
            y += torch.einsum("nchw,oc->nohw", window, w[:, :, u, v])
    if b is not None:
        y += b[None, :, None, None]
    return y


def conv2d_backward(
    dy: Tensor, x: Tensor, w: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (dL/dx, dL/dw, dL/db) of `conv2d`."""
    kh, kw = w.shape[2:]
    h_out, w_out = dy.shape[2:]
    padded = _pad(x, padding)
    dpadded = torch.zeros_like(padded)
    dw = torch.zeros_like(w)
    for u in range(kh):
        for v in range(kw):
            window = _window(padded, u, v, h_out, w_out, stride, dilation)
            dw[:, :, u, v] = torch.einsum("nohw,nchw->oc", dy, window)
            dwindow = _window(dpadded, u, v, h_out, w_out, stride, dilation)
            dwindow += torch.einsum("nohw,oc->nchw", dy, w[:, :, u, v])
    h, width = x.shape[2:]
    dx = dpadded[:, :, padding : padding + h, padding : padding + width].clone()
    return dx, dw, dy.sum(dim=(0, 2, 3))


def _windows(x, k, stride):
    h_out = out_size(x.shape[2], k, 0, stride)
    w_out = out_size(x.shape[3], k, 0, stride)
    parts = [
        _window(x, u, v, h_out, w_out, stride, 1) for u in range(k) for v in range(k)
    ]
    return torch.stack(parts)


def maxpool2d(x: Tensor, k: int, stride: int | None = None) -> Tensor:
    """Return the largest value of every k x k window."""
    return _windows(x, k, stride or k).amax(dim=0)


def maxpool2d_backward(dy: Tensor, x: Tensor, k: int, stride: int | None = None) -> Tensor:
    """Return dL/dx of `maxpool2d`."""
    stride = stride or k
    windows = _windows(x, k, stride)
    largest = windows.amax(dim=0)
    dx = torch.zeros_like(x)
    done = torch.zeros_like(largest, dtype=torch.bool)
    h_out, w_out = dy.shape[2:]
    for place in range(k * k):
        here = (windows[place] == largest) & ~done
        done |= here
        view = _window(dx, place // k, place % k, h_out, w_out, stride, 1)
        view += dy * here
    return dx


def _channelwise(x):
    axes = (0,) if x.ndim == 2 else (0, 2, 3)
    shape = (1, -1) if x.ndim == 2 else (1, -1, 1, 1)
    return axes, shape, x.numel() // x.shape[1]


def batchnorm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running: Pair,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Normalise every channel and return (y, running)."""
    axes, shape, m = _channelwise(x)
    if training:
        if m == 1:
            raise ValueError("one number has no variance")
        mean = x.mean(dim=axes)
        variance = ((x - mean.view(shape)) ** 2).mean(dim=axes)
        running = (
            (1 - momentum) * running[0] + momentum * mean,
            (1 - momentum) * running[1] + momentum * variance * m / (m - 1),
        )
    else:
        mean, variance = running
    x_hat = (x - mean.view(shape)) / torch.sqrt(variance.view(shape) + eps)
    return gamma.view(shape) * x_hat + beta.view(shape), running


def batchnorm_backward(
    dy: Tensor, x: Tensor, gamma: Tensor, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (dL/dx, dL/dgamma, dL/dbeta) of `batchnorm` in training."""
    axes, shape, m = _channelwise(x)
    centred = x - x.mean(dim=axes).view(shape)
    std = torch.sqrt((centred**2).mean(dim=axes).view(shape) + eps)
    x_hat = centred / std
    dbeta = dy.sum(dim=axes)
    dgamma = (dy * x_hat).sum(dim=axes)
    dx = gamma.view(shape) / std * (dy - dbeta.view(shape) / m - x_hat * dgamma.view(shape) / m)
    return dx, dgamma, dbeta


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator) -> Tensor:
    """Set every number to 0 with probability p and divide the others by 1 - p."""
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}")
    if not training:
        return x
    if p == 1:
        return torch.zeros_like(x)
    keep = torch.rand(x.shape, generator=generator, device=x.device) >= p
    return x * keep / (1 - p)


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, eps: float = 0.0) -> Pair:
    """Return the mean cross-entropy against smoothed labels, and its gradient."""
    n, k = logits.shape
    shifted = logits - logits.amax(dim=1, keepdim=True)
    log_p = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    q = torch.full_like(logits, eps / (k - 1))
    q[torch.arange(n), labels] = 1 - eps
    loss = -(q * log_p).sum() / n
    return loss, (log_p.exp() - q) / n
