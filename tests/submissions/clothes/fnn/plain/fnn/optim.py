"""Optimisers and learning-rate schedules in NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

OPTIMISERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
SCHEDULES = ("inverse", "exponential", "natural_exponential", "cosine", "warmup")


def step(
    name: str,
    w: np.ndarray,
    grad: np.ndarray,
    state: Any = None,
    *,
    lr: float,
    momentum: float = 0.9,
    decay: float = 0.9,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[np.ndarray, Any]:
    """Take one step down the gradient and return (new w, new state)."""
    if name == "sgd":
        return w - lr * grad, None
    if name == "momentum":
        v = np.zeros_like(w) if state is None else state
        v = momentum * v - lr * grad
        return w + v, v
    if name == "nesterov":
        v = np.zeros_like(w) if state is None else state
        v = momentum * v - lr * grad
        return w + momentum * v - lr * grad, v
    if name == "adagrad":
        r = np.zeros_like(w) if state is None else state
        r = r + grad**2
        return w - lr * grad / (np.sqrt(r) + eps), r
    if name == "rmsprop":
        r = np.zeros_like(w) if state is None else state
        r = decay * r + (1.0 - decay) * grad**2
        return w - lr * grad / (np.sqrt(r) + eps), r
    if name == "adam":
        if state is None:
            state = (np.zeros_like(w), np.zeros_like(w), 0)
        m, r, t = state
        t = t + 1
        m = beta1 * m + (1.0 - beta1) * grad
        r = beta2 * r + (1.0 - beta2) * grad**2
        m_hat = m / (1.0 - beta1**t)
        r_hat = r / (1.0 - beta2**t)
        return w - lr * m_hat / (np.sqrt(r_hat) + eps), (m, r, t)
    raise ValueError(f"unknown optimiser {name!r}")


def learning_rate(
    t: int,
    kind: str,
    *,
    alpha0: float,
    beta: float = 0.0,
    total: int = 1,
    warmup: int = 1,
) -> float:
    """Return the learning rate of step t."""
    if kind == "inverse":
        return alpha0 / (1.0 + beta * t)
    if kind == "exponential":
        return alpha0 * beta**t
    if kind == "natural_exponential":
        return alpha0 * math.exp(-beta * t)
    if kind == "cosine":
        if t >= total:
            return 0.0
        return alpha0 / 2.0 * (1.0 + math.cos(math.pi * t / total))
    if kind == "warmup":
        if t >= warmup:
            return alpha0
        return alpha0 * t / warmup
    raise ValueError(f"unknown schedule {kind!r}")
