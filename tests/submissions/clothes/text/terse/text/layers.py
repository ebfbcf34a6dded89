from __future__ import annotations

import torch
from torch.nn import functional as F

CELLS = ("rnn", "lstm", "gru")
IGNORED = -100

_hx = lambda h, x, w, b, n: (torch.cat((h, x), 1) @ w.T + b).chunk(n, 1)


def rnn_cell(x, h, u, w, b):
    return (torch.cat((h, x), 1) @ torch.cat((u, w), 1).T + b).tanh()


def lstm_cell(x, h, c, w, b):
    a, (o, i, f) = (g := _hx(h, x, w, b, 4))[0], map(torch.sigmoid, g[1:])
    return o * (c := f * c + i * a.tanh()).tanh(), c


def gru_cell(x, h, w, b, w_h, b_h):
    z, r = map(torch.sigmoid, _hx(h, x, w, b, 2))
    return z * h + (1 - z) * _hx(r * h, x, w_h, b_h, 1)[0].tanh()


_STEP = {
    "rnn": lambda x, s, w: (rnn_cell(x, *s, *w),),
    "lstm": lambda x, s, w: lstm_cell(x, *s, *w),
    "gru": lambda x, s, w: (gru_cell(x, *s, *w),),
}


def unroll(cell, x, mask, state, weights):
    if not (step := _STEP.get(cell)):
        raise ValueError(cell)
    hs = [state[0][:, None][:, :0]] + [
        (state := tuple(torch.where(m, n, o) for n, o in zip(step(w, state, weights), state)))[0][:, None]
        for w, m in zip(x.unbind(1), mask[..., None].unbind(1))
    ]
    return torch.cat(hs, 1), state


def attention(q, k, v, mask):
    s = torch.einsum("...td,...sd->...ts", q, k).div(q.shape[-1] ** 0.5).where(mask, torch.finfo(q.dtype).min)
    return (p := s.softmax(-1) * mask) @ v, p


def multi_head_attention(x, w_q, w_k, w_v, w_o, biases, heads, mask):
    x3 = torch.einsum("btd,ned->nbte", x, torch.stack((w_q, w_k, w_v))) + torch.stack(biases[:3])[:, None, None]
    o, _ = attention(*x3.unflatten(-1, (heads, -1)).transpose(2, 3), mask[:, None])
    return o.transpose(1, 2).flatten(2) @ w_o.T + biases[3]


def positional_encoding(n, d):
    if d % 2:
        raise ValueError(d)
    z = torch.polar(torch.ones(n, d // 2).double(), torch.outer(torch.arange(n), 1e4 ** (torch.arange(0, -d, -2).double() / d)))
    return torch.view_as_real(z).flip(-1).flatten(1).float()  # (cos, sin) turned round


def layer_norm(x, gamma, beta, eps=1e-12):
    v, m = torch.var_mean(x, -1, correction=0, keepdim=True)
    return gamma * (x - m) / (v + eps).sqrt() + beta


def masked_mean(x, mask):
    return x.where(mask[..., None], 0).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


def mask_tokens(ids, special, vocab, mask_id, generator=None, p=0.15):
    rand = lambda: torch.rand(ids.shape, generator=generator, device=ids.device)
    sel, u = (rand() < p) & ~torch.isin(ids, special), rand()
    w = (w := torch.arange(vocab, device=ids.device))[~torch.isin(w, special)]
    new = w[(rand() * len(w)).long().clamp(max=len(w) - 1)] if len(w) else ids
    return torch.where(sel & (u < 0.9), torch.where(u < 0.8, mask_id, new), ids), torch.where(sel, ids, IGNORED)


def mlm_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum", ignore_index=IGNORED) / (labels != IGNORED).sum().clamp(min=1)


def mix_layers(layers, s, gamma):
    return gamma * torch.einsum("l...,l->...", layers, s.softmax(0))


def learning_rate(step, warmup, steps):
    return min(1, (step + 1) / (warmup or 1)) * (1 - step / steps)
