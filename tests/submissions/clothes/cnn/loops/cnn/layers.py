"""Loops over windows and channels; sums of small tensors, no clever indexing."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def out_size(n: int, k: int, padding: int = 0, stride: int = 1, dilation: int = 1) -> int:
    size = n + 2 * padding
    reach = dilation * (k - 1) + 1
    count = 0
    start = 0
    while start + reach <= size:
        count += 1
        start += stride
    if count == 0:
        raise ValueError("the kernel does not fit")
    return count


def parameter_count(layers: list[tuple]) -> list[int]:
    answer = []
    for layer in layers:
        kind = layer[0]
        if kind == "conv":
            weights = layer[1] * layer[2] * layer[3] ** 2
            answer.append(weights + layer[2])
        elif kind == "linear":
            answer.append(layer[1] * layer[2] + layer[2])
        elif kind == "norm":
            answer.append(layer[1] + layer[1])
        else:
            raise ValueError("what is a layer " + repr(kind) + "?")
    return answer


def padded(x, p):
    big = torch.zeros((x.shape[0], x.shape[1], x.shape[2] + 2 * p, x.shape[3] + 2 * p), dtype=x.dtype, device=x.device)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            big[:, :, i + p, j + p] = x[:, :, i, j]
    return big


def conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Tensor:
    outputs, channels, kh, kw = w.shape
    rows = out_size(x.shape[2], kh, padding, stride, dilation)
    columns = out_size(x.shape[3], kw, padding, stride, dilation)
    big = padded(x, padding)
    flat = w.reshape(outputs, -1).t()
    y = torch.zeros((x.shape[0], outputs, rows, columns), dtype=x.dtype, device=x.device)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            bottom, right = top + dilation * (kh - 1) + 1, left + dilation * (kw - 1) + 1
            patch = big[:, :, top:bottom:dilation, left:right:dilation]
            y[:, :, i, j] = patch.reshape(x.shape[0], -1) @ flat
            if b is not None:
                y[:, :, i, j] += b
    return y


def conv2d_backward(
    dy: Tensor, x: Tensor, w: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
) -> tuple[Tensor, Tensor, Tensor]:
    outputs, channels, kh, kw = w.shape
    big = padded(x, padding)
    dbig = torch.zeros_like(big)
    dw = torch.zeros_like(w)
    db = torch.zeros(outputs, dtype=dy.dtype, device=dy.device)
    for i in range(dy.shape[2]):
        for j in range(dy.shape[3]):
            top, left = i * stride, j * stride
            bottom, right = top + dilation * (kh - 1) + 1, left + dilation * (kw - 1) + 1
            patch = big[:, :, top:bottom:dilation, left:right:dilation]
            g = dy[:, :, i, j]
            db += g.sum(dim=0)
            dw += (g.t() @ patch.reshape(len(x), -1)).reshape(w.shape)
            back = (g @ w.reshape(outputs, -1)).reshape(patch.shape)
            dbig[:, :, top:bottom:dilation, left:right:dilation] += back
    dx = torch.zeros_like(x)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            dx[:, :, i, j] = dbig[:, :, i + padding, j + padding]
    return dx, dw, db


def maxpool2d(x: Tensor, k: int, stride: int | None = None) -> Tensor:
    if stride is None:
        stride = k
    rows, columns = out_size(x.shape[2], k, stride=stride), out_size(x.shape[3], k, stride=stride)
    y = torch.zeros((x.shape[0], x.shape[1], rows, columns), dtype=x.dtype, device=x.device)
    for i in range(rows):
        for j in range(columns):
            largest = x[:, :, i * stride, j * stride]
            for u in range(k):
                for v in range(k):
                    largest = torch.maximum(largest, x[:, :, i * stride + u, j * stride + v])
            y[:, :, i, j] = largest
    return y


def maxpool2d_backward(dy: Tensor, x: Tensor, k: int, stride: int | None = None) -> Tensor:
    if stride is None:
        stride = k
    dx = torch.zeros_like(x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            pixels = x[n, c].tolist()
            gradients = dy[n, c].tolist()
            sums = [[0.0] * x.shape[3] for _ in range(x.shape[2])]
            for i in range(dy.shape[2]):
                for j in range(dy.shape[3]):
                    a, b = i * stride, j * stride
                    for u in range(i * stride, i * stride + k):
                        for v in range(j * stride, j * stride + k):
                            if pixels[u][v] > pixels[a][b]:
                                a, b = u, v
                    sums[a][b] += gradients[i][j]
            dx[n, c] = torch.tensor(sums, dtype=x.dtype)
    return dx


def channel(x, c):
    """All numbers of one channel, in a row."""
    return x[:, c].reshape(-1)


def batchnorm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
):
    y = torch.zeros_like(x)
    means, variances = running[0].clone(), running[1].clone()
    for c in range(x.shape[1]):
        numbers = channel(x, c)
        m = len(numbers)
        if training:
            if m < 2:
                raise ValueError("there must be two numbers or more")
            mean = numbers.sum() / m
            squares = ((numbers - mean) * (numbers - mean)).sum()
            means[c] = (1 - momentum) * running[0][c] + momentum * mean
            variances[c] = (1 - momentum) * running[1][c] + momentum * squares / (m - 1)
            variance = squares / m
        else:
            mean, variance = running[0][c], running[1][c]
        y[:, c] = gamma[c] * (x[:, c] - mean) / torch.sqrt(variance + eps) + beta[c]
    return y, (means, variances)


def batchnorm_backward(dy: Tensor, x: Tensor, gamma: Tensor, eps: float = 1e-5):
    dx = torch.zeros_like(x)
    dgamma, dbeta = torch.zeros_like(gamma), torch.zeros_like(gamma)
    for c in range(x.shape[1]):
        numbers = channel(x, c)
        m = len(numbers)
        mean = numbers.sum() / m
        variance = ((numbers - mean) ** 2).sum() / m
        x_hat = (x[:, c] - mean) / torch.sqrt(variance + eps)
        dbeta[c] = dy[:, c].sum()
        dgamma[c] = (dy[:, c] * x_hat).sum()
        inner = dy[:, c] - dbeta[c] / m - x_hat * dgamma[c] / m
        dx[:, c] = gamma[c] / torch.sqrt(variance + eps) * inner
    return dx, dgamma, dbeta


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator) -> Tensor:
    if p < 0 or p > 1:
        raise ValueError("p is a probability")
    if not training:
        return x
    y = x.clone()
    dice = torch.rand(x.shape, generator=generator, device=x.device)
    y[dice < p] = 0
    if p < 1:
        y = y / (1 - p)
    return y


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, eps: float = 0.0):
    n, k = logits.shape
    loss = 0.0
    gradient = []
    for row, label in zip(logits.tolist(), labels.tolist()):
        top = max(row)
        total = sum(math.exp(z - top) for z in row)
        log_p = [z - top - math.log(total) for z in row]
        q = [1 - eps if j == label else eps / (k - 1) for j in range(k)]
        loss -= sum(a * b for a, b in zip(q, log_p)) / n
        gradient.append([(math.exp(b) - a) / n for a, b in zip(q, log_p)])
    make = {"dtype": logits.dtype, "device": logits.device}
    return torch.tensor(loss, **make), torch.tensor(gradient, **make)
