"""A player: a network, its Adam and a falling rate."""

from __future__ import annotations

import contextlib

import torch


class FallingRate:
    def __init__(self, first, total):
        self.first, self.total = first, total

    def at(self, t):
        if not self.total:
            return self.first
        return self.first * max(1 - t / self.total, 0)


class Player:
    def __init__(self, network, rate):
        self.network, self.rate = network, rate
        self.optimiser = torch.optim.Adam(network.parameters(), lr=rate.first, betas=(0.5, 0.9))

    def move(self, loss, t):
        """Go down the slope of the loss; returns the loss as a number."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate.at(t)
        self.optimiser.step()
        return loss.item()

    @contextlib.contextmanager
    def watching(self):
        """While the other one moves."""
        flags = [p.requires_grad for p in self.network.parameters()]
        self.network.requires_grad_(False)
        try:
            yield
        finally:
            for p, flag in zip(self.network.parameters(), flags):
                p.requires_grad_(flag)
