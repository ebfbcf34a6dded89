"""Recurrent cells, attention, positions, norms, pooling and masked words, from scratch."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

CELLS = ("rnn", "lstm", "gru")
IGNORED = -100  # the label of a place that counts in no loss


def rnn_cell(x: Tensor, h: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.tanh(h @ u.T + x @ w.T + b)


def lstm_cell(x: Tensor, h: Tensor, c: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    both = torch.cat([h, x], dim=1) @ w.T + b
    a, o, i, f = both.chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(a)
    h = torch.sigmoid(o) * torch.tanh(c)
    return h, c


def gru_cell(x: Tensor, h: Tensor, w: Tensor, b: Tensor, w_h: Tensor, b_h: Tensor) -> Tensor:
    z, r = torch.sigmoid(torch.cat([h, x], dim=1) @ w.T + b).chunk(2, dim=1)
    a = torch.tanh(torch.cat([r * h, x], dim=1) @ w_h.T + b_h)
    return z * h + (1 - z) * a


def unroll(
    cell: str,
    x: Tensor,
    mask: Tensor,
    state: tuple[Tensor, ...],
    weights: tuple[Tensor, ...],
) -> tuple[Tensor, tuple[Tensor, ...]]:
    if cell not in CELLS:
        raise ValueError(f"no cell {cell!r}; there are {', '.join(CELLS)}")
    outputs = []
    for t in range(x.shape[1]):
        word = x[:, t]
        if cell == "rnn":
            new = (rnn_cell(word, state[0], *weights),)
        elif cell == "lstm":
            new = lstm_cell(word, state[0], state[1], *weights)
        else:
            new = (gru_cell(word, state[0], *weights),)
        is_word = mask[:, t].unsqueeze(1)
        state = tuple(torch.where(is_word, n, old) for n, old in zip(new, state))
        outputs.append(state[0])
    if not outputs:
        return state[0].new_zeros(len(x), 0, state[0].shape[1]), tuple(state)
    return torch.stack(outputs, dim=1), state


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    # a very small number instead of -inf: a row without any key would be 0/0
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = torch.softmax(scores, dim=-1).masked_fill(~mask, 0.0)
    return weights @ v, weights


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
    b_q, b_k, b_v, b_o = biases
    batch, n, d = x.shape

    def split(y):
        return y.reshape(batch, n, heads, d // heads).transpose(1, 2)

    q = split(x @ w_q.T + b_q)
    k = split(x @ w_k.T + b_k)
    v = split(x @ w_v.T + b_v)
    out, _ = attention(q, k, v, mask.unsqueeze(1))
    return out.transpose(1, 2).reshape(batch, n, d) @ w_o.T + b_o


def positional_encoding(n: int, d: int) -> Tensor:
    if d % 2 != 0:
        raise ValueError(f"d must be even, not {d}")
    t = torch.arange(n, dtype=torch.float64).unsqueeze(1)
    even = torch.arange(0, d, 2, dtype=torch.float64)
    angle = t / 10000 ** (even / d)
    pe = torch.zeros(n, d)
    pe[:, 0::2] = torch.sin(angle).float()
    pe[:, 1::2] = torch.cos(angle).float()
    return pe


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-12) -> Tensor:
    mean = x.mean(dim=-1, keepdim=True)
    var = ((x - mean) ** 2).mean(dim=-1, keepdim=True)
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    total = x.masked_fill(~mask.unsqueeze(-1), 0.0).sum(dim=1)
    count = mask.sum(dim=1, keepdim=True).clamp(min=1)
    return total / count


def mask_tokens(
    ids: Tensor,
    special: Tensor,
    vocab: int,
    mask_id: int,
    generator: torch.Generator | None = None,
    p: float = 0.15,
) -> tuple[Tensor, Tensor]:
    device = ids.device
    selected = torch.rand(ids.shape, generator=generator, device=device) < p
    selected &= ~torch.isin(ids, special)
    labels = torch.where(selected, ids, IGNORED)

    what = torch.rand(ids.shape, generator=generator, device=device)
    inputs = torch.where(selected & (what < 0.8), mask_id, ids)

    words = torch.arange(vocab, device=device)
    words = words[~torch.isin(words, special)]
    if len(words) > 0:
        which = torch.randint(len(words), ids.shape, generator=generator, device=device)
        inputs = torch.where(selected & (what >= 0.8) & (what < 0.9), words[which], inputs)
    return inputs, labels


def mlm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    selected = labels != IGNORED
    if not selected.any():
        return logits.sum() * 0
    return functional.cross_entropy(logits[selected], labels[selected])


def mix_layers(layers: Tensor, s: Tensor, gamma: Tensor | float) -> Tensor:
    weights = torch.softmax(s, dim=0)
    weights = weights.reshape(-1, *([1] * (layers.ndim - 1)))
    return gamma * (weights * layers).sum(dim=0)


def learning_rate(step: int, warmup: int, steps: int) -> float:
    rise = 1.0
    if warmup > 0:
        rise = min(1.0, (step + 1) / warmup)
    return rise * (1 - step / steps)
