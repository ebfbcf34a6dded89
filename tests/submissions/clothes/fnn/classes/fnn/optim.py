from __future__ import annotations

from typing import Any

import numpy as np

from .schedules import BY_NAME


class Optimiser:
    """Keeps its settings; its state is handed in and out."""

    def __init__(self, lr, momentum, decay, beta1, beta2, eps):
        self.lr, self.momentum, self.decay = lr, momentum, decay
        self.beta1, self.beta2, self.eps = beta1, beta2, eps

    def start(self, w):
        return {}

    def update(self, w, g, s):
        raise NotImplementedError


class SGD(Optimiser):
    def update(self, w, g, s):
        return w - self.lr * g, s


class Momentum(Optimiser):
    def start(self, w):
        return {"v": np.zeros(w.shape)}

    def velocity(self, g, s):
        return self.momentum * s["v"] - self.lr * g

    def update(self, w, g, s):
        v = self.velocity(g, s)
        return w + v, {"v": v}


class Nesterov(Momentum):
    def update(self, w, g, s):
        v = self.velocity(g, s)
        return w + self.velocity(g, {"v": v}), {"v": v}


class AdaGrad(Optimiser):
    def start(self, w):
        return {"r": np.zeros(w.shape)}

    def accumulate(self, r, g):
        return r + np.square(g)

    def update(self, w, g, s):
        r = self.accumulate(s["r"], g)
        return w - self.lr * g / (np.sqrt(r) + self.eps), {"r": r}


class RMSProp(AdaGrad):
    def accumulate(self, r, g):
        return self.decay * r + (1 - self.decay) * np.square(g)


class Adam(Optimiser):
    def start(self, w):
        return {"m": np.zeros(w.shape), "r": np.zeros(w.shape), "c1": 1.0, "c2": 1.0}

    def update(self, w, g, s):
        m = self.beta1 * s["m"] + (1 - self.beta1) * g
        r = self.beta2 * s["r"] + (1 - self.beta2) * np.square(g)
        c1, c2 = s["c1"] * self.beta1, s["c2"] * self.beta2  # beta^t
        w = w - self.lr * (m / (1 - c1)) / (np.sqrt(r / (1 - c2)) + self.eps)
        return w, {"m": m, "r": r, "c1": c1, "c2": c2}


ALL = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "adam": Adam,
}
OPTIMISERS = tuple(ALL)
SCHEDULES = tuple(BY_NAME)


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
    if name not in ALL:
        raise ValueError(f"Unknown optimiser: {name}")
    optimiser = ALL[name](lr, momentum, decay, beta1, beta2, eps)
    return optimiser.update(w, grad, optimiser.start(w) if state is None else state)


def learning_rate(
    t: int,
    kind: str,
    *,
    alpha0: float,
    beta: float = 0.0,
    total: int = 1,
    warmup: int = 1,
) -> float:
    if kind not in BY_NAME:
        raise ValueError(f"Unknown schedule: {kind}")
    return BY_NAME[kind](alpha0, beta, total, warmup).at(t)
