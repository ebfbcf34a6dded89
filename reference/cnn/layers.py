"""Convolution, pooling, batch normalisation, dropout and a loss, forward and backward by hand.

Tensors in, tensors out, in the dtype and on the device of the input. Plain torch arithmetic does
it all: no torch.nn, no torch.nn.functional, no autograd. Images have the shape [N, C, H, W].
Nothing here changes a tensor that it was given.
"""

from __future__ import annotations

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]


def out_size(n: int, k: int, padding: int = 0, stride: int = 1, dilation: int = 1) -> int:
    """Return how many positions a kernel of size k has on n pixels.

    out = floor((n + 2 padding - dilation (k - 1) - 1) / stride) + 1

    Raises ValueError if the kernel does not fit once.
    Source: Dumoulin and Visin 2016, relationship 15.
    """
    # BEGIN SOLUTION
    reach = dilation * (k - 1) + 1  # pixels from the first to the last that the kernel touches
    if n + 2 * padding < reach:
        raise ValueError(f"a kernel that reaches over {reach} does not fit {n + 2 * padding}")
    return (n + 2 * padding - reach) // stride + 1
    # END SOLUTION


def parameter_count(layers: list[tuple]) -> list[int]:
    """Return the number of parameters of each layer of a network.

    ("conv", c_in, c_out, k)    a k x k convolution with a bias for each output channel
    ("linear", d_in, d_out)     a fully connected layer with biases
    ("norm", c)                 a batch normalisation: gamma and beta

    Raises ValueError for a layer of another kind.
    """
    # BEGIN SOLUTION
    counts = []
    for kind, *sizes in layers:
        if kind == "conv":
            c_in, c_out, k = sizes
            counts.append(c_out * (c_in * k * k + 1))
        elif kind == "linear":
            d_in, d_out = sizes
            counts.append(d_out * (d_in + 1))
        elif kind == "norm":
            counts.append(2 * sizes[0])
        else:
            raise ValueError(f"no layer {kind!r}; choose one of conv, linear, norm")
    return counts
    # END SOLUTION


# BEGIN SOLUTION
def _pad(x: Tensor, padding: int) -> Tensor:
    """Put `padding` zeros around every image. Shapes: [N, C, H, W] -> [N, C, H + 2p, W + 2p]."""
    n, c, h, w = x.shape
    padded = x.new_zeros(n, c, h + 2 * padding, w + 2 * padding)
    padded[:, :, padding : padding + h, padding : padding + w] = x
    return padded


def _tap(start: int, count: int, stride: int) -> slice:
    """Return the pixels that one entry of the kernel meets at all positions along an axis."""
    return slice(start, start + stride * (count - 1) + 1, stride)


# END SOLUTION


def conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Tensor:
    """Return the cross-correlation of images with kernels: the kernel is not flipped.

    y[n, o, i, j] = b[o] + sum_{c, u, v} w[o, c, u, v] x[n, c, s i + d u - p, s j + d v - p]

    with s = stride, p = padding, d = dilation, u and v from 0; x is 0 outside the image.
    (A slide counts from 1: there the index is i + u - 1, not i + u.)

    Shapes: x [N, C, H, W], w [O, C, kh, kw], b [O] -> [N, O, H', W'] with H' and W' by `out_size`.
    Raises ValueError if the kernel does not fit.
    """
    # BEGIN SOLUTION
    n, _, h, width = x.shape
    o, _, kh, kw = w.shape
    rows = out_size(h, kh, padding, stride, dilation)  # H'
    columns = out_size(width, kw, padding, stride, dilation)  # W'
    padded = _pad(x, padding)
    y = x.new_zeros(n, o, rows, columns)
    for u in range(kh):
        for v in range(kw):
            down, right = _tap(dilation * u, rows, stride), _tap(dilation * v, columns, stride)
            met = padded[:, :, down, right]  # [N, C, H', W']
            y += torch.einsum("nchw,oc->nohw", met, w[:, :, u, v])
    return y if b is None else y + b[:, None, None]
    # END SOLUTION


def conv2d_backward(
    dy: Tensor, x: Tensor, w: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (dL/dx, dL/dw, dL/db) of `conv2d`, given dy = dL/dy.

    dL/dw[o, c, u, v] = sum_{n, i, j} dy[n, o, i, j] x[n, c, s i + d u - p, s j + d v - p]
    dL/dx: every dy[n, o, i, j] w[o, c, u, v] goes back to the pixel that it came from
    dL/db[o] = sum_{n, i, j} dy[n, o, i, j]

    Sums over the batch, no means: if the loss is a mean, 1/N is already in dy.
    Shapes: dy [N, O, H', W'] -> those of x, w and [O].
    """
    # BEGIN SOLUTION
    _, _, h, width = x.shape
    _, _, rows, columns = dy.shape
    padded = _pad(x, padding)
    dpadded, dw = torch.zeros_like(padded), torch.zeros_like(w)
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            down, right = _tap(dilation * u, rows, stride), _tap(dilation * v, columns, stride)
            dw[:, :, u, v] = torch.einsum("nohw,nchw->oc", dy, padded[:, :, down, right])
            dpadded[:, :, down, right] += torch.einsum("nohw,oc->nchw", dy, w[:, :, u, v])
    dx = dpadded[:, :, padding : padding + h, padding : padding + width]  # the border is no input
    return dx, dw, dy.sum(dim=(0, 2, 3))
    # END SOLUTION


def maxpool2d(x: Tensor, k: int, stride: int | None = None) -> Tensor:
    """Return the largest value of every k x k window; windows are `stride` apart, k by default.

    y[n, c, i, j] = max_{0 <= u, v < k} x[n, c, s i + u, s j + v]

    Without padding: what is left over at the right and at the bottom is in no window.
    Shapes: x [N, C, H, W] -> [N, C, H', W'] with H' and W' by `out_size`.
    Raises ValueError if the window does not fit.
    """
    # BEGIN SOLUTION
    return _windows(x, k, stride or k).amax(dim=0)
    # END SOLUTION


def maxpool2d_backward(dy: Tensor, x: Tensor, k: int, stride: int | None = None) -> Tensor:
    """Return dL/dx of `maxpool2d`, given dy = dL/dy.

    Every dy[n, c, i, j] goes to the pixel that was the largest of its window; of several equal ones
    to the first, row by row. A pixel that is the largest of several windows gets the sum.

    Shapes: dy [N, C, H', W'] -> [N, C, H, W].
    """
    # BEGIN SOLUTION
    stride = stride or k
    winner = _windows(x, k, stride).argmax(dim=0)  # [N, C, H', W'], of equal ones the first
    dx = torch.zeros_like(x)
    for place in range(k * k):
        down = _tap(place // k, dy.shape[2], stride)
        right = _tap(place % k, dy.shape[3], stride)
        dx[:, :, down, right] += dy * (winner == place)
    return dx
    # END SOLUTION


# BEGIN SOLUTION
def _windows(x: Tensor, k: int, stride: int) -> Tensor:
    """Return what each place of the window meets, row by row: [k k, N, C, H', W']."""
    rows, columns = out_size(x.shape[2], k, 0, stride), out_size(x.shape[3], k, 0, stride)
    met = [
        x[:, :, _tap(u, rows, stride), _tap(v, columns, stride)] for u in range(k) for v in range(k)
    ]
    return torch.stack(met)


# END SOLUTION


def batchnorm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running: Pair,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Normalise every channel and return (y, running), running being (mean [C], variance [C]).

    x_hat = (x - mean) / sqrt(variance + eps),  y = gamma x_hat + beta

    In training mean and variance are the batch's own, over all axes but the channel's, m = N for
    [N, C] and m = N H W for [N, C, H, W] numbers each; the variance is the biased one (divided by
    m). The new running statistics are (1 - momentum) running + momentum batch, and for them the
    batch's variance is the unbiased one (divided by m - 1). Otherwise mean and variance are
    the running ones, which come back as they are.

    Shapes: x [N, C] or [N, C, H, W], gamma and beta [C] -> y of x's shape.
    Raises ValueError in training if m is 1: one number has no variance.
    Source: Ioffe and Szegedy 2015, alg. 1 and 2.
    """
    # BEGIN SOLUTION
    axes = _all_but_channels(x)
    mean, variance = running
    if training:
        m = x.numel() // x.shape[1]
        if m == 1:
            raise ValueError("one number a channel has no variance: give a larger batch")
        mean, variance = x.mean(dim=axes), x.var(dim=axes, correction=0)
        unbiased = variance * m / (m - 1)
        running = (
            (1 - momentum) * running[0] + momentum * mean,
            (1 - momentum) * running[1] + momentum * unbiased,
        )
    x_hat = (x - _per_channel(mean, x)) / torch.sqrt(_per_channel(variance, x) + eps)
    return _per_channel(gamma, x) * x_hat + _per_channel(beta, x), running
    # END SOLUTION


def batchnorm_backward(
    dy: Tensor, x: Tensor, gamma: Tensor, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (dL/dx, dL/dgamma, dL/dbeta) of `batchnorm` in training, given dy = dL/dy.

    With sums over the m numbers of a channel, and x_hat as in `batchnorm`:

    dL/dbeta = sum dy          dL/dgamma = sum dy x_hat
    dL/dx = gamma / sqrt(variance + eps) (dy - dL/dbeta / m - x_hat dL/dgamma / m)

    The two last terms are there because mean and variance depend on every x.
    Shapes: dy of x's shape -> those of x, [C] and [C].
    """
    # BEGIN SOLUTION
    axes = _all_but_channels(x)
    m = x.numel() // x.shape[1]
    mean, variance = x.mean(dim=axes), x.var(dim=axes, correction=0)
    std = torch.sqrt(_per_channel(variance, x) + eps)
    x_hat = (x - _per_channel(mean, x)) / std
    dbeta, dgamma = dy.sum(dim=axes), (dy * x_hat).sum(dim=axes)  # [C], [C]
    through_statistics = (_per_channel(dbeta, x) + x_hat * _per_channel(dgamma, x)) / m
    return _per_channel(gamma, x) / std * (dy - through_statistics), dgamma, dbeta
    # END SOLUTION


# BEGIN SOLUTION
def _all_but_channels(x: Tensor) -> tuple[int, ...]:
    """Return the axes that a channel's statistics run over: (0,) or (0, 2, 3)."""
    return (0, *range(2, x.ndim))


def _per_channel(channels: Tensor, x: Tensor) -> Tensor:
    """Shape [C] so that it meets the channels of x: [1, C] or [1, C, 1, 1]."""
    return channels.reshape(1, -1, *[1] * (x.ndim - 2))


# END SOLUTION


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator) -> Tensor:
    """Set every number to 0 with probability p and divide the others by 1 - p.

    So the expectation stays x, and in evaluation (not `training`) x is returned as it is. p = 1
    gives zeros. All randomness comes from `generator`, which lives on x's device.

    Shapes: x any -> the same.
    Raises ValueError unless 0 <= p <= 1.
    Source: Srivastava et al. 2014 sec. 10 (inverted dropout).
    """
    # BEGIN SOLUTION
    if not 0 <= p <= 1:
        raise ValueError(f"p must lie in [0, 1], got {p}")
    if not training or p == 0:
        return x
    kept = torch.rand(x.shape, generator=generator, device=x.device) >= p
    return x * kept / (1 - p) if p < 1 else torch.zeros_like(x)
    # END SOLUTION


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, eps: float = 0.0) -> Pair:
    """Return the mean cross-entropy against smoothed labels, and its gradient.

    The target gives the label 1 - eps and shares eps among the K - 1 OTHER classes:
    q_k = 1 - eps at the label and eps / (K - 1) elsewhere. (torch's `label_smoothing` gives eps / K
    to all classes, the label too: another number for the same eps.)

    L = -1/N sum_{n, k} q_nk log softmax(logits_n)_k      (mind the minus sign)
    dL/dlogits = (softmax(logits) - q) / N

    Must stay finite for logits near 1000.
    Shapes: logits [N, K], labels int64 [N] -> L without axes, dL/dlogits [N, K].
    """
    # BEGIN SOLUTION
    n, k = logits.shape
    q = torch.full_like(logits, eps / (k - 1))
    q[torch.arange(n, device=q.device), labels] = 1 - eps
    log_p = logits - torch.logsumexp(logits, dim=1, keepdim=True)  # [N, K]
    return -(q * log_p).sum() / n, (torch.exp(log_p) - q) / n
    # END SOLUTION
