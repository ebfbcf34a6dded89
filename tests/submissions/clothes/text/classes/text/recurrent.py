"""Cells as objects that hold their weights; what reads a text with them."""

from __future__ import annotations

import abc

import torch
from torch.nn import functional


class Step(abc.ABC):
    """One step: a word [B, D] and a state, a tuple, to the next state."""

    known: dict[str, type[Step]] = {}

    def __init_subclass__(cls, name, **kwargs):
        super().__init_subclass__(**kwargs)
        Step.known[name] = cls

    @classmethod
    def named(cls, name, weights):
        try:
            return cls.known[name](*weights)
        except KeyError:
            raise ValueError(f"Unknown cell: {name}") from None

    @abc.abstractmethod
    def __call__(self, x, state): ...


class ElmanStep(Step, name="rnn"):
    def __init__(self, u, w, b):
        self.u, self.w, self.b = u, w, b

    def __call__(self, x, state):
        (h,) = state
        return (torch.tanh(functional.linear(h, self.u) + functional.linear(x, self.w, self.b)),)


class LongShortStep(Step, name="lstm"):
    def __init__(self, w, b):
        self.w, self.b = w, b

    def __call__(self, x, state):
        h, c = state
        gates = functional.linear(torch.hstack((h, x)), self.w, self.b)
        candidate, out, into, forget = gates.tensor_split(4, dim=-1)
        c = c * forget.sigmoid() + into.sigmoid() * candidate.tanh()
        return c.tanh() * out.sigmoid(), c


class GatedStep(Step, name="gru"):
    def __init__(self, w, b, w_h, b_h):
        self.w, self.b, self.w_h, self.b_h = w, b, w_h, b_h

    def __call__(self, x, state):
        (h,) = state
        update, reset = self.gate(h, x, self.w, self.b).sigmoid().tensor_split(2, dim=-1)
        new = self.gate(reset * h, x, self.w_h, self.b_h).tanh()
        return (new + update * (h - new),)

    @staticmethod
    def gate(h, x, w, b):
        return functional.linear(torch.hstack((h, x)), w, b)


class Reader:
    """Reads texts word by word; on padding it holds still."""

    def __init__(self, step):
        self.step = step

    def read(self, x, mask, state):
        hs = x.new_zeros(x.size(0), x.size(1), state[0].size(1), dtype=state[0].dtype)
        seen = []
        for word, real in zip(x.transpose(0, 1), mask.t().unsqueeze(-1)):
            moved = self.step(word, state)
            state = tuple(old.where(~real, new) for old, new in zip(state, moved))
            seen.append(state[0])
        return (torch.stack(seen, dim=1) if seen else hs), state
