from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from .trainer import Approximator, Standardiser, Trainer


class FNN(nn.Module):
    MODULES = {
        "identity": nn.Identity,
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "relu": nn.ReLU,
        "leaky_relu": lambda: nn.LeakyReLU(0.01),
        "elu": lambda: nn.ELU(1.0),
        "softplus": nn.Softplus,
        "swish": nn.SiLU,
        "gelu": lambda: nn.GELU(approximate="none"),
    }

    def __init__(self, depth: int, width: int, activation: str) -> None:
        super().__init__()
        try:
            make = self.MODULES[activation]
        except KeyError:
            raise ValueError(f"Unknown activation: {activation}") from None
        blocks = [nn.Sequential(nn.Linear(1, width), make())]
        blocks += [nn.Sequential(nn.Linear(width, width), make()) for _ in range(depth - 1)]
        self.body = nn.Sequential(*blocks)
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))

    def spread_out(self, sharpness: float) -> None:
        """Steeper first weights, whose turning points cover [-2, 2]."""
        first = self.body[0][0]
        with torch.no_grad():
            nn.init.normal_(first.weight, std=sharpness)
            nn.init.uniform_(first.bias, -2.0, 2.0)
            first.bias.mul_(first.weight[:, 0])


def fit(
    x: Tensor,
    y: Tensor,
    seed: int,
    *,
    depth: int = 2,
    width: int = 64,
    activation: str = "tanh",
    learning_rate: float = 1e-2,
    steps: int | None = None,
    polish: int = 1500,
) -> nn.Module:
    torch.manual_seed(seed)
    network = FNN(depth, width, activation)
    inputs = Standardiser(x.mean(), x.std())
    outputs = Standardiser(y.mean(), y.std().clamp(min=1e-6))
    model = Approximator(network, inputs, outputs)
    trainer = Trainer(model, x, y)
    if steps is not None:
        trainer.adam(
            steps, learning_rate, lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=steps)
        )
    else:
        network.spread_out(6.0)
        trainer.adam(
            1500,
            learning_rate,
            lambda o: lr_scheduler.OneCycleLR(o, max_lr=learning_rate, total_steps=1501),
        ).lbfgs(polish)
    return model.eval()
