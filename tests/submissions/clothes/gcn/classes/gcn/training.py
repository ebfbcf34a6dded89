"""One loop for all tasks."""

from __future__ import annotations

import torch
from torch.nn import functional


class NodeTask:
    def __init__(self, x, edges, y, train):
        self.inputs = (x, edges)
        self.train, self.y = train, y[train]
        self.mask = self.y >= 0

    @classmethod
    def columns(cls, y):
        return y.size(1) if y.dim() == 2 else int(y.max().item()) + 1

    def loss(self, network):
        logits = network(*self.inputs)[self.train]
        if self.y.dim() == 2:
            return functional.binary_cross_entropy_with_logits(
                logits, self.y.clamp(min=0.0), weight=self.mask.float(), reduction="sum"
            ) / self.mask.sum().clamp(min=1)
        log_p = functional.log_softmax(logits[self.mask], dim=1)
        return functional.nll_loss(log_p, self.y[self.mask])


class LinkTask:
    def __init__(self, x, edges, pairs, matched=False):
        self.inputs = (x, edges)
        self.n, self.pairs, self.matched = x.size(0), pairs, matched

    def negatives(self):
        if self.matched:
            ends = self.pairs.reshape(-1)
            return ends[torch.randint(ends.numel(), self.pairs.shape)]
        return torch.randint(self.n, self.pairs.shape)

    def loss(self, network):
        z = network(*self.inputs)

        def score(pairs):
            u, v = pairs.unbind(dim=1)
            return torch.einsum("ed,ed->e", z[u], z[v])

        logits = torch.cat((score(self.pairs), score(self.negatives())))
        target = torch.zeros_like(logits)
        target[: len(self.pairs)] = 1
        return functional.binary_cross_entropy_with_logits(logits, target)


class Trainer:
    def __init__(self, network, optimiser):
        self.network, self.optimiser = network, optimiser

    def run(self, task, epochs):
        self.network.train()
        for _ in range(epochs):
            self.optimiser.zero_grad()
            task.loss(self.network).backward()
            self.optimiser.step()
        return self.network.eval()
