"""Loops over words, heads and texts; sums written out."""

from __future__ import annotations

import math

import torch
from torch import Tensor

CELLS = ("rnn", "lstm", "gru")
IGNORED = -100  # the label of a place that counts in no loss


def rnn_cell(x: Tensor, h: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    from_state = torch.matmul(h, u.t())
    from_word = torch.matmul(x, w.t())
    return torch.tanh(from_state + from_word + b)


def lstm_cell(x: Tensor, h: Tensor, c: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    size = h.shape[1]
    joined = torch.cat((h, x), dim=1)
    blocks = []
    for number in range(4):
        rows = slice(number * size, (number + 1) * size)
        blocks.append(torch.matmul(joined, w[rows].t()) + b[rows])
    candidate = torch.tanh(blocks[0])
    output = torch.sigmoid(blocks[1])
    input_ = torch.sigmoid(blocks[2])
    forget = torch.sigmoid(blocks[3])
    memory = forget * c + input_ * candidate
    return output * torch.tanh(memory), memory


def gru_cell(x: Tensor, h: Tensor, w: Tensor, b: Tensor, w_h: Tensor, b_h: Tensor) -> Tensor:
    size = h.shape[1]
    joined = torch.cat((h, x), dim=1)
    z = torch.sigmoid(torch.matmul(joined, w[:size].t()) + b[:size])
    r = torch.sigmoid(torch.matmul(joined, w[size:].t()) + b[size:])
    reset = torch.cat((r * h, x), dim=1)
    a = torch.tanh(torch.matmul(reset, w_h.t()) + b_h)
    return z * h + (1 - z) * a


def unroll(
    cell: str,
    x: Tensor,
    mask: Tensor,
    state: tuple[Tensor, ...],
    weights: tuple[Tensor, ...],
) -> tuple[Tensor, tuple[Tensor, ...]]:
    if cell == "rnn":
        u, w, b = weights
    elif cell == "lstm":
        w, b = weights
    elif cell == "gru":
        w, b, w_h, b_h = weights
    else:
        raise ValueError("there is no cell " + repr(cell))
    h = state[0]
    c = state[1] if cell == "lstm" else None
    all_h = x.new_empty(x.shape[0], 0, h.shape[1])
    steps = []
    for t in range(x.shape[1]):
        word = x[:, t, :]
        counts = mask[:, t : t + 1]
        if cell == "rnn":
            new_h = rnn_cell(word, h, u, w, b)
        elif cell == "lstm":
            new_h, new_c = lstm_cell(word, h, c, w, b)
            c = torch.where(counts, new_c, c)
        else:
            new_h = gru_cell(word, h, w, b, w_h, b_h)
        h = torch.where(counts, new_h, h)
        steps.append(h[:, None, :])
    all_h = torch.cat([all_h] + steps, dim=1)
    if cell == "lstm":
        return all_h, (h, c)
    return all_h, (h,)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(k.shape[-1])
    mask = mask.expand(scores.shape)
    # softmax by hand: the largest score that the query sees is subtracted first
    smallest = torch.full_like(scores, -math.inf)
    largest = torch.where(mask, scores, smallest).max(dim=-1, keepdim=True).values.detach()
    largest = torch.where(largest == -math.inf, torch.zeros_like(largest), largest)
    away = torch.where(mask, scores - largest, torch.zeros_like(scores))
    powers = torch.exp(away) * mask
    total = powers.sum(dim=-1, keepdim=True)
    weights = powers / torch.where(total == 0, torch.ones_like(total), total)
    return torch.matmul(weights, v), weights


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
    size = x.shape[2] // heads
    results = []
    for head in range(heads):
        columns = slice(head * size, (head + 1) * size)
        q = torch.matmul(x, w_q[columns].t()) + biases[0][columns]
        k = torch.matmul(x, w_k[columns].t()) + biases[1][columns]
        v = torch.matmul(x, w_v[columns].t()) + biases[2][columns]
        result, _ = attention(q, k, v, mask)
        results.append(result)
    side_by_side = torch.cat(results, dim=2)
    return torch.matmul(side_by_side, w_o.t()) + biases[3]


def positional_encoding(n: int, d: int) -> Tensor:
    if d % 2 == 1:
        raise ValueError("d is odd: " + str(d))
    rows = []
    for t in range(n):
        row = []
        for i in range(d // 2):
            angle = t / 10000 ** (2 * i / d)
            row.append(math.sin(angle))
            row.append(math.cos(angle))
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float32).reshape(n, d)


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-12) -> Tensor:
    d = x.shape[-1]
    mean = x.sum(dim=-1, keepdim=True) / d
    centred = x - mean
    variance = (centred * centred).sum(dim=-1, keepdim=True) / d
    return centred / (variance + eps).sqrt() * gamma + beta


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    means = []
    for text in range(x.shape[0]):
        words = x[text][mask[text]]
        if words.shape[0] == 0:
            means.append(torch.zeros_like(x[text, :1].sum(dim=0)))
        else:
            means.append(words.sum(dim=0) / words.shape[0])
    return torch.stack(means)


def mask_tokens(
    ids: Tensor,
    special: Tensor,
    vocab: int,
    mask_id: int,
    generator: torch.Generator | None = None,
    p: float = 0.15,
) -> tuple[Tensor, Tensor]:
    never = set(special.tolist())
    words = [word for word in range(vocab) if word not in never]
    inputs = ids.tolist()
    labels = []
    for text in inputs:
        dice = torch.rand(len(text), 3, generator=generator).tolist()
        wanted = []
        for place, word in enumerate(text):
            select, what, which = dice[place]
            if word in never or select >= p:
                wanted.append(IGNORED)
                continue
            wanted.append(word)
            if what < 0.8:
                text[place] = mask_id
            elif what < 0.9:
                text[place] = words[int(which * len(words))]
        labels.append(wanted)
    shape = ids.shape
    return (
        torch.tensor(inputs, dtype=torch.int64, device=ids.device).reshape(shape),
        torch.tensor(labels, dtype=torch.int64, device=ids.device).reshape(shape),
    )


def mlm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    total = (logits[:0]).sum()
    count = 0
    for text in range(labels.shape[0]):
        for place in range(labels.shape[1]):
            word = int(labels[text, place])
            if word == IGNORED:
                continue
            scores = logits[text, place]
            total = total + torch.logsumexp(scores, dim=0) - scores[word]
            count += 1
    return total / max(count, 1)


def mix_layers(layers: Tensor, s: Tensor, gamma: Tensor | float) -> Tensor:
    powers = torch.exp(s - s.max().detach())
    mixture = torch.zeros_like(layers[0])
    for number in range(layers.shape[0]):
        mixture = mixture + powers[number] / powers.sum() * layers[number]
    return gamma * mixture


def learning_rate(step: int, warmup: int, steps: int) -> float:
    falling = 1 - step / steps
    if step + 1 < warmup:
        return (step + 1) / warmup * falling
    return falling
