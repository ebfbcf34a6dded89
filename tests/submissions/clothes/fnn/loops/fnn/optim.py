"""Optimisers and schedules, one weight at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

OPTIMISERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")


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
    if name not in OPTIMISERS:
        raise ValueError("there is no optimiser " + str(name))
    if state is None:
        state = {"t": 0, "v": [0.0] * w.size, "r": [0.0] * w.size}
    t = state["t"] + 1
    old_v, old_r = state["v"], state["r"]
    weights = []
    new_v = []
    new_r = []
    for x, g, v, r in zip(w.ravel().tolist(), grad.ravel().tolist(), old_v, old_r):
        if name == "sgd":
            x = x - lr * g
        elif name == "momentum":
            v = momentum * v - lr * g
            x = x + v
        elif name == "nesterov":
            v = momentum * v - lr * g
            x = x + momentum * v - lr * g
        elif name == "adagrad":
            r = r + g * g
            x = x - lr * g / (math.sqrt(r) + eps)
        elif name == "rmsprop":
            r = decay * r + (1 - decay) * g * g
            x = x - lr * g / (math.sqrt(r) + eps)
        elif name == "adam":
            v = beta1 * v + (1 - beta1) * g
            r = beta2 * r + (1 - beta2) * g * g
            x = x - lr * (v / (1 - beta1**t)) / (math.sqrt(r / (1 - beta2**t)) + eps)
        weights.append(x)
        new_v.append(v)
        new_r.append(r)
    return np.array(weights).reshape(w.shape), {"t": t, "v": new_v, "r": new_r}


def learning_rate(
    t: int,
    kind: str,
    *,
    alpha0: float,
    beta: float = 0.0,
    total: int = 1,
    warmup: int = 1,
) -> float:
    if kind == "inverse":
        rate = alpha0 / (1 + beta * t)
    elif kind == "exponential":
        rate = alpha0
        for _ in range(t):
            rate = rate * beta
    elif kind == "natural_exponential":
        rate = alpha0 * math.e ** (-beta * t)
    elif kind == "cosine" and t < total:
        rate = alpha0 * (1 + math.cos(math.pi * t / total)) / 2
    elif kind == "cosine":
        rate = 0.0
    elif kind == "warmup":
        rate = alpha0 * min(t, warmup) / warmup
    else:
        raise ValueError("there is no schedule " + str(kind))
    return rate
