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
    raise NotImplementedError("out_size is not written yet")


def parameter_count(layers: list[tuple]) -> list[int]:
    """Return the number of parameters of each layer of a network.

    ("conv", c_in, c_out, k)    a k x k convolution with a bias for each output channel
    ("linear", d_in, d_out)     a fully connected layer with biases
    ("norm", c)                 a batch normalisation: gamma and beta

    Raises ValueError for a layer of another kind.
    """
    raise NotImplementedError("parameter_count is not written yet")


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
    raise NotImplementedError("conv2d is not written yet")


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
    raise NotImplementedError("conv2d_backward is not written yet")


def maxpool2d(x: Tensor, k: int, stride: int | None = None) -> Tensor:
    """Return the largest value of every k x k window; windows are `stride` apart, k by default.

    y[n, c, i, j] = max_{0 <= u, v < k} x[n, c, s i + u, s j + v]

    Without padding: what is left over at the right and at the bottom is in no window.
    Shapes: x [N, C, H, W] -> [N, C, H', W'] with H' and W' by `out_size`.
    Raises ValueError if the window does not fit.
    """
    raise NotImplementedError("maxpool2d is not written yet")


def maxpool2d_backward(dy: Tensor, x: Tensor, k: int, stride: int | None = None) -> Tensor:
    """Return dL/dx of `maxpool2d`, given dy = dL/dy.

    Every dy[n, c, i, j] goes to the pixel that was the largest of its window; of several equal ones
    to the first, row by row. A pixel that is the largest of several windows gets the sum.

    Shapes: dy [N, C, H', W'] -> [N, C, H, W].
    """
    raise NotImplementedError("maxpool2d_backward is not written yet")


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
    raise NotImplementedError("batchnorm is not written yet")


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
    raise NotImplementedError("batchnorm_backward is not written yet")


def dropout(x: Tensor, p: float, training: bool, generator: torch.Generator) -> Tensor:
    """Set every number to 0 with probability p and divide the others by 1 - p.

    So the expectation stays x, and in evaluation (not `training`) x is returned as it is. p = 1
    gives zeros. All randomness comes from `generator`, which lives on x's device.

    Shapes: x any -> the same.
    Raises ValueError unless 0 <= p <= 1.
    Source: Srivastava et al. 2014 sec. 10 (inverted dropout).
    """
    raise NotImplementedError("dropout is not written yet")


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
    raise NotImplementedError("smoothed_cross_entropy is not written yet")
