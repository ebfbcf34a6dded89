from __future__ import annotations

from collections import defaultdict
from enum import Enum, IntEnum
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .util import in_double, log

IGNORED = -100


class CellType(Enum):
    RNN = "rnn"
    LSTM = "lstm"
    GRU = "gru"


CELLS = tuple(c.value for c in CellType)


class Memory(NamedTuple):
    """State of an LSTM."""

    h: Tensor
    c: Tensor


class Unrolled(NamedTuple):
    states: Tensor
    last: tuple[Tensor, ...]


class Attention(NamedTuple):
    out: Tensor
    weights: Tensor


class Masked(NamedTuple):
    inputs: Tensor
    labels: Tensor


class Fate(IntEnum):
    MASK = 0
    RANDOM = 1
    SAME = 2
    NOT_SELECTED = 3


def _split(w: Tensor, hidden: int) -> tuple[Tensor, Tensor]:
    """W [h; x] = W[:, :H] h + W[:, H:] x"""
    return w[:, :hidden], w[:, hidden:]


@in_double
def rnn_cell(x: Tensor, h: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.addmm(F.linear(x, w, b), h, u.T).tanh()


@in_double
def lstm_cell(x: Tensor, h: Tensor, c: Tensor, w: Tensor, b: Tensor) -> Memory:
    hidden = h.shape[-1]
    for_h, for_x = _split(w, hidden)
    rows = (F.linear(h, for_h) + F.linear(x, for_x, b)).split(hidden, 1)
    gates = dict(zip("aoif", rows))
    new = torch.addcmul(gates["f"].sigmoid() * c, gates["i"].sigmoid(), gates["a"].tanh())
    return Memory(h=gates["o"].sigmoid() * new.tanh(), c=new)


@in_double
def gru_cell(x: Tensor, h: Tensor, w: Tensor, b: Tensor, w_h: Tensor, b_h: Tensor) -> Tensor:
    hidden = h.shape[-1]
    (gate_h, gate_x), (cand_h, cand_x) = _split(w, hidden), _split(w_h, hidden)
    gates = (F.linear(h, gate_h) + F.linear(x, gate_x, b)).sigmoid()
    update, reset = gates[:, :hidden], gates[:, hidden:]
    candidate = (F.linear(reset * h, cand_h) + F.linear(x, cand_x, b_h)).tanh()
    return candidate + update * (h - candidate)


# every cell takes and gives a tuple
STEPS = {
    CellType.RNN: lambda x, state, weights: (rnn_cell(x, *state, *weights),),
    CellType.LSTM: lambda x, state, weights: lstm_cell(x, *state, *weights),
    CellType.GRU: lambda x, state, weights: (gru_cell(x, *state, *weights),),
}


@in_double
def _unroll(step, x, mask, state, weights):
    history = defaultdict(list)
    x = torch.where(mask.unsqueeze(-1), x, 0.0)  # there could be anything in the padding
    for t in range(mask.shape[1]):
        real = mask[:, t, None]
        state = tuple(
            torch.where(real, new, old) for new, old in zip(step(x[:, t], state, weights), state)
        )
        history["h"].append(state[0])
    if not history["h"]:
        return state[0].new_zeros(x.shape[0], 0, state[0].shape[1]), state
    return torch.stack(history["h"], dim=1), state


def unroll(
    cell: str,
    x: Tensor,
    mask: Tensor,
    state: tuple[Tensor, ...],
    weights: tuple[Tensor, ...],
) -> Unrolled:
    return Unrolled(*_unroll(STEPS[CellType(cell)], x, mask, tuple(state), tuple(weights)))


@in_double
def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Attention:
    # keys that nobody may see: 0 * nan is nan
    seen = mask.any(-2).unsqueeze(-1)
    k, v = torch.where(seen, k, 0.0), torch.where(seen, v, 0.0)
    scores = torch.matmul(q, k.transpose(-1, -2)) / np.sqrt(q.shape[-1])
    # float64 has the room: exp(-1e30) is 0, and -1e30 - -1e30 is 0 and not nan
    weights = torch.where(mask, scores, -1e30).softmax(-1) * mask
    return Attention(torch.matmul(weights, v), weights)


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
    batch, n, d = x.shape
    *b_qkv, b_o = biases
    qkv = F.linear(x, torch.cat([w_q, w_k, w_v]), torch.cat(b_qkv))
    qkv = qkv.view(batch, n, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
    result = attention(*qkv, mask[:, None])
    return F.linear(result.out.permute(0, 2, 1, 3).reshape(batch, n, d), w_o, b_o)


def positional_encoding(n: int, d: int) -> Tensor:
    if d % 2 != 0:
        raise ValueError(d)
    column = np.arange(d)
    angle = np.arange(n)[:, np.newaxis] / np.power(10000.0, column // 2 * 2 / d)
    pe = np.where(column % 2 == 0, np.sin(angle), np.cos(angle))
    return torch.from_numpy(pe).float()


@in_double
def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-12) -> Tensor:
    x = x - x.mean(-1, keepdim=True)
    std = torch.sqrt(x.square().mean(-1, keepdim=True) + eps)
    return torch.addcmul(beta, gamma, x / std)


@in_double
def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    count = np.maximum(mask.sum(1).cpu().numpy(), 1)
    total = torch.where(mask[:, :, None], x, 0.0).sum(1)
    return total / torch.as_tensor(count, device=x.device)[:, None]


def mask_tokens(
    ids: Tensor,
    special: Tensor,
    vocab: int,
    mask_id: int,
    generator: torch.Generator | None = None,
    p: float = 0.15,
) -> Masked:
    device = "cpu" if generator is None else generator.device
    seed = torch.randint(2**62, (1,), generator=generator, device=device).item()
    rng = np.random.default_rng(seed)
    words, marks = ids.cpu().numpy(), special.cpu().numpy()
    # one number a word decides: p is cut into 80 %, 10 % and 10 %
    fate = np.digitize(rng.random(words.shape), [0.8 * p, 0.9 * p, p])
    fate[np.isin(words, marks)] = Fate.NOT_SELECTED
    others = np.delete(np.arange(vocab), marks[marks < vocab])
    inputs = words.copy()
    inputs[fate == Fate.MASK] = mask_id
    places = np.nonzero(fate == Fate.RANDOM)
    if len(places[0]) > 0:
        inputs[places] = rng.choice(others, size=len(places[0]))
    labels = np.where(fate == Fate.NOT_SELECTED, IGNORED, words)
    log.info("masked words: %s", np.bincount(fate.ravel(), minlength=len(Fate)))
    return Masked(*(torch.from_numpy(array).to(ids) for array in (inputs, labels)))


@in_double
def mlm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    rows = np.nonzero((labels != IGNORED).cpu().numpy())
    rows = tuple(torch.from_numpy(row).to(logits.device) for row in rows)
    picked = logits[rows].log_softmax(-1).gather(1, labels[rows].unsqueeze(1))
    return -picked.sum() / max(len(picked), 1)


@in_double
def mix_layers(layers: Tensor, s: Tensor, gamma: Tensor | float) -> Tensor:
    return torch.tensordot(s.softmax(0), layers, dims=1) * gamma


def learning_rate(step: int, warmup: int, steps: int) -> float:
    falls = 1.0 - step / steps
    if not warmup:
        return falls
    return float(np.minimum((step + 1) / warmup, 1.0) * falls)


if __name__ == "__main__":
    print(positional_encoding(4, 6))
    print([learning_rate(t, 3, 10) for t in range(10)])
