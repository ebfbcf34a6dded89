from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .attending import Attention, MultiHead, Projection
from .masking import Masker
from .recurrent import ElmanStep, GatedStep, LongShortStep, Reader, Step

CELLS = tuple(Step.known)
IGNORED = -100  # the label of a place that counts in no loss


def rnn_cell(x: Tensor, h: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return ElmanStep(u, w, b)(x, (h,))[0]


def lstm_cell(x: Tensor, h: Tensor, c: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return LongShortStep(w, b)(x, (h, c))


def gru_cell(x: Tensor, h: Tensor, w: Tensor, b: Tensor, w_h: Tensor, b_h: Tensor) -> Tensor:
    return GatedStep(w, b, w_h, b_h)(x, (h,))[0]


def unroll(
    cell: str,
    x: Tensor,
    mask: Tensor,
    state: tuple[Tensor, ...],
    weights: tuple[Tensor, ...],
) -> tuple[Tensor, tuple[Tensor, ...]]:
    return Reader(Step.named(cell, weights)).read(x, mask, tuple(state))


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    return Attention(mask)(q, k, v)


def multi_head_attention(
    x: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    w_o: Tensor,
    biases: tuple[Tensor, Tensor, Tensor, Tensor],
    heads: int,
    mask: Tensor,
) -> Tensor:
    projections = [Projection(w, b) for w, b in zip((w_q, w_k, w_v, w_o), biases)]
    return MultiHead(projections, heads)(x, mask)


class Waves:
    """Sine and cosine of each frequency, taking turns."""

    BASE = 10000.0

    def __init__(self, d):
        if d & 1:
            raise ValueError(f"{d} is odd")
        self.d = d
        self.frequencies = self.BASE ** -(torch.arange(0, d, 2, dtype=torch.float64) / d)

    def at(self, n):
        angles = torch.outer(torch.arange(n, dtype=torch.float64), self.frequencies)
        return torch.stack((angles.sin(), angles.cos()), dim=2).view(n, self.d)


def positional_encoding(n: int, d: int) -> Tensor:
    return Waves(d).at(n).to(torch.float32)


class Standardiser:
    def __init__(self, eps):
        self.eps = eps

    def __call__(self, x):
        x = x - x.mean(-1, keepdim=True)
        return x / x.square().mean(-1, keepdim=True).add(self.eps).sqrt()


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-12) -> Tensor:
    return torch.addcmul(beta, gamma, Standardiser(eps)(x))


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    words = torch.where(mask[:, :, None], x, torch.zeros_like(x))
    return words.sum(1) / mask.sum(1)[:, None].clamp_min(1)


def mask_tokens(
    ids: Tensor,
    special: Tensor,
    vocab: int,
    mask_id: int,
    generator: torch.Generator | None = None,
    p: float = 0.15,
) -> tuple[Tensor, Tensor]:
    return Masker(special, vocab, mask_id, IGNORED, generator)(ids, p)


def mlm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    selected = labels.ne(IGNORED)
    log_p = functional.log_softmax(logits[selected], dim=-1)
    wanted = log_p.gather(1, labels[selected].unsqueeze(1))
    return -wanted.sum() / selected.sum().clamp(min=1)


def mix_layers(layers: Tensor, s: Tensor, gamma: Tensor | float) -> Tensor:
    return gamma * torch.tensordot(functional.softmax(s, dim=0), layers, dims=1)


class Schedule:
    def __init__(self, warmup, steps):
        self.warmup, self.steps = warmup, steps

    def rise(self, step):
        return 1.0 if self.warmup <= 0 else min((step + 1) / self.warmup, 1.0)

    def fall(self, step):
        return (self.steps - step) / self.steps

    def __call__(self, step):
        return self.rise(step) * self.fall(step)


def learning_rate(step: int, warmup: int, steps: int) -> float:
    return Schedule(warmup, steps)(step)
