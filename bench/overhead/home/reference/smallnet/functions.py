"""The model solution, and what every submission of the benchmark starts from."""

import numpy as np
import torch
from torch import nn


def softmax(z):
    """Return the probabilities of (N, K) logits."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, y):
    """Return the mean loss of (N, K) logits against N labels."""
    top = z.max(axis=1, keepdims=True)
    log_p = z - top - np.log(np.exp(z - top).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].mean()


def linear_forward(x, w, b):
    """Return x w + b."""
    return x @ w + b


def linear_backward(dy, x, w):
    """Return the gradients dx, dw, db."""
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


def sgd_step(params, grads, lr):
    """Return a list of new parameters."""
    return [p - lr * g for p, g in zip(params, grads, strict=True)]


class MLP(nn.Module):
    """Linear, ReLU, linear."""

    def __init__(self, d, h, k):
        super().__init__()
        self.first = nn.Linear(d, h)
        self.second = nn.Linear(h, k)

    def forward(self, x):
        """Map (N, d) to (N, k)."""
        return self.second(torch.relu(self.first(x)))
