from __future__ import annotations

import math

import numpy as np

LEAKY_SLOPE, SQRT_2 = 0.01, math.sqrt(2.0)
INITIALISATIONS = ("xavier_uniform", "xavier_normal", "he_uniform", "he_normal")
RECTIFIERS = ("relu", "leaky_relu", "elu", "swish", "gelu")

σ = lambda x: np.exp(-np.logaddexp(0, -x))
Φ = lambda x: (1 + np.array([math.erf(t / SQRT_2) for t in x.ravel()]).reshape(x.shape)) / 2
φ = lambda x: np.exp(-(x**2) / 2) / math.sqrt(math.tau)
# name: (f, f')
F = {
    "identity": (lambda x: +x, np.ones_like),
    "sigmoid": (σ, lambda x: σ(x) * σ(-x)),
    "tanh": (np.tanh, lambda x: (1 - (t := np.tanh(x))) * (1 + t)),
    "relu": (lambda x: x * (x > 0), lambda x: 1.0 * (x > 0)),
    "leaky_relu": (lambda x: np.maximum(x, LEAKY_SLOPE * x), lambda x: LEAKY_SLOPE ** (x <= 0)),
    "elu": (lambda x: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)), lambda x: np.exp(np.minimum(x, 0))),
    "softplus": (lambda x: np.logaddexp(0, x), σ),
    "swish": (lambda x: x * σ(x), lambda x: (s := σ(x)) * (1 + x * (1 - s))),
    "gelu": (lambda x: x * Φ(x), lambda x: Φ(x) + x * φ(x)),
}
ACTIVATIONS = tuple(F)


def _look(table, name):
    try:
        return table[name]
    except KeyError:
        raise ValueError(f"{name}? one of {', '.join(table)}") from None


activation = lambda name, x: _look(F, name)[0](np.asarray(x, float))
activation_grad = lambda name, x: _look(F, name)[1](np.asarray(x, float))
softmax = lambda z: np.exp(log_softmax(z))
log_softmax = lambda z: (d := np.asarray(z, float) - np.max(z, -1, keepdims=True)) - np.log(np.exp(d).sum(-1, keepdims=True))
_DRAW = {
    "xavier_normal": lambda i, o, r: r.standard_normal((o, i)) * (2 / (i + o)) ** 0.5,
    "xavier_uniform": lambda i, o, r: (2 * r.random((o, i)) - 1) * (6 / (i + o)) ** 0.5,
    "he_normal": lambda i, o, r: r.standard_normal((o, i)) * (2 / i) ** 0.5,
    "he_uniform": lambda i, o, r: (2 * r.random((o, i)) - 1) * (6 / i) ** 0.5,
}
initialise = lambda kind, fan_in, fan_out, rng: _look(_DRAW, kind)(fan_in, fan_out, rng)


def cross_entropy(logits, labels):
    onehot = np.eye(logits.shape[1])[labels]
    return -np.einsum("nk,nk->", onehot, log_softmax(logits)).item() / len(logits), (softmax(logits) - onehot) / len(logits)


class MLP:
    def __init__(self, sizes, activation, rng):
        self.f, self.df = _look(F, activation)
        kind = ("xavier_normal", "he_normal")[activation in RECTIFIERS]
        self.p = [a for i, o in zip(sizes, sizes[1:]) for a in (initialise(kind, i, o, rng), np.zeros(o))]

    parameters = lambda self: [*self.p]

    def set_parameters(self, values):
        self.p = [np.asarray(v, float) for v in values]

    def forward(self, x):
        self.a = [np.asarray(x, float)]
        for l, (w, b) in enumerate(zip(self.p[::2], self.p[1::2])):
            self.a += [np.einsum("ni,oi->no", self.f(self.a[-1]) if l else self.a[-1], w) + b]
        return self.a[-1].copy()

    def backward(self, dy):
        g = []
        for l in range(len(self.p) // 2 - 1, -1, -1):
            g = [np.einsum("no,ni->oi", dy, self.f(self.a[l]) if l else self.a[0]), np.einsum("no->o", dy), *g]
            dy = np.einsum("no,oi->ni", dy, self.p[2 * l]) * self.df(self.a[l]) if l else None
        return g
