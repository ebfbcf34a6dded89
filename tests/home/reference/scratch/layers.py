"""Layers by hand: the model solution."""

import torch
import torch.nn.functional as F


def conv2d(x, w):
    """Return the valid cross-correlation of x (N, C, H, W) with w (K, C, R, S)."""
    size, (kernels, _, rows, columns) = x.shape, w.shape
    patches = F.unfold(x, (rows, columns))  # (N, C R S, L)
    answer = w.reshape(kernels, -1) @ patches
    return answer.view(size[0], kernels, size[2] - rows + 1, size[3] - columns + 1)


def attention(q, k, v):
    """Return softmax(q k^T / sqrt(d)) v for q, k, v (N, L, d)."""
    weights = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, dim=-1)
    return weights @ v
