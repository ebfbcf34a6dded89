"""The same as in the skeleton, one number at a time: I wanted to see every formula in plain Python."""

from __future__ import annotations

import math

import numpy as np

ACTIVATIONS = (
    "identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "swish", "gelu",
)
INITIALISATIONS = ("xavier_uniform", "xavier_normal", "he_uniform", "he_normal")
RECTIFIERS = ("relu", "leaky_relu", "elu", "swish", "gelu")


def logistic(t):
    if t >= 0:
        return 1 / (1 + math.exp(-t))
    power = math.exp(t)
    return power / (1 + power)


def value(name, t):
    """The activation of one number."""
    if name == "identity":
        return t
    elif name == "sigmoid":
        return logistic(t)
    elif name == "tanh":
        return math.tanh(t)
    elif name == "relu":
        return t if t > 0 else 0.0
    elif name == "leaky_relu":
        return t if t > 0 else 0.01 * t
    elif name == "elu":
        return t if t > 0 else math.exp(t) - 1
    elif name == "softplus":
        if t > 0:
            return t + math.log1p(math.exp(-t))
        return math.log1p(math.exp(t))
    elif name == "swish":
        return t * logistic(t)
    elif name == "gelu":
        return t * (1 + math.erf(t / math.sqrt(2))) / 2
    else:
        raise ValueError("there is no activation " + str(name))


def slope(name, t):
    """Its derivative at one number."""
    if name == "identity":
        return 1.0
    elif name == "sigmoid":
        return logistic(t) * (1 - logistic(t))
    elif name == "tanh":
        return 1 - math.tanh(t) ** 2
    elif name == "relu":
        return 1.0 if t > 0 else 0.0
    elif name == "leaky_relu":
        return 1.0 if t > 0 else 0.01
    elif name == "elu":
        return 1.0 if t > 0 else math.exp(t)
    elif name == "softplus":
        return logistic(t)
    elif name == "swish":
        return logistic(t) + t * logistic(t) * (1 - logistic(t))
    elif name == "gelu":
        cdf = (1 + math.erf(t / math.sqrt(2))) / 2
        return cdf + t * math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    else:
        raise ValueError("there is no activation " + str(name))


def elementwise(function, name, x):
    if name not in ACTIVATIONS:
        raise ValueError("there is no activation " + str(name))
    x = np.asarray(x)
    result = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        result[index] = function(name, float(x[index]))
    return result


def activation(name: str, x: np.ndarray) -> np.ndarray:
    return elementwise(value, name, x)


def activation_grad(name: str, x: np.ndarray) -> np.ndarray:
    return elementwise(slope, name, x)


def logsumexp(row):
    top = max(row)
    total = 0.0
    for number in row:
        total += math.exp(number - top)
    return top + math.log(total)


def log_softmax(z: np.ndarray) -> np.ndarray:
    result = np.empty(z.shape)
    for index in np.ndindex(z.shape[:-1]):
        row = [float(number) for number in z[index]]
        lse = logsumexp(row)
        for k in range(len(row)):
            result[index + (k,)] = row[k] - lse
    return result


def softmax(z: np.ndarray) -> np.ndarray:
    logs = log_softmax(z)
    result = np.empty(z.shape)
    for index in np.ndindex(z.shape):
        result[index] = math.exp(logs[index])
    return result


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    n, k = logits.shape
    logs = log_softmax(logits)
    loss = 0.0
    gradient = np.zeros((n, k))
    for i in range(n):
        loss -= logs[i, labels[i]] / n
        for j in range(k):
            gradient[i, j] = (math.exp(logs[i, j]) - (1 if j == labels[i] else 0)) / n
    return float(loss), gradient


def initialise(kind: str, fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    w = np.zeros((fan_out, fan_in))
    for row in range(fan_out):
        for column in range(fan_in):
            if kind == "xavier_normal":
                w[row, column] = rng.normal() * math.sqrt(2 / (fan_in + fan_out))
            elif kind == "xavier_uniform":
                a = math.sqrt(6 / (fan_in + fan_out))
                w[row, column] = rng.uniform(-a, a)
            elif kind == "he_normal":
                w[row, column] = rng.normal() * math.sqrt(2 / fan_in)
            elif kind == "he_uniform":
                a = math.sqrt(6 / fan_in)
                w[row, column] = rng.uniform(-a, a)
            else:
                raise ValueError("there is no initialisation " + str(kind))
    return w


class MLP:
    def __init__(
        self, sizes: list[int] | tuple[int, ...], activation: str, rng: np.random.Generator
    ) -> None:
        self.name = activation
        self.layers = []
        for i in range(1, len(sizes)):
            if activation in RECTIFIERS:
                w = initialise("he_normal", sizes[i - 1], sizes[i], rng)
            else:
                w = initialise("xavier_normal", sizes[i - 1], sizes[i], rng)
            b = np.zeros(sizes[i])
            self.layers.append([w, b])

    def parameters(self) -> list[np.ndarray]:
        flat = []
        for layer in self.layers:
            flat.extend(layer)
        return flat

    def set_parameters(self, values: list[np.ndarray]) -> None:
        self.layers = []
        for i in range(0, len(values), 2):
            self.layers.append([values[i].copy(), values[i + 1].copy()])

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.h = [x]
        self.a = []
        for number, (w, b) in enumerate(self.layers, start=1):
            h = self.h[-1]
            a = np.zeros((h.shape[0], w.shape[0]))
            for n in range(h.shape[0]):
                for o in range(w.shape[0]):
                    total = b[o]
                    for i in range(w.shape[1]):
                        total += w[o, i] * h[n, i]
                    a[n, o] = total
            self.a.append(a)
            if number < len(self.layers):
                self.h.append(activation(self.name, a))
        return self.a[-1].copy()

    def backward(self, dy: np.ndarray) -> list[np.ndarray]:
        gradients = [None] * (2 * len(self.layers))
        da = dy
        for l in range(len(self.layers) - 1, -1, -1):
            w, b = self.layers[l]
            h = self.h[l]
            dw = np.zeros(w.shape)
            db = np.zeros(b.shape)
            dh = np.zeros(h.shape)
            for n in range(da.shape[0]):
                for o in range(w.shape[0]):
                    db[o] += da[n, o]
                    for i in range(w.shape[1]):
                        dw[o, i] += da[n, o] * h[n, i]
                        dh[n, i] += da[n, o] * w[o, i]
            gradients[2 * l] = dw
            gradients[2 * l + 1] = db
            if l > 0:
                da = dh * activation_grad(self.name, self.a[l - 1])
        return gradients
