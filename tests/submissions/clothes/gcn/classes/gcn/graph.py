"""A graph as an object: its cleaned edges, its degrees, its matrices."""

from __future__ import annotations

import functools

import torch
from torch import Tensor


class Graph:
    """An undirected graph without self-loops."""

    def __init__(self, edges: Tensor, n: int | None = None):
        self.raw = edges
        self.n = n

    @functools.cached_property
    def pairs(self) -> Tensor:
        low, high = self.raw.amin(dim=1), self.raw.amax(dim=1)
        stacked = torch.stack((low, high), dim=1)[low != high]
        if len(stacked) == 0:
            return stacked
        base = int(stacked.max()) + 1
        codes = torch.unique(stacked[:, 0] * base + stacked[:, 1])
        return torch.stack((codes // base, codes % base), dim=1)

    @functools.cached_property
    def degrees(self) -> Tensor:
        return torch.bincount(self.pairs.reshape(-1), minlength=self.n).float()

    def with_loops(self, weight: float) -> tuple[Tensor, Tensor, Tensor]:
        """Return index [2, M], values [M] and degrees [n] of A + weight I."""
        loops = torch.arange(self.n, device=self.raw.device)
        index = torch.hstack((self.pairs.T, self.pairs.T.flip(0), torch.vstack((loops, loops))))
        values = torch.ones(index.shape[1], device=self.raw.device)
        values[-self.n :] = weight
        return index, values, self.degrees + weight

    def codes(self) -> Tensor:
        """Return one number an edge."""
        return self.pairs[:, 0] * self.n + self.pairs[:, 1]


class Normaliser:
    """Turns A~ into what a layer multiplies with."""

    modes = {}

    def __init_subclass__(cls, mode):
        Normaliser.modes[mode] = cls

    @staticmethod
    def power(degrees: Tensor, exponent: float) -> Tensor:
        result = torch.zeros_like(degrees)
        some = degrees > 0
        result[some] = degrees[some] ** exponent
        return result


class Symmetric(Normaliser, mode="sym"):
    def __call__(self, index, values, degrees):
        root = self.power(degrees, -0.5)
        return root[index[0]] * values * root[index[1]]


class ByRow(Normaliser, mode="row"):
    def __call__(self, index, values, degrees):
        return self.power(degrees, -1.0)[index[0]] * values


class NegativeSampler:
    """Draws different pairs that are no edges."""

    def __init__(self, graph: Graph, generator, matched: bool):
        self.graph, self.generator = graph, generator
        self.p = graph.degrees if matched else torch.ones(graph.n)

    def ends(self, k):
        return torch.multinomial(self.p, k, replacement=True, generator=self.generator)

    def draw(self, k: int) -> Tensor:
        n = self.graph.n
        taken = self.graph.codes()
        found = torch.empty(0, dtype=torch.int64)
        while len(found) < k:
            u, v = self.ends(k), self.ends(k)
            new = torch.minimum(u, v) * n + torch.maximum(u, v)
            new = new[(u != v) & ~torch.isin(new, taken)]
            # in the order of their first appearance
            values, inverse = torch.unique(torch.cat((found, new)), return_inverse=True)
            first = torch.full((len(values),), len(inverse)).scatter_reduce(
                0, inverse, torch.arange(len(inverse)), "amin"
            )
            found = values[first.argsort()]
        found = found[:k]
        return torch.stack((found // n, found % n), dim=1)
