"""The model solution of the second part."""

import numpy as np


class Linear:
    """A linear layer: x W^T + b."""

    def __init__(self, inputs, outputs):
        self.weight = np.arange(1.0, 1 + outputs * inputs).reshape(outputs, inputs)
        self.bias = np.ones(outputs)

    def __call__(self, x):
        """Map (N, inputs) to (N, outputs)."""
        return x @ self.weight.T + self.bias
