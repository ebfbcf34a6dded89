"""Learning-rate schedules."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    alpha0: float
    beta: float
    total: int
    warmup: int

    def factor(self, t):
        raise NotImplementedError

    def at(self, t):
        return float(self.alpha0 * self.factor(t))


class Inverse(Schedule):
    def factor(self, t):
        return 1 / (1 + self.beta * t)


class Exponential(Schedule):
    def factor(self, t):
        return math.pow(self.beta, t)


class NaturalExponential(Schedule):
    def factor(self, t):
        return math.exp(-self.beta * t)


class Cosine(Schedule):
    def factor(self, t):
        return math.cos(math.pi / 2 * t / self.total) ** 2 if t < self.total else 0.0


class Warmup(Schedule):
    def factor(self, t):
        return t / self.warmup if t < self.warmup else 1.0


BY_NAME = {
    "inverse": Inverse,
    "exponential": Exponential,
    "natural_exponential": NaturalExponential,
    "cosine": Cosine,
    "warmup": Warmup,
}
