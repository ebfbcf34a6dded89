"""What generator and critic have in common."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class LabelledMLP(nn.Module):
    """Two hidden layers behind [input, scale * one_hot(label)]."""

    def __init__(self, inputs, hidden, outputs, classes, scale, make_activation, end=None):
        super().__init__()
        self.classes, self.scale = classes, scale
        parts = [
            nn.Linear(inputs + classes, hidden),
            make_activation(),
            nn.Linear(hidden, hidden),
            make_activation(),
            nn.Linear(hidden, outputs),
        ]
        self.body = nn.Sequential(*parts, *([] if end is None else [end]))

    def conditioned(self, x, y):
        if not self.classes:
            return x
        if y is None:
            raise ValueError("Labels are missing")
        return torch.hstack((x, F.one_hot(y, self.classes) * x.new_tensor(self.scale)))

    def forward(self, x, y=None):
        return self.body(self.conditioned(x, y))
