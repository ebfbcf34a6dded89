"""Two ways to keep a critic from being too steep."""

from __future__ import annotations

import torch


class RootOrZero(torch.autograd.Function):
    """A square root whose slope at 0 is 0, twice differentiable elsewhere."""

    @staticmethod
    def forward(ctx, squares):
        root = squares.sqrt()
        ctx.save_for_backward(root)
        return root

    @staticmethod
    def backward(ctx, upstream):
        (root,) = ctx.saved_tensors
        return torch.where(root > 0, upstream / (2 * root), torch.zeros_like(root))


class GradientPenalty:
    def __init__(self, weight):
        self.weight = weight

    def between(self, real, fake, eps):
        eps = eps.view(len(real), *(1 for _ in real.shape[1:]))
        return torch.lerp(fake.detach(), real.detach(), eps.to(real.dtype))

    def __call__(self, critic, real, fake, eps):
        with torch.enable_grad():
            x = self.between(real, fake, eps).requires_grad_(True)
            y = critic(x)
            (slope,) = torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)
        norm = RootOrZero.apply(slope.square().flatten(1).sum(1))
        return self.weight * (norm - 1).square().mean()


class Clipping:
    def __init__(self, c):
        self.c = c

    @torch.no_grad()
    def __call__(self, critic):
        for p in critic.parameters():
            p.copy_(p.clip(min=-self.c, max=self.c))
