"""Each activation is a class with a value and a derivative."""

from __future__ import annotations

import abc
import math

import numpy as np

REGISTRY: dict[str, Activation] = {}


class Activation(abc.ABC):
    """One scalar function."""

    name: str
    rectifier = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        REGISTRY[cls.name] = cls()

    @abc.abstractmethod
    def __call__(self, x: np.ndarray) -> np.ndarray: ...

    @abc.abstractmethod
    def derivative(self, x: np.ndarray) -> np.ndarray: ...

    @staticmethod
    def find(name: str) -> Activation:
        if name not in REGISTRY:
            raise ValueError(f"Unknown activation: {name}")
        return REGISTRY[name]


class Identity(Activation):
    name = "identity"

    def __call__(self, x):
        return np.array(x)

    def derivative(self, x):
        return np.full(x.shape, 1.0)


class Sigmoid(Activation):
    name = "sigmoid"

    def __call__(self, x):
        # 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2, which cannot overflow
        return 0.5 * (1.0 + np.tanh(0.5 * x))

    def derivative(self, x):
        return 0.25 / np.cosh(np.clip(0.5 * x, -300, 300)) ** 2


class Tanh(Activation):
    name = "tanh"

    def __call__(self, x):
        return np.tanh(x)

    def derivative(self, x):
        return np.cosh(np.clip(x, -300, 300)) ** -2.0


class Relu(Activation):
    name = "relu"
    rectifier = True
    slope = 0.0

    def __call__(self, x):
        y = np.array(x)
        y[x <= 0] *= self.slope
        return y

    def derivative(self, x):
        y = np.ones(x.shape)
        y[x <= 0] = self.slope
        return y


class LeakyRelu(Relu):
    name = "leaky_relu"
    slope = 0.01


class Elu(Activation):
    name = "elu"
    rectifier = True

    def __call__(self, x):
        y = np.array(x)
        y[x <= 0] = np.exp(x[x <= 0]) - 1
        return y

    def derivative(self, x):
        y = np.ones(x.shape)
        y[x <= 0] = np.exp(x[x <= 0])
        return y


class Softplus(Activation):
    name = "softplus"

    def __call__(self, x):
        return np.log1p(np.exp(-np.abs(x))) + np.clip(x, 0, None)

    def derivative(self, x):
        return REGISTRY["sigmoid"](x)


class Swish(Activation):
    name = "swish"
    rectifier = True

    def __call__(self, x):
        return x * REGISTRY["sigmoid"](x)

    def derivative(self, x):
        sigmoid = REGISTRY["sigmoid"]
        return sigmoid(x) + x * sigmoid.derivative(x)


class Gelu(Activation):
    name = "gelu"
    rectifier = True

    @staticmethod
    def cdf(x):
        flat = np.fromiter((math.erfc(-t / math.sqrt(2)) / 2 for t in x.flat), float, x.size)
        return flat.reshape(x.shape)

    def __call__(self, x):
        return x * self.cdf(x)

    def derivative(self, x):
        return self.cdf(x) + x * np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
