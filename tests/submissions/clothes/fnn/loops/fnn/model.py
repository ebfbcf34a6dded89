from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def act(name, a):
    if name == "identity":
        return a
    if name == "sigmoid":
        return a.sigmoid()
    if name == "tanh":
        return a.tanh()
    if name == "relu":
        return a.clamp(min=0)
    if name == "leaky_relu":
        return torch.where(a > 0, a, 0.01 * a)
    if name == "elu":
        return torch.where(a > 0, a, torch.exp(a.clamp(max=0)) - 1)
    if name == "softplus":
        return torch.logaddexp(a, torch.zeros_like(a))
    if name == "swish":
        return a * a.sigmoid()
    if name == "gelu":
        return a * (1 + torch.erf(a / math.sqrt(2))) / 2
    raise ValueError("there is no activation " + str(name))


class FNN(nn.Module):
    def __init__(self, depth: int, width: int, activation: str) -> None:
        super().__init__()
        act(activation, torch.zeros(1))
        self.depth = depth
        self.name = activation
        for number in range(1, depth + 2):
            fan_in = 1 if number == 1 else width
            fan_out = 1 if number == depth + 1 else width
            setattr(self, "layer" + str(number), nn.Linear(fan_in, fan_out))

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for number in range(1, self.depth + 1):
            layer = getattr(self, "layer" + str(number))
            h = act(self.name, layer(h))
        return getattr(self, "layer" + str(self.depth + 1))(h)


class Predictor(nn.Module):
    def __init__(self, network, a, b, c, d):
        super().__init__()
        self.network = network
        for name, number in (("a", a), ("b", b), ("c", c), ("d", d)):
            self.register_buffer(name, torch.tensor([number]))

    def forward(self, x: Tensor) -> Tensor:
        return self.c + self.d * self.network((x - self.a) * self.b)


def put(parameters, flat):
    """Copy a long vector into the parameters, one after the other."""
    at = 0
    with torch.no_grad():
        for p in parameters:
            p.copy_(flat[at : at + p.numel()].reshape(p.shape))
            at += p.numel()


def descend_by_curvature(predictor, x, y, spread, rounds=1200, memory=20):
    """L-BFGS by hand: the two-loop recursion, and a step that is halved until it helps."""
    parameters = list(predictor.parameters())

    def value_and_slope(flat):
        put(parameters, flat)
        value = (((predictor(x) - y) / spread) ** 2).mean()
        slopes = torch.autograd.grad(value, parameters)
        return value.item(), torch.cat([slope.reshape(-1) for slope in slopes])

    flat = torch.cat([p.detach().reshape(-1) for p in parameters])
    value, slope = value_and_slope(flat)
    moves = []
    changes = []
    for _ in range(rounds):
        way = slope.clone()
        factors = []
        for s, g in zip(reversed(moves), reversed(changes)):
            factor = (s @ way) / (s @ g)
            factors.append(factor)
            way -= factor * g
        if moves:
            way *= (moves[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
        for s, g, factor in zip(moves, changes, reversed(factors)):
            way += (factor - (g @ way) / (s @ g)) * s
        downhill = (way @ slope).item()
        if downhill <= 0:
            moves = []
            changes = []
            way = slope
            downhill = (slope @ slope).item()
        step = 1.0 if moves else min(1.0, 1.0 / slope.abs().sum().item())
        for _ in range(20):
            there = flat - step * way
            value_there, slope_there = value_and_slope(there)
            if value_there <= value - 1e-4 * step * downhill:
                break
            step /= 2
        else:
            break
        s = there - flat
        g = slope_there - slope
        if (s @ g).item() > 1e-10 * (g @ g).item():
            moves.append(s)
            changes.append(g)
            if len(moves) > memory:
                moves.pop(0)
                changes.pop(0)
        flat, value, slope = there, value_there, slope_there
    put(parameters, flat)


def fit(
    x: Tensor,
    y: Tensor,
    seed: int,
    *,
    depth: int = 2,
    width: int = 80,
    activation: str = "tanh",
    learning_rate: float = 1e-2,
    steps: int | None = None,
    reach: float = 12.0,
) -> nn.Module:
    torch.manual_seed(seed)
    polish = steps is None
    if steps is None:
        steps = 1500
    else:
        reach = 3.0
    middle = (x.max().item() + x.min().item()) / 2
    half = (x.max().item() - x.min().item()) / 2
    network = FNN(depth, width, activation)
    with torch.no_grad():
        # the bends of the first layer lie evenly over the domain
        for unit in range(width):
            weight = 0.5 + 1.5 * torch.rand(1).item()
            place = -reach + 2 * reach * torch.rand(1).item()
            network.layer1.weight[unit, 0] = weight
            network.layer1.bias[unit] = -weight * place
    mean = y.mean().item()
    spread = max((y - mean).abs().max().item(), 1e-6)
    predictor = Predictor(network, middle, reach / half, mean, spread)
    # Adam by hand
    parameters = list(network.parameters())
    m = [torch.zeros_like(p) for p in parameters]
    r = [torch.zeros_like(p) for p in parameters]
    for t in range(1, steps + 1):
        rate = learning_rate * (1 + math.cos(math.pi * (t - 1) / steps)) / 2
        loss = (((predictor(x) - y) / spread) ** 2).mean()
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for i in range(len(parameters)):
                m[i] = 0.9 * m[i] + 0.1 * gradients[i]
                r[i] = 0.999 * r[i] + 0.001 * gradients[i] * gradients[i]
                up = m[i] / (1 - 0.9**t)
                down = (r[i] / (1 - 0.999**t)).sqrt() + 1e-8
                parameters[i] -= rate * up / down
    if polish:
        descend_by_curvature(predictor, x, y, spread)
    return predictor
