from __future__ import annotations

import argparse
import logging
from collections import defaultdict
from enum import Enum
from functools import partial
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402,F401
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn import functional as F  # noqa: E402

torch.set_num_threads(8)
torch.set_default_dtype(torch.float64)
logging.basicConfig(level=logging.INFO)
log = logging.getLogger("text")
ARGS, _ = argparse.ArgumentParser().parse_known_args()

IGNORED = -100  # the label of a place that counts in no loss


class CellKind(str, Enum):
    RNN = "rnn"
    LSTM = "lstm"
    GRU = "gru"


CELLS = tuple(kind.value for kind in CellKind)


class Unrolled(NamedTuple):
    out: Tensor
    state: tuple[Tensor, ...]


class Attended(NamedTuple):
    out: Tensor
    weights: Tensor


class LSTMState(NamedTuple):
    h: Tensor
    c: Tensor


class Hidden(NamedTuple):
    inputs: Tensor
    labels: Tensor


def rnn_cell(x: Tensor, h: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.tanh(F.linear(h, u) + F.linear(x, w, b))


def lstm_cell(x: Tensor, h: Tensor, c: Tensor, w: Tensor, b: Tensor) -> LSTMState:
    hx = torch.cat((h, x), -1)
    n = h.shape[-1]
    gates = defaultdict(Tensor)
    for i, name in enumerate("aoif"):
        gates[name] = F.linear(hx, w[i * n : (i + 1) * n], b[i * n : (i + 1) * n])
    c = gates["f"].sigmoid() * c + gates["i"].sigmoid() * gates["a"].tanh()
    return LSTMState(gates["o"].sigmoid() * c.tanh(), c)


def gru_cell(x: Tensor, h: Tensor, w: Tensor, b: Tensor, w_h: Tensor, b_h: Tensor) -> Tensor:
    zr = F.linear(torch.cat((h, x), -1), w, b).sigmoid()
    z, r = zr.split(h.shape[-1], -1)
    a = F.linear(torch.cat((r * h, x), -1), w_h, b_h).tanh()
    return torch.lerp(a, h, z)


def unroll(
    cell: str,
    x: Tensor,
    mask: Tensor,
    state: tuple[Tensor, ...],
    weights: tuple[Tensor, ...],
) -> Unrolled:
    kind = CellKind(cell)  # ValueError if there is none
    states = [tuple(state)]
    for word, real in zip(x.unbind(1), mask.unbind(1)):
        before = states[-1]
        if kind is CellKind.LSTM:
            after = lstm_cell(word, *before, *weights)
        elif kind is CellKind.GRU:
            after = (gru_cell(word, *before, *weights),)
        else:
            after = (rnn_cell(word, *before, *weights),)
        states.append(tuple(map(partial(torch.where, real[:, None]), after, before)))
    hs = [s[0] for s in states[1:]]
    out = torch.stack(hs, 1) if hs else state[0].new_empty(len(x), 0, state[0].shape[-1])
    return Unrolled(out, states[-1])


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Attended:
    scores = torch.einsum("...td,...sd->...ts", q, k) / np.sqrt(q.shape[-1]).item()
    scores = torch.where(mask, scores, -1e9)
    weights = F.softmax(scores, dim=-1)
    weights = torch.where(mask, weights, torch.zeros((), dtype=weights.dtype))
    return Attended(torch.einsum("...ts,...se->...te", weights, v), weights)


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
    q, k, v = (
        F.linear(x, w, b).unflatten(-1, (heads, -1)).movedim(-2, -3)
        for w, b in zip((w_q, w_k, w_v), biases)
    )
    out = attention(q, k, v, mask[:, None]).out
    return F.linear(out.movedim(-3, -2).flatten(-2), w_o, biases[-1])


def positional_encoding(n: int, d: int) -> Tensor:
    if d % 2:
        raise ValueError(f"d = {d} is odd")
    angle = np.outer(np.arange(n), 10000.0 ** (-np.arange(0, d, 2) / d))
    pe = np.stack((np.sin(angle), np.cos(angle)), axis=-1).reshape(n, d)
    return torch.from_numpy(pe.astype(np.float32))


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-12) -> Tensor:
    var, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
    return (x - mean) * torch.rsqrt(var + eps) * gamma + beta


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    share = mask.to(x.dtype)
    share = share / share.sum(1, keepdim=True).clamp(min=1)
    return torch.einsum("btd,bt->bd", torch.where(mask[..., None], x, 0.0), share)


def mask_tokens(
    ids: Tensor,
    special: Tensor,
    vocab: int,
    mask_id: int,
    generator: torch.Generator | None = None,
    p: float = 0.15,
) -> Hidden:
    # NumPy draws, from a seed that the generator gives
    rng = np.random.default_rng(int(torch.randint(2**31 - 1, (1,), generator=generator)))
    words = np.setdiff1d(np.arange(vocab), special.cpu().numpy())
    old = ids.cpu().numpy()
    chosen = (rng.random(old.shape) < p) & ~np.isin(old, special.cpu().numpy())
    new, labels = old.copy(), np.full_like(old, IGNORED)
    labels[chosen] = old[chosen]
    kind = rng.choice(3, size=old.shape, p=[0.8, 0.1, 0.1])
    new[chosen & (kind == 0)] = mask_id
    if words.size:
        new[chosen & (kind == 1)] = rng.choice(words, size=int((chosen & (kind == 1)).sum()))
    log.info("%d of %d words are masked", chosen.sum(), chosen.size)
    return Hidden(*(torch.from_numpy(a).to(ids.device) for a in (new, labels)))


def mlm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    total = F.cross_entropy(
        logits.flatten(0, -2), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return total / max(1, np.count_nonzero(labels.cpu().numpy() != IGNORED))


def mix_layers(layers: Tensor, s: Tensor, gamma: Tensor | float) -> Tensor:
    return gamma * torch.einsum("l,l...->...", s.softmax(-1), layers)


def learning_rate(step: int, warmup: int, steps: int) -> float:
    rising = np.minimum(1.0, (step + 1) / warmup) if warmup else 1.0
    return float(rising * (1 - step / steps))


if __name__ == "__main__":
    print(positional_encoding(3, 4))
