"""NumPy part of lab 1."""

from __future__ import annotations

import argparse
import enum
import logging
import math
from collections import defaultdict
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402,F401
import numpy as np  # noqa: E402

log = logging.getLogger("fnn")
logging.basicConfig(level=logging.INFO)
np.seterr(over="raise", invalid="raise")  # I want to know

parser = argparse.ArgumentParser(description="demo of the layers")
parser.add_argument("--demo", action="store_true")
ARGS, _ = parser.parse_known_args()


class Act(enum.Enum):
    identity = enum.auto()
    sigmoid = enum.auto()
    tanh = enum.auto()
    relu = enum.auto()
    leaky_relu = enum.auto()
    elu = enum.auto()
    softplus = enum.auto()
    swish = enum.auto()
    gelu = enum.auto()

    @classmethod
    def of(cls, name):
        try:
            return cls[name]
        except KeyError as error:
            raise ValueError(f"not an activation: {name}") from error


ACTIVATIONS = tuple(Act.__members__)
INITIALISATIONS = ("xavier_uniform", "xavier_normal", "he_uniform", "he_normal")
HE = {Act.relu, Act.leaky_relu, Act.elu, Act.swish, Act.gelu}

ERF = np.vectorize(math.erf, otypes="d")


def _sigma(x):
    with np.errstate(under="ignore"):
        e = np.exp(-abs(x))
        return np.where(x < 0, e, 1) / (1 + e)


def activation(name: str, x: np.ndarray) -> np.ndarray:
    kind = Act.of(name)
    x = np.asarray(x, dtype="float64")
    print("activation", name, x.shape)
    if kind is Act.identity:
        return x * 1
    if kind is Act.sigmoid:
        return _sigma(x)
    if kind is Act.tanh:
        return np.tanh(x)
    if kind is Act.relu:
        return (x + abs(x)) / 2
    if kind is Act.leaky_relu:
        return np.clip(x, 0, None) + 0.01 * np.clip(x, None, 0)
    if kind is Act.elu:
        return np.clip(x, 0, None) + np.exp(np.clip(x, None, 0)) - 1
    if kind is Act.softplus:
        return np.clip(x, 0, None) - np.log(_sigma(abs(x)))
    if kind is Act.swish:
        return _sigma(x) * x
    return x / 2 * (1 + ERF(x / math.sqrt(2)))


def activation_grad(name: str, x: np.ndarray) -> np.ndarray:
    kind = Act.of(name)
    x = np.asarray(x, dtype="float64")
    if kind is Act.identity:
        return x * 0 + 1
    if kind is Act.sigmoid:
        return _sigma(x) * _sigma(-x)
    if kind is Act.tanh:
        return 1 - np.square(np.tanh(x))
    if kind is Act.relu:
        return np.heaviside(x, 0)
    if kind is Act.leaky_relu:
        return 0.01 + 0.99 * np.heaviside(x, 0)
    if kind is Act.elu:
        return np.exp(np.clip(x, None, 0))
    if kind is Act.softplus:
        return _sigma(x)
    if kind is Act.swish:
        return _sigma(x) * (1 + x * _sigma(-x))
    with np.errstate(under="ignore"):
        return (1 + ERF(x / math.sqrt(2))) / 2 + x * np.exp(-x * x / 2) / math.sqrt(math.tau)


def _shifted(z):
    z = np.asarray(z, dtype="float64")
    return z - np.maximum.reduce(z, axis=-1, keepdims=True)


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(_shifted(z))
    return e / np.add.reduce(e, axis=-1, keepdims=True)


def log_softmax(z: np.ndarray) -> np.ndarray:
    s = _shifted(z)
    return s - np.log(np.add.reduce(np.exp(s), axis=-1, keepdims=True))


class Loss(NamedTuple):
    value: float
    gradient: np.ndarray


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> Loss:
    n = logits.shape[0]
    picked = log_softmax(logits)[range(n), labels]
    gradient = softmax(logits)
    np.subtract.at(gradient, (range(n), labels), 1)
    log.info("loss %s", -picked.mean())
    return Loss(-picked.mean(), gradient / n)


def initialise(kind: str, fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    if kind not in INITIALISATIONS:
        raise ValueError(kind)
    std = math.sqrt(2 / (fan_in if kind.startswith("he") else fan_in + fan_out))
    if kind.endswith("normal"):
        return rng.normal(scale=std, size=[fan_out, fan_in])
    a = std * math.sqrt(3)
    return 2 * a * rng.random([fan_out, fan_in]) - a


class MLP:
    def __init__(self, sizes, activation, rng) -> None:
        self.act = Act.of(activation)
        kind = "he_normal" if self.act in HE else "xavier_normal"
        self.store = defaultdict(list)
        for fan_in, fan_out in zip(sizes, sizes[1:]):
            self.store["w"].append(initialise(kind, fan_in, fan_out, rng))
            self.store["b"].append(np.zeros(fan_out))

    def parameters(self):
        return [p for pair in zip(self.store["w"], self.store["b"]) for p in pair]

    def set_parameters(self, values):
        self.store["w"], self.store["b"] = list(values[::2]), list(values[1::2])

    def forward(self, x):
        self.store["h"], self.store["a"] = [x], []
        layers = list(zip(self.store["w"], self.store["b"]))
        for i, (w, b) in enumerate(layers, 1):
            self.store["a"].append(np.matmul(self.store["h"][-1], w.transpose()) + b)
            if i < len(layers):
                self.store["h"].append(activation(self.act.name, self.store["a"][-1]))
        return self.store["a"][-1]

    def backward(self, dy):
        grads, delta = [], dy
        zipped = list(zip(self.store["w"], self.store["h"]))
        while zipped:
            w, h = zipped.pop()
            grads = [np.matmul(delta.T, h), np.sum(delta, axis=0), *grads]
            if zipped:
                before = self.store["a"][len(zipped) - 1]
                delta = np.matmul(delta, w) * activation_grad(self.act.name, before)
        return grads


if __name__ == "__main__":
    plt.plot(np.linspace(-3, 3), activation("gelu", np.linspace(-3, 3)))
    plt.show()
