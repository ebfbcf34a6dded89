"""Training, apart from the network."""

import torch
from torch import nn


class Standardiser(nn.Module):
    """(x - shift) / scale, or back."""

    def __init__(self, shift, scale):
        super().__init__()
        self.register_buffer("shift", shift.detach().clone())
        self.register_buffer("scale", scale.detach().clone())

    def forward(self, x):
        return (x - self.shift) / self.scale

    def inverse(self, x):
        return x * self.scale + self.shift


class Approximator(nn.Module):
    def __init__(self, network, inputs, outputs):
        super().__init__()
        self.network, self.inputs, self.outputs = network, inputs, outputs

    def forward(self, x):
        return self.outputs.inverse(self.network(self.inputs(x)))


class Trainer:
    """Full-batch training in standardised units."""

    def __init__(self, model, x, y):
        self.model = model
        with torch.no_grad():
            self.x, self.y = model.inputs(x), model.outputs(y)
        self.criterion = nn.MSELoss()

    def loss(self):
        return self.criterion(self.model.network(self.x), self.y)

    def adam(self, steps, rate, schedule):
        optimiser = torch.optim.Adam(self.model.network.parameters(), lr=rate)
        scheduler = schedule(optimiser)
        for _ in range(steps):
            optimiser.zero_grad(set_to_none=True)
            self.loss().backward()
            optimiser.step()
            scheduler.step()
        return self

    def lbfgs(self, iterations):
        optimiser = torch.optim.LBFGS(
            self.model.network.parameters(),
            max_iter=iterations,
            history_size=30,
            line_search_fn="strong_wolfe",
        )

        def closure():
            optimiser.zero_grad()
            loss = self.loss()
            loss.backward()
            return loss

        optimiser.step(closure)
        return self
