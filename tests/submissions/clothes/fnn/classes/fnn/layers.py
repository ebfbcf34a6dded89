from __future__ import annotations

import numpy as np

from .activations import REGISTRY, Activation
from .losses import SoftmaxCrossEntropy

ACTIVATIONS = tuple(REGISTRY)
INITIALISATIONS = ("xavier_uniform", "xavier_normal", "he_uniform", "he_normal")


def activation(name: str, x: np.ndarray) -> np.ndarray:
    return Activation.find(name)(np.asarray(x, dtype=float))


def activation_grad(name: str, x: np.ndarray) -> np.ndarray:
    return Activation.find(name).derivative(np.asarray(x, dtype=float))


softmax = SoftmaxCrossEntropy.probabilities
log_softmax = SoftmaxCrossEntropy.log_probabilities


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    criterion = SoftmaxCrossEntropy()
    return criterion(logits, labels), criterion.gradient()


def initialise(kind: str, fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    scheme, _, law = kind.partition("_")
    if kind not in INITIALISATIONS:
        raise ValueError(f"Unknown initialisation: {kind}")
    variance = 2.0 / {"xavier": fan_in + fan_out, "he": fan_in}[scheme]
    if law == "normal":
        return np.sqrt(variance) * rng.standard_normal(size=(fan_out, fan_in))
    bound = np.sqrt(3.0 * variance)
    return rng.uniform(low=-bound, high=bound, size=(fan_out, fan_in))


class Dense:
    """One affine layer, and the activation that comes before it."""

    def __init__(self, w: np.ndarray, b: np.ndarray, before: Activation):
        self.w, self.b, self.before = w, b, before

    def forward(self, a: np.ndarray) -> np.ndarray:
        self.a, self.h = a, self.before(a)
        return self.h @ self.w.T + self.b

    def backward(self, da: np.ndarray) -> np.ndarray:
        self.dw, self.db = da.T @ self.h, da.sum(0)
        return (da @ self.w) * self.before.derivative(self.a)


class MLP:
    def __init__(
        self, sizes: list[int] | tuple[int, ...], activation: str, rng: np.random.Generator
    ) -> None:
        function = Activation.find(activation)
        kind = "he_normal" if function.rectifier else "xavier_normal"
        self.layers: list[Dense] = []
        for d_in, d_out in zip(sizes[:-1], sizes[1:], strict=True):
            before = function if self.layers else REGISTRY["identity"]
            self.layers.append(Dense(initialise(kind, d_in, d_out, rng), np.zeros(d_out), before))

    def parameters(self) -> list[np.ndarray]:
        return [array for layer in self.layers for array in (layer.w, layer.b)]

    def set_parameters(self, values: list[np.ndarray]) -> None:
        iterator = iter(values)
        for layer in self.layers:
            layer.w = np.array(next(iterator), dtype=float)
            layer.b = np.array(next(iterator), dtype=float)

    def forward(self, x: np.ndarray) -> np.ndarray:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy: np.ndarray) -> list[np.ndarray]:
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return [array for layer in self.layers for array in (layer.dw, layer.db)]
