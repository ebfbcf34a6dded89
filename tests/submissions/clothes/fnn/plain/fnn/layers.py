"""Activations, softmax, cross-entropy, initialisation and an MLP in NumPy."""

from __future__ import annotations

import math

import numpy as np

ACTIVATIONS = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "softplus",
    "swish",
    "gelu",
)
INITIALISATIONS = ("xavier_uniform", "xavier_normal", "he_uniform", "he_normal")

LEAKY_SLOPE = 0.01
SQRT_2 = math.sqrt(2.0)
# Hidden layers with these activations start from he_normal, all others from xavier_normal.
RECTIFIERS = ("relu", "leaky_relu", "elu", "swish", "gelu")


def _sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0 / (1.0 + e), e / (1.0 + e))


def _normal_cdf(x):
    erf = np.vectorize(math.erf, otypes=[np.float64])
    return 0.5 * (1.0 + erf(x / SQRT_2))


def activation(name: str, x: np.ndarray) -> np.ndarray:
    """Apply the activation `name` to every element."""
    x = np.asarray(x, dtype=np.float64)
    if name == "identity":
        return x.copy()
    if name == "sigmoid":
        return _sigmoid(x)
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0.0)
    if name == "leaky_relu":
        return np.where(x > 0, x, LEAKY_SLOPE * x)
    if name == "elu":
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))
    if name == "softplus":
        return np.logaddexp(0.0, x)
    if name == "swish":
        return x * _sigmoid(x)
    if name == "gelu":
        return x * _normal_cdf(x)
    raise ValueError(f"unknown activation {name!r}")


def activation_grad(name: str, x: np.ndarray) -> np.ndarray:
    """Return the derivative of the activation `name` at every element of x."""
    x = np.asarray(x, dtype=np.float64)
    if name == "identity":
        return np.ones_like(x)
    if name == "sigmoid":
        s = _sigmoid(x)
        return s * (1.0 - s)
    if name == "tanh":
        return 1.0 - np.tanh(x) ** 2
    if name == "relu":
        return np.where(x > 0, 1.0, 0.0)
    if name == "leaky_relu":
        return np.where(x > 0, 1.0, LEAKY_SLOPE)
    if name == "elu":
        return np.where(x > 0, 1.0, np.exp(np.minimum(x, 0.0)))
    if name == "softplus":
        return _sigmoid(x)
    if name == "swish":
        s = _sigmoid(x)
        return s + x * s * (1.0 - s)
    if name == "gelu":
        density = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
        return _normal_cdf(x) + x * density
    raise ValueError(f"unknown activation {name!r}")


def softmax(z: np.ndarray) -> np.ndarray:
    """Return exp(z_k) / sum_j exp(z_j) along the last axis."""
    z = np.asarray(z, dtype=np.float64)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(z: np.ndarray) -> np.ndarray:
    """Return log softmax(z) along the last axis."""
    z = np.asarray(z, dtype=np.float64)
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy of a batch and its gradient."""
    labels = np.asarray(labels)
    n = len(labels)
    rows = np.arange(n)
    loss = -log_softmax(logits)[rows, labels].mean()
    grad = softmax(logits)
    grad[rows, labels] -= 1.0
    return float(loss), grad / n


def initialise(kind: str, fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a weight matrix [fan_out, fan_in]."""
    shape = (fan_out, fan_in)
    if kind == "xavier_normal":
        return rng.normal(0.0, math.sqrt(2.0 / (fan_in + fan_out)), shape)
    if kind == "xavier_uniform":
        a = math.sqrt(6.0 / (fan_in + fan_out))
        return rng.uniform(-a, a, shape)
    if kind == "he_normal":
        return rng.normal(0.0, math.sqrt(2.0 / fan_in), shape)
    if kind == "he_uniform":
        a = math.sqrt(6.0 / fan_in)
        return rng.uniform(-a, a, shape)
    raise ValueError(f"unknown initialisation {kind!r}")


class MLP:
    """A multi-layer perceptron whose last layer is linear."""

    def __init__(
        self, sizes: list[int] | tuple[int, ...], activation: str, rng: np.random.Generator
    ) -> None:
        if activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}")
        kind = "he_normal" if activation in RECTIFIERS else "xavier_normal"
        self.activation = activation
        self.weights = []
        self.biases = []
        for i in range(len(sizes) - 1):
            self.weights.append(initialise(kind, sizes[i], sizes[i + 1], rng))
            self.biases.append(np.zeros(sizes[i + 1]))

    def parameters(self) -> list[np.ndarray]:
        """Return [W_1, b_1, W_2, b_2, ...]."""
        result = []
        for w, b in zip(self.weights, self.biases):
            result.append(w)
            result.append(b)
        return result

    def set_parameters(self, values: list[np.ndarray]) -> None:
        """Replace all parameters."""
        self.weights = [np.array(w, dtype=np.float64) for w in values[0::2]]
        self.biases = [np.array(b, dtype=np.float64) for b in values[1::2]]

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output for a batch."""
        h = np.asarray(x, dtype=np.float64)
        self.inputs = []
        self.pre = []
        for i in range(len(self.weights)):
            self.inputs.append(h)
            a = h @ self.weights[i].T + self.biases[i]
            self.pre.append(a)
            if i < len(self.weights) - 1:
                h = activation(self.activation, a)
            else:
                h = a
        return h

    def backward(self, dy: np.ndarray) -> list[np.ndarray]:
        """Return the gradients for the latest forward."""
        delta = np.asarray(dy, dtype=np.float64)
        grads = []
        for i in reversed(range(len(self.weights))):
            grads = [delta.T @ self.inputs[i], delta.sum(axis=0)] + grads
            if i > 0:
                delta = (delta @ self.weights[i]) * activation_grad(
                    self.activation, self.pre[i - 1]
                )
        return grads
