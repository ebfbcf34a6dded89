from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

NORMS = {"none": lambda c: nn.Identity(), "batch": nn.BatchNorm2d, "layer": lambda c: nn.GroupNorm(1, c), "group": lambda c: nn.GroupNorm(4, c)}
RATES = {
    "none": lambda t: 1,
    "step": lambda t: 10.0 ** -((t >= 0.5) + int(t >= 0.75)),
    "cosine": lambda t: (1 + math.cos(math.pi * t)) / 2,
}
DECAYS = tuple(RATES)


class Block(nn.Sequential):
    def __init__(self, i, o, s, norm, residual):
        conv = lambda a, s: nn.Conv2d(a, o, 3, s, 1, bias=norm == "none")
        super().__init__(conv(i, s), NORMS[norm](o), nn.ReLU(), conv(o, 1), NORMS[norm](o))
        self.s, self.more, self.residual = s, o - i, residual

    def forward(self, h):
        f = super().forward(h)
        return F.relu(f + F.pad(h[..., :: self.s, :: self.s], [0] * 5 + [self.more]) if self.residual else f)



class Net(nn.Module):
    def __init__(self, n, norm, p, residual, k, w):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3)), self.register_buffer("std", torch.ones(3) * 255)
        chans = [w] * (n + 1) + [2 * w] * n + [4 * w] * n
        body = (Block(a, b, 1 + (a < b), norm, residual) for a, b in zip(chans, chans[1:]))
        self.f = nn.Sequential(
            nn.Conv2d(3, w, 3, 1, 1, bias=norm == "none"), NORMS[norm](w), nn.ReLU(), *body,
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(p), nn.Linear(4 * w, k))

    forward = lambda self, x: self.f((x - self.mean[:, None, None]) / self.std[:, None, None])


def build(depth, norm="batch", dropout=0.0, residual=True, classes=10, width=16):
    if depth < 8 or depth % 6 != 2 or norm not in NORMS:
        raise ValueError((depth, norm))
    return Net(depth // 6, norm, dropout, residual, classes, width)


def buffers(model):
    return {name: buffer.detach().cpu() for name, buffer in model.named_buffers()}


def learning_rate(epoch, epochs, base, decay):
    if decay not in RATES:
        raise ValueError(decay)
    return base * RATES[decay](epoch / epochs)


def _fit(model, x, y, seed, rates, loss=F.cross_entropy, augment=lambda x: x, wd=5e-4):
    torch.manual_seed(seed)
    s, m = torch.std_mean(x.double(), (0, 2, 3))
    model.mean.copy_(m), model.std.copy_(s)
    opt, out = torch.optim.SGD(model.parameters(), rates[0], 0.9, weight_decay=wd), []
    for lr in rates:
        opt.param_groups[0]["lr"], seen = lr, []
        model.train()
        for i in torch.randperm(len(x), device=x.device).split(64):
            seen += [len(i) * (l := loss(model(augment(x[i])), y[i])).item()]
            opt.zero_grad(), l.backward(), opt.step()
        out += [sum(seen) / len(x)]
    model.eval()
    return out


def train(model, images, labels, seed, *, epochs, base_rate=0.05, decay="cosine"):
    return _fit(model, images, labels, seed, [learning_rate(e, epochs, base_rate, decay) for e in range(epochs)])


def _jitter(x):
    x = F.pad(x.float(), [2] * 4, mode="reflect")
    a, b = torch.randint(5, (2,)).tolist()
    x = x[..., a : a + x.shape[2] - 4, b : b + x.shape[3] - 4]
    x = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5, x.flip(-1), x)
    return (x * (0.8 + 0.4 * torch.rand(len(x), 3, 1, 1, device=x.device))).clamp(0, 255)


def best(images, labels, classes, seed):
    torch.manual_seed(seed)
    net, E = build(8, "batch", 0.1, True, classes, 16).to(images.device), 22
    rates = [0.12 * min((e + 1) / 4, (E - e) / (E - 3)) for e in range(E)]  # up, then down to 0 along a line
    _fit(net, images, labels, seed, rates, lambda o, t: F.cross_entropy(o, t, label_smoothing=0.1), _jitter, 1e-3)
    return net
