from __future__ import annotations

import argparse
import enum
import warnings
from dataclasses import dataclass, field, replace

import numpy as np

argparse.ArgumentParser().parse_args([])
warnings.warn("optim is imported", stacklevel=1)


class Name(str, enum.Enum):
    SGD = "sgd"
    MOMENTUM = "momentum"
    NESTEROV = "nesterov"
    ADAGRAD = "adagrad"
    RMSPROP = "rmsprop"
    ADAM = "adam"


OPTIMISERS = tuple(one.value for one in Name)
SCHEDULES = ("inverse", "exponential", "natural_exponential", "cosine", "warmup")


@dataclass(frozen=True)
class State:
    """What an optimiser remembers; zeros broadcast."""

    first: np.ndarray = field(default_factory=lambda: np.float64(0))
    second: np.ndarray = field(default_factory=lambda: np.float64(0))
    t: int = 0


def step(
    name: str,
    w: np.ndarray,
    grad: np.ndarray,
    state: State | None = None,
    *,
    lr: float,
    momentum: float = 0.9,
    decay: float = 0.9,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[np.ndarray, State]:
    which = Name(name)  # ValueError by itself
    s = State() if state is None else state
    s = replace(s, t=s.t + 1)
    if which is Name.SGD:
        update = -lr * grad
    elif which in (Name.MOMENTUM, Name.NESTEROV):
        s = replace(s, first=momentum * s.first - lr * grad)
        update = s.first if which is Name.MOMENTUM else momentum * s.first - lr * grad
    elif which is Name.ADAM:
        s = replace(
            s,
            first=s.first + (1 - beta1) * (grad - s.first),
            second=s.second + (1 - beta2) * (grad**2 - s.second),
        )
        unbiased = s.first / (1 - beta1**s.t), s.second / (1 - beta2**s.t)
        update = -lr * unbiased[0] / (unbiased[1] ** 0.5 + eps)
    else:
        keep, new = (1, 1) if which is Name.ADAGRAD else (decay, 1 - decay)
        s = replace(s, second=keep * s.second + new * grad**2)
        update = -lr * grad / (s.second**0.5 + eps)
    return w + update, s


def learning_rate(t, kind, *, alpha0, beta=0.0, total=1, warmup=1):
    match kind:
        case "inverse":
            return alpha0 / (1 + beta * t)
        case "exponential":
            return alpha0 * np.power(float(beta), t)
        case "natural_exponential":
            return alpha0 * np.exp(-beta * t)
        case "cosine":
            return alpha0 * (0.5 + 0.5 * np.cos(np.pi * np.clip(t / total, 0, 1)))
        case "warmup":
            return alpha0 * np.clip(t / warmup, 0, 1)
        case other:
            raise ValueError(f"not a schedule: {other}")


if __name__ == "__main__":
    print(learning_rate(3, "cosine", alpha0=1, total=10))
