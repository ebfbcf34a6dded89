from __future__ import annotations

from math import cos, exp, pi

from numpy import sqrt

LR = {
    "inverse": lambda t, a, b, T, W: a / (1 + b * t),
    "exponential": lambda t, a, b, T, W: a * b**t,
    "natural_exponential": lambda t, a, b, T, W: a * exp(-b * t),
    "cosine": lambda t, a, b, T, W: a / 2 * (1 + cos(pi * min(t / T, 1))),
    "warmup": lambda t, a, b, T, W: a * min(t / W, 1),
}
OPTIMISERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
SCHEDULES = tuple(LR)


def step(name, w, grad, state=None, *, lr, momentum=0.9, decay=0.9, beta1=0.9, beta2=0.999, eps=1e-8):
    g, (m, r, t) = grad, state or (0 * w, 0 * w, 0)
    match name:
        case "sgd":
            d = -lr * g
        case "momentum":
            d = m = momentum * m - lr * g
        case "nesterov":
            d = momentum * (m := momentum * m - lr * g) - lr * g
        case "adagrad":
            d = -lr * g / (sqrt(r := r + g * g) + eps)
        case "rmsprop":
            d = -lr * g / (sqrt(r := decay * r + (1 - decay) * g * g) + eps)
        case "adam":
            m, r, t = beta1 * m + (1 - beta1) * g, beta2 * r + (1 - beta2) * g * g, t + 1
            d = -lr * (m / (1 - beta1**t)) / (sqrt(r / (1 - beta2**t)) + eps)
        case _:
            raise ValueError(f"no optimiser {name}")
    return w + d, (m, r, t)


def learning_rate(t, kind, *, alpha0, beta=0.0, total=1, warmup=1):
    if kind not in LR:
        raise ValueError(f"no schedule {kind}")
    return LR[kind](t, alpha0, beta, total, warmup)
