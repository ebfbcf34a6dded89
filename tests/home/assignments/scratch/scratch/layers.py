"""Layers to write by hand."""


def conv2d(x, w):
    """Return the valid cross-correlation of x (N, C, H, W) with w (K, C, R, S)."""
    raise NotImplementedError("conv2d is not written yet")


def attention(q, k, v):
    """Return softmax(q k^T / sqrt(d)) v for q, k, v (N, L, d)."""
    raise NotImplementedError("attention is not written yet")
