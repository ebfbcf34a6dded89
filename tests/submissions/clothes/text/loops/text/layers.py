"""Lab 3: every formula written out for one number, as far as the time allows.

Each function has two ways. If there are few numbers it counts through texts, words, heads and units
in plain Python. If there are many, which is so when something is trained, the loops run only over
what is few then: gates, heads, words of a text, layers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

CELLS = ("rnn", "lstm", "gru")
IGNORED = -100

# How many products are made one by one: about a hundredth of a second each way. PyTorch notes down
# every product that a gradient goes through, so there are fewer of them.
FEW = 10_000
FEW_WITH_GRADIENT = 250


def wants_gradient(*tensors):
    if not torch.is_grad_enabled():
        return False
    for tensor in tensors:
        if tensor.requires_grad:
            return True
    return False


def are_few(products, *tensors):
    if wants_gradient(*tensors):
        return products <= FEW_WITH_GRADIENT
    return products <= FEW


def numbers(tensor):
    """A tensor as lists in lists; its numbers are floats, or tensors if they want a gradient."""
    if not wants_gradient(tensor):
        return tensor.tolist()
    if tensor.dim() == 0:
        return tensor
    return [numbers(part) for part in tensor.unbind()]


def flat(lists):
    if not isinstance(lists, list):
        return [lists]
    found = []
    for part in lists:
        found.extend(flat(part))
    return found


def tied(result, *sources):
    """The same numbers, with gradients of 0 for the sources that none of them came from.

    Without it a text of nothing but padding, say, would make backward() fail.
    """
    for source in sources:
        if wants_gradient(source):
            result = result + source.flatten()[:0].sum().to(result.dtype)  # a sum of nothing
    return result


def tensor_of(lists, shape, *sources):
    """Lists of numbers as a tensor again, of the type of the first of their sources."""
    first = sources[0]
    row = flat(lists)
    if not row or not wants_gradient(*sources):
        result = torch.tensor(row, dtype=first.dtype, device=first.device)
    else:
        scalars = []
        for number in row:
            scalars.append(torch.as_tensor(number, dtype=first.dtype, device=first.device))
        result = torch.stack(scalars)
    return tied(result.reshape(shape), *sources)


# The functions of one number


def exp(t):
    return torch.exp(t) if isinstance(t, Tensor) else math.exp(t)


def log(t):
    return torch.log(t) if isinstance(t, Tensor) else math.log(t)


def tanh(t):
    return torch.tanh(t) if isinstance(t, Tensor) else math.tanh(t)


def logistic(t):
    if isinstance(t, Tensor):
        return torch.sigmoid(t)
    if t < 0:
        power = math.exp(t)
        return power / (1 + power)
    return 1 / (1 + math.exp(-t))


def largest_of(scores):
    return max(float(score.detach() if isinstance(score, Tensor) else score) for score in scores)


def weighted(row, vector, start=0):
    """One row of a matrix, from column `start` on, times a vector."""
    total = 0.0
    for j in range(len(vector)):
        total = total + row[start + j] * vector[j]
    return total


def shares(scores):
    """Softmax of a list."""
    largest = largest_of(scores)
    powers = [exp(score - largest) for score in scores]
    total = 0.0
    for power in powers:
        total = total + power
    return [power / total for power in powers]


# Recurrent networks


def rnn_cell(x: Tensor, h: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    if not are_few(len(x) * (u.numel() + w.numel()), x, h, u, w, b):
        return torch.tanh(h.mm(u.t()) + x.mm(w.t()) + b)
    us, ws, bs = numbers(u), numbers(w), numbers(b)
    states = []
    for word, state in zip(numbers(x), numbers(h)):
        new = []
        for unit in range(len(bs)):
            new.append(tanh(weighted(us[unit], state) + weighted(ws[unit], word) + bs[unit]))
        states.append(new)
    return tensor_of(states, h.shape, h, x, u, w, b)


def gate(number, x, h, w, b):
    """Block `number` of W [h; x] + b, for many texts."""
    size = h.shape[1]
    rows = slice(number * size, (number + 1) * size)
    return h.mm(w[rows, :size].t()) + x.mm(w[rows, size:].t()) + b[rows]


def lstm_cell(x: Tensor, h: Tensor, c: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    if not are_few(len(x) * w.numel(), x, h, c, w, b):
        candidate = torch.tanh(gate(0, x, h, w, b))
        opened = []
        for number in (1, 2, 3):
            opened.append(torch.sigmoid(gate(number, x, h, w, b)))
        memory = opened[2] * c + opened[1] * candidate
        return opened[0] * torch.tanh(memory), memory
    size = h.shape[1]
    ws, bs = numbers(w), numbers(b)
    states, memories = [], []
    for word, state, memory in zip(numbers(x), numbers(h), numbers(c)):
        new_state, new_memory = [], []
        for unit in range(size):
            before = []
            for block in range(4):
                row = block * size + unit
                from_state = weighted(ws[row], state)
                from_word = weighted(ws[row], word, start=size)
                before.append(from_state + from_word + bs[row])
            kept = logistic(before[3]) * memory[unit] + logistic(before[2]) * tanh(before[0])
            new_memory.append(kept)
            new_state.append(logistic(before[1]) * tanh(kept))
        states.append(new_state)
        memories.append(new_memory)
    sources = (h, c, x, w, b)
    return tensor_of(states, h.shape, *sources), tensor_of(memories, c.shape, *sources)


def gru_cell(x: Tensor, h: Tensor, w: Tensor, b: Tensor, w_h: Tensor, b_h: Tensor) -> Tensor:
    if not are_few(len(x) * (w.numel() + w_h.numel()), x, h, w, b, w_h, b_h):
        z = torch.sigmoid(gate(0, x, h, w, b))
        r = torch.sigmoid(gate(1, x, h, w, b))
        a = torch.tanh(gate(0, x, r * h, w_h, b_h))
        return z * h + (1 - z) * a
    size = h.shape[1]
    ws, bs, whs, bhs = numbers(w), numbers(b), numbers(w_h), numbers(b_h)
    states = []
    for word, state in zip(numbers(x), numbers(h)):
        opened = []
        for row in range(2 * size):
            total = weighted(ws[row], state) + weighted(ws[row], word, start=size) + bs[row]
            opened.append(logistic(total))
        reset = [opened[size + unit] * state[unit] for unit in range(size)]
        new = []
        for unit in range(size):
            z = opened[unit]
            total = weighted(whs[unit], reset) + weighted(whs[unit], word, start=size) + bhs[unit]
            new.append(z * state[unit] + (1 - z) * tanh(total))
        states.append(new)
    return tensor_of(states, h.shape, h, x, w, b, w_h, b_h)


def one_step(cell, word, state, weights):
    if cell == "rnn":
        return (rnn_cell(word, state[0], *weights),)
    if cell == "lstm":
        return lstm_cell(word, state[0], state[1], *weights)
    if cell == "gru":
        return (gru_cell(word, state[0], *weights),)
    raise ValueError("no such cell: " + str(cell))


def unroll(
    cell: str,
    x: Tensor,
    mask: Tensor,
    state: tuple[Tensor, ...],
    weights: tuple[Tensor, ...],
) -> tuple[Tensor, tuple[Tensor, ...]]:
    if cell not in CELLS:
        raise ValueError("no such cell: " + str(cell))
    texts, words = x.shape[0], x.shape[1]
    width = state[0].shape[1]
    if texts == 0 or words == 0:
        return state[0].new_zeros(texts, words, width), tuple(state)

    products = texts * words * sum(weight.numel() for weight in weights)
    if are_few(products, x, *state, *weights):
        # One text after the other. Padding is not read at all.
        rows, ends = [], []
        for text in range(texts):
            now = tuple(part[text : text + 1] for part in state)
            for t in range(words):
                if mask[text, t]:
                    now = one_step(cell, x[text : text + 1, t], now, weights)
                rows.append(now[0])
            ends.append(now)
        last = []
        for part in range(len(state)):
            last.append(torch.cat([end[part] for end in ends]))
        out = torch.cat(rows).reshape(texts, words, width)
        return tied(out, x, *weights), tuple(tied(part, x, *weights) for part in last)

    # All texts at once, one word after the other.
    now = tuple(state)
    columns = []
    for t in range(words):
        here = mask[:, t].unsqueeze(1)
        new = one_step(cell, x[:, t].masked_fill(~here, 0), now, weights)
        now = tuple(torch.where(here, new[part], now[part]) for part in range(len(now)))
        columns.append(now[0])
    return torch.stack(columns, dim=1), now


# Attention


def attend(queries, keys, values, seen, width):
    """Attention among lists of vectors; `seen` says which query sees which key."""
    outputs, weights = [], []
    for t in range(len(queries)):
        places = [s for s in range(len(keys)) if seen[t][s]]
        row = [0.0] * len(keys)
        output = [0.0] * width
        if places:
            scores = []
            for s in places:
                scores.append(weighted(keys[s], queries[t]) / math.sqrt(len(queries[t])))
            for s, share in zip(places, shares(scores)):
                row[s] = share
                for e in range(width):
                    output[e] = output[e] + share * values[s][e]
        outputs.append(output)
        weights.append(row)
    return outputs, weights


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    n, m, d, e = q.shape[-2], k.shape[-2], q.shape[-1], v.shape[-1]
    lead = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2], mask.shape[:-2])
    count = math.prod(lead)
    mask = mask.expand(*lead, n, m)
    if are_few(count * n * m * (d + e), q, k, v):
        qs = numbers(q.expand(*lead, n, d).reshape(count, n, d))
        ks = numbers(k.expand(*lead, m, d).reshape(count, m, d))
        vs = numbers(v.expand(*lead, m, e).reshape(count, m, e))
        seen = mask.reshape(count, n, m).tolist()
        outputs, weights = [], []
        for i in range(count):
            output, row = attend(qs[i], ks[i], vs[i], seen[i], e)
            outputs.append(output)
            weights.append(row)
        return (
            tensor_of(outputs, (*lead, n, e), q, k, v),
            tensor_of(weights, (*lead, n, m), q, k),
        )
    # What nobody sees may be anything, even no number: 0 times that would be no number either.
    unseen = ~mask.any(dim=-2).unsqueeze(-1)
    k, v = k.masked_fill(unseen, 0), v.masked_fill(unseen, 0)
    scores = (q @ k.transpose(-2, -1) / math.sqrt(d)).masked_fill(~mask, -math.inf)
    with torch.no_grad():
        largest = scores.amax(dim=-1, keepdim=True)
        largest = largest.masked_fill(largest == -math.inf, 0)  # who sees nothing
    powers = torch.exp(scores - largest)
    total = powers.sum(dim=-1, keepdim=True)
    weights = powers / (total + (total == 0))
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
    texts, words, width = x.shape
    size = width // heads
    sources = (x, w_q, w_k, w_v, w_o, *biases)
    if not are_few(texts * words * width * (4 * width + 2 * words), *sources):
        q = x @ w_q.t() + biases[0]
        k = x @ w_k.t() + biases[1]
        v = x @ w_v.t() + biases[2]
        outputs = []
        for first in range(0, width, size):
            mine = slice(first, first + size)
            outputs.append(attention(q[..., mine], k[..., mine], v[..., mine], mask)[0])
        return torch.cat(outputs, dim=-1) @ w_o.t() + biases[3]

    matrices = [numbers(matrix) for matrix in (w_q, w_k, w_v, w_o)]
    vectors = [numbers(vector) for vector in biases]
    seen = mask.expand(texts, words, words).tolist()
    results = []
    for text, its_words in enumerate(numbers(x)):
        joined = [[] for _ in range(words)]
        for head in range(heads):
            made = []  # the head's queries, keys and values
            for which in range(3):
                made.append([])
                for word in its_words:
                    vector = []
                    for row in range(head * size, (head + 1) * size):
                        vector.append(weighted(matrices[which][row], word) + vectors[which][row])
                    made[which].append(vector)
            outputs, _ = attend(*made, seen[text], size)
            for t in range(words):
                joined[t].extend(outputs[t])
        for vector in joined:
            result = []
            for row in range(width):
                result.append(weighted(matrices[3][row], vector) + vectors[3][row])
            results.append(result)
    return tensor_of(results, x.shape, *sources)


# Positions, norm, mean


def positional_encoding(n: int, d: int) -> Tensor:
    if d % 2:
        raise ValueError("there is a cosine for each sine, so d must be even: " + str(d))
    pe = []
    for t in range(n):
        for i in range(0, d, 2):
            angle = t / 10000 ** (i / d)
            pe += [math.sin(angle), math.cos(angle)]
    return torch.tensor(pe, dtype=torch.float32).reshape(n, d)


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-12) -> Tensor:
    d = x.shape[-1]
    if not are_few(3 * x.numel(), x, gamma, beta):
        away = x - x.sum(dim=-1, keepdim=True) / d
        variance = away.square().sum(dim=-1, keepdim=True) / d
        return away / torch.sqrt(variance + eps) * gamma + beta
    gains, shifts = numbers(gamma), numbers(beta)
    results = []
    for vector in numbers(x.reshape(-1, d)):
        mean = 0.0
        for number in vector:
            mean = mean + number / d
        variance = 0.0
        for number in vector:
            variance = variance + (number - mean) * (number - mean) / d
        for i in range(d):
            results.append(gains[i] * (vector[i] - mean) / (variance + eps) ** 0.5 + shifts[i])
    return tensor_of(results, x.shape, x, gamma, beta)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    texts, words, d = x.shape
    if are_few(x.numel(), x):
        means = []
        for vectors, real in zip(numbers(x), mask.tolist()):
            total, count = [0.0] * d, 0
            for t in range(words):
                if real[t]:
                    count += 1
                    for i in range(d):
                        total[i] = total[i] + vectors[t][i]
            means.append([number / max(count, 1) for number in total])
        return tensor_of(means, (texts, d), x)
    total = x.new_zeros(texts, d)
    count = x.new_zeros(texts, 1)
    for t in range(words):
        here = mask[:, t].unsqueeze(1)
        total = total + x[:, t].masked_fill(~here, 0)
        count = count + here
    return total / count.clamp(min=1)


# Masked words, ELMo's mixture, the learning rate


def dice(generator):
    """Numbers from 0 to 1, one after the other, for ever."""
    device = "cpu" if generator is None else generator.device
    while True:
        yield from torch.rand(
            256, generator=generator, device=device, dtype=torch.float64
        ).tolist()


def mask_tokens(
    ids: Tensor,
    special: Tensor,
    vocab: int,
    mask_id: int,
    generator: torch.Generator | None = None,
    p: float = 0.15,
) -> tuple[Tensor, Tensor]:
    marks = set(special.tolist())
    ordinary = []
    for word in range(vocab):
        if word not in marks:
            ordinary.append(word)
    die = dice(generator)
    inputs, labels = [], []
    for word in ids.flatten().tolist():
        if word in marks or next(die) >= p:
            inputs.append(word)
            labels.append(IGNORED)
            continue
        labels.append(word)
        fate = next(die)
        if fate < 0.8:
            inputs.append(mask_id)
        elif fate < 0.9:
            inputs.append(ordinary[int(next(die) * len(ordinary))])
        else:
            inputs.append(word)
    return (
        torch.tensor(inputs, dtype=torch.int64, device=ids.device).reshape(ids.shape),
        torch.tensor(labels, dtype=torch.int64, device=ids.device).reshape(ids.shape),
    )


def mlm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    losses = []
    for text, row in enumerate(labels.tolist()):
        for t, word in enumerate(row):
            if word == IGNORED:
                continue
            scores = logits[text, t]
            if are_few(scores.numel(), scores):
                scores = numbers(scores)
                largest = largest_of(scores)
                powers = 0.0
                for score in scores:
                    powers = powers + exp(score - largest)
                losses.append(largest + log(powers) - scores[word])
            else:
                losses.append(torch.logsumexp(scores, dim=0) - scores[word])
    total = 0.0
    for loss in losses:
        total = total + loss / len(losses)
    return tensor_of(total, (), logits)


def mix_layers(layers: Tensor, s: Tensor, gamma: Tensor | float) -> Tensor:
    mixture = torch.zeros_like(layers[0])
    for layer, share in zip(layers, shares(numbers(s))):
        mixture = mixture + share * layer
    return gamma * mixture


def learning_rate(step: int, warmup: int, steps: int) -> float:
    rate = 1 - step / steps
    if step + 1 < warmup:
        rate = rate * (step + 1) / warmup
    return rate
