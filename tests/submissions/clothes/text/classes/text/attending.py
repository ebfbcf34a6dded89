"""Attention as an object: what a query may see, and heads side by side."""

from __future__ import annotations

import torch
from torch.nn import functional


class Sight:
    """Which key a query may see, and a softmax over these alone."""

    def __init__(self, mask):
        self.mask = mask
        self.blind = ~mask.any(dim=-1, keepdim=True)

    def softmax(self, scores):
        # a blind query looks everywhere for a moment, so that no number is NaN
        scores = scores.masked_fill(~(self.mask | self.blind), float("-inf"))
        return scores.softmax(dim=-1).masked_fill(self.blind, 0.0)


class Attention:
    def __init__(self, mask):
        self.sight = Sight(mask)

    def __call__(self, q, k, v):
        weights = self.sight.softmax(torch.matmul(q * q.size(-1) ** -0.5, k.mT))
        return torch.matmul(weights, v), weights


class Projection:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def __call__(self, x):
        return functional.linear(x, self.weight, self.bias)


class Heads:
    """Cuts vectors into heads and puts them together again."""

    def __init__(self, count):
        self.count = count

    def cut(self, x):
        b, t, d = x.shape
        return x.view(b, t, self.count, d // self.count).permute(0, 2, 1, 3)

    def join(self, x):
        return x.permute(0, 2, 1, 3).flatten(start_dim=2)


class MultiHead:
    def __init__(self, projections, heads):
        self.query, self.key, self.value, self.output = projections
        self.heads = Heads(heads)

    def __call__(self, x, mask):
        q, k, v = (self.heads.cut(p(x)) for p in (self.query, self.key, self.value))
        out, _ = Attention(mask.unsqueeze(1))(q, k, v)
        return self.output(self.heads.join(out))
