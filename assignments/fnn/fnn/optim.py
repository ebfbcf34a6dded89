"""Optimisers and learning-rate schedules, in NumPy.

An optimiser is one pure function: it returns the new weights and the new state and changes none of
the arrays it was given.
"""

from __future__ import annotations

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
    """Take one step down the gradient and return (new w, new state).

    `state` is None on the first call and then what the previous call returned; you choose what is
    in it. All of v, r, m start from 0 and every operation is elementwise.

    sgd       w <- w - lr g                               (minus: we go down)
    momentum  v <- momentum v - lr g;                     w <- w + v
    nesterov  v <- momentum v - lr g;                     w <- w + momentum v - lr g
    adagrad   r <- r + g^2;                               w <- w - lr g / (sqrt(r) + eps)
    rmsprop   r <- decay r + (1 - decay) g^2;             w <- w - lr g / (sqrt(r) + eps)
    adam      m <- beta1 m + (1 - beta1) g;  r <- beta2 r + (1 - beta2) g^2;  at step t = 1, 2, ...
              w <- w - lr (m / (1 - beta1^t)) / (sqrt(r / (1 - beta2^t)) + eps)

    In nesterov the v of the second equation is the new one, and w is the look-ahead point itself,
    so g is the gradient at the w you are given: the form that all libraries use.

    Shapes: w, grad and the new w have one shape, float64.
    Raises ValueError if there is no optimiser of that name.
    Sources: Polyak 1964; Sutskever et al. 2013 sec. 2 and Bengio et al. 2013 eq. 7 (nesterov);
    Duchi et al. 2011; Hinton's lecture 6e, 2012 (rmsprop); Kingma and Ba 2015 alg. 1.
    """
    raise NotImplementedError("step is not written yet")


def learning_rate(
    t: int,
    kind: str,
    *,
    alpha0: float,
    beta: float = 0.0,
    total: int = 1,
    warmup: int = 1,
) -> float:
    """Return the learning rate of step t = 0, 1, 2, ...

    inverse              alpha0 / (1 + beta t)
    exponential          alpha0 beta^t
    natural_exponential  alpha0 exp(-beta t)
    cosine               alpha0 / 2 (1 + cos(pi t / total)), and 0 from t = total on
    warmup               alpha0 t / warmup, and alpha0 from t = warmup on

    Raises ValueError if there is no schedule of that name.
    Source: cosine, Loshchilov and Hutter 2017 eq. 5 without restarts.
    """
    raise NotImplementedError("learning_rate is not written yet")
