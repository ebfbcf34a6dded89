"""Every signature annotated."""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]


def softmax(z: Array) -> Array:
    e: Array = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def linear_backward(dy: Array, x: Array, w: Array) -> tuple[Array, Array, Array]:
    dx: Array = dy @ w.T
    dw: Array = x.T @ dy
    return dx, dw, dy.sum(axis=0)


def sgd_step(params: Sequence[Array], grads: Sequence[Array], lr: float) -> list[Array]:
    return [param - lr * grad for param, grad in zip(params, grads, strict=False)]
