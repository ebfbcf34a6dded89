"""Recurrent cells, attention, positions, norms, pooling and masked words, from scratch.

A batch of B texts is a tensor of T words each, shorter texts filled up with padding at the end.
`mask` is True for words and False for padding. Weights stand as in PyTorch: a matrix [out, in] is
used as x W^T + b. Results have the type and lie on the device of the input, and nothing here
changes a tensor that it was given.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

CELLS = ("rnn", "lstm", "gru")
IGNORED = -100  # the label of a place that counts in no loss


def rnn_cell(x: Tensor, h: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Return the next state of a simple recurrent network.

    h' = tanh(U h + W x + b)

    Shapes: x [B, D], h [B, H], u [H, H], w [H, D], b [H] -> [B, H].
    Source: Elman 1990.
    """
    # BEGIN SOLUTION
    return torch.tanh(h @ u.T + x @ w.T + b)
    # END SOLUTION


def lstm_cell(x: Tensor, h: Tensor, c: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return the next state and the next memory of an LSTM.

    (a, o, i, f) = W [h; x] + b         four blocks of H rows, in this order: candidate, output,
                                        input, forget (PyTorch: input, forget, candidate, output)
    c' = sigmoid(f) c + sigmoid(i) tanh(a)
    h' = sigmoid(o) tanh(c')

    Shapes: x [B, D], h [B, H], c [B, H], w [4H, H + D], b [4H] -> h' [B, H], c' [B, H].
    Source: Hochreiter and Schmidhuber 1997; the forget gate is of Gers et al. 2000.
    """
    # BEGIN SOLUTION
    rows = torch.cat([h, x], dim=1) @ w.T + b  # [B, 4H]
    a, o, i, f = rows.chunk(4, dim=1)  # [B, H] each
    memory = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(a)  # [B, H]
    return torch.sigmoid(o) * torch.tanh(memory), memory
    # END SOLUTION


def gru_cell(x: Tensor, h: Tensor, w: Tensor, b: Tensor, w_h: Tensor, b_h: Tensor) -> Tensor:
    """Return the next state of a gated recurrent unit.

    (z, r) = sigmoid(W [h; x] + b)      two blocks of H rows, in this order
    a = tanh(W_h [r h; x] + b_h)        r acts on h before the matrix does (PyTorch: after it)
    h' = z h + (1 - z) a

    Shapes: x [B, D], h [B, H], w [2H, H + D], b [2H], w_h [H, H + D], b_h [H] -> [B, H].
    Source: Cho et al. 2014, eqs. 5 to 8.
    """
    # BEGIN SOLUTION
    gates = torch.sigmoid(torch.cat([h, x], dim=1) @ w.T + b)  # [B, 2H]
    z, r = gates.chunk(2, dim=1)  # [B, H] each
    a = torch.tanh(torch.cat([r * h, x], dim=1) @ w_h.T + b_h)  # [B, H]
    return z * h + (1 - z) * a
    # END SOLUTION


def unroll(
    cell: str,
    x: Tensor,
    mask: Tensor,
    state: tuple[Tensor, ...],
    weights: tuple[Tensor, ...],
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a cell along its texts; return the state h after every step, and the last state.

    `cell` is rnn, lstm or gru; `state` is (h,), of an LSTM (h, c); `weights` are the cell's in the
    order of its arguments, (u, w, b) for rnn. Where the mask is False the state stays as it was,
    all of it, so that the last state is that after the last word.

    Shapes: x [B, T, D], mask [B, T] bool, state [B, H] each -> [B, T, H], state [B, H] each.
    Raises ValueError if there is no cell of that name.
    """
    # BEGIN SOLUTION
    if cell not in CELLS:
        raise ValueError(f"no cell {cell!r}; choose one of {', '.join(CELLS)}")
    outputs = []
    for t in range(x.shape[1]):
        new = _step(cell, x[:, t], state, weights)
        word = mask[:, t, None]  # [B, 1]
        state = tuple(torch.where(word, n, old) for n, old in zip(new, state, strict=True))
        outputs.append(state[0])
    return torch.stack(outputs, dim=1), state  # [B, T, H]
    # END SOLUTION


# BEGIN SOLUTION
def _step(
    cell: str, x: Tensor, state: tuple[Tensor, ...], weights: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    if cell == "lstm":
        return lstm_cell(x, *state, *weights)
    advance = rnn_cell if cell == "rnn" else gru_cell
    return (advance(x, *state, *weights),)


# END SOLUTION


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return scaled dot-product attention and its weights.

    weights = softmax_s(q_t . k_s / sqrt(d))  over the keys s that query t may see
    out_t = sum_s weights_ts v_s

    `mask` is True where a query may see a key. A query that sees nothing gets weights of 0 and an
    output of 0, and gradients are finite there too.

    Shapes: q [.., T, d], k [.., S, d], v [.., S, e], mask [.., T or 1, S] bool
    -> out [.., T, e], weights [.., T, S].
    Source: Vaswani et al. 2017, eq. 1.
    """
    # BEGIN SOLUTION
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # [.., T, S]
    # The least number, not -inf: a row of -inf alone would give NaN.
    hidden = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = hidden.softmax(dim=-1) * mask  # the product clears rows that see nothing
    return weights @ v, weights
    # END SOLUTION


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
    """Return self-attention with several heads.

    Q = x W_q^T + b_q, K and V likewise. Head i takes columns i d/H to (i + 1) d/H of each, and
    attends by itself, scaled by the root of its own d/H. The heads' outputs, side by side again,
    go through W_o and b_o.

    Shapes: x [B, T, d], w_q, w_k, w_v, w_o [d, d], biases (b_q, b_k, b_v, b_o) [d] each,
    mask [B, T or 1, T] bool -> [B, T, d]. d is a multiple of `heads`.
    Source: Vaswani et al. 2017, sec. 3.2.2.
    """
    # BEGIN SOLUTION
    b_q, b_k, b_v, b_o = biases
    pairs = ((w_q, b_q), (w_k, b_k), (w_v, b_v))
    q, k, v = (_split(functional.linear(x, w, b), heads) for w, b in pairs)  # [B, H, T, d/H]
    out, _ = attention(q, k, v, mask[:, None])  # [B, H, T, d/H]
    joined = out.transpose(1, 2).flatten(2)  # [B, T, d]
    return functional.linear(joined, w_o, b_o)
    # END SOLUTION


# BEGIN SOLUTION
def _split(x: Tensor, heads: int) -> Tensor:
    """Cut [B, T, d] into the columns of each head, [B, H, T, d/H]."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


# END SOLUTION


def positional_encoding(n: int, d: int) -> Tensor:
    """Return the sinusoidal encoding of n places.

    pe[t, 2i] = sin(t / 10000^(2i/d)),  pe[t, 2i + 1] = cos(t / 10000^(2i/d)),  t = 0, 1, ...

    Shapes: -> [n, d] float32, d even.
    Raises ValueError if d is odd.
    Source: Vaswani et al. 2017, sec. 3.5.
    """
    # BEGIN SOLUTION
    if d % 2:
        raise ValueError(f"sines and cosines come in pairs: d must be even, got {d}")
    rate = 10000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)  # [d/2]
    angle = torch.arange(n, dtype=torch.float64)[:, None] * rate  # [n, d/2]
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1).float()  # interleaved
    # END SOLUTION


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-12) -> Tensor:
    """Normalise every vector by itself: gamma (x - mean) / sqrt(var + eps) + beta.

    Mean and variance run over the last axis; the variance divides by d, not by d - 1.

    Shapes: x [.., d], gamma [d], beta [d] -> [.., d].
    Source: Ba, Kiros and Hinton 2016.
    """
    # BEGIN SOLUTION
    centred = x - x.mean(dim=-1, keepdim=True)  # [.., d]
    variance = centred.square().mean(dim=-1, keepdim=True)  # [.., 1]
    return gamma * centred / (variance + eps).sqrt() + beta
    # END SOLUTION


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over the words of each text, padding left out; of no words it is 0.

    Shapes: x [B, T, d], mask [B, T] bool -> [B, d].
    """
    # BEGIN SOLUTION
    weight = mask[:, :, None].to(x.dtype)  # [B, T, 1]
    return (x * weight).sum(dim=1) / weight.sum(dim=1).clamp_min(1.0)
    # END SOLUTION


def mask_tokens(
    ids: Tensor,
    special: Tensor,
    vocab: int,
    mask_id: int,
    generator: torch.Generator | None = None,
    p: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """Hide words for masked language modelling; return inputs and labels.

    Each word is selected with probability p, alone; never one whose number is in `special`
    (padding, marks of begin and end, the mask itself). A selected word is replaced by `mask_id`
    with probability 0.8 and by a word drawn evenly from all that are not special with
    probability 0.1; else it stays. Labels are the words that were there where one was selected,
    and IGNORED elsewhere.

    Shapes: ids [B, T] int64, special [S] int64, -> inputs [B, T], labels [B, T], both int64.
    `vocab` is the number of words, numbered from 0.
    Source: Devlin et al. 2019, sec. 3.1.
    """
    # BEGIN SOLUTION
    place = generator.device if generator else ids.device

    def chance() -> Tensor:
        return torch.rand(ids.shape, generator=generator, device=place).to(ids.device)

    selected = (chance() < p) & ~torch.isin(ids, special)  # [B, T]
    labels = torch.where(selected, ids, IGNORED)
    fate = chance()  # [B, T]
    words = torch.arange(vocab, device=ids.device)
    words = words[~torch.isin(words, special)]  # [V - S]
    drawn = torch.randint(len(words), ids.shape, generator=generator, device=place)
    inputs = torch.where(selected & (fate < 0.8), mask_id, ids)
    swapped = selected & (fate >= 0.8) & (fate < 0.9)
    return torch.where(swapped, words[drawn.to(ids.device)], inputs), labels
    # END SOLUTION


def mlm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy over the selected words; of no selected word it is 0.

    Shapes: logits [B, T, V], labels [B, T] int64, IGNORED where none was selected -> [].
    """
    # BEGIN SOLUTION
    selected = labels != IGNORED  # [B, T]
    total = functional.cross_entropy(logits[selected], labels[selected], reduction="sum")
    return total / selected.sum().clamp_min(1)
    # END SOLUTION


def mix_layers(layers: Tensor, s: Tensor, gamma: Tensor | float) -> Tensor:
    """Return the mixture of an encoder's layers that ELMo feeds to a task.

    gamma sum_l softmax(s)_l layers_l

    Shapes: layers [L, ..], s [L], gamma [] -> [..]. Gradients flow to all three.
    Source: Peters et al. 2018, eq. 1.
    """
    # BEGIN SOLUTION
    return gamma * torch.tensordot(s.softmax(dim=0), layers, dims=1)
    # END SOLUTION


def learning_rate(step: int, warmup: int, steps: int) -> float:
    """Return the factor of the learning rate at a step: it rises, then falls to 0 linearly.

    min(1, (t + 1) / warmup) (1 - t / steps)  at step t = 0 .. steps - 1; warmup = 0 does not rise

    Source: Devlin et al. 2019, appendix A.2.
    """
    # BEGIN SOLUTION
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    return rise * (1 - step / steps)
    # END SOLUTION
