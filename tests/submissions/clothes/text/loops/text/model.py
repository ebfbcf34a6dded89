"""Classifiers of texts, a pretrained encoder, and how they are trained."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import (
    CELLS,
    layer_norm,
    learning_rate,
    masked_mean,
    multi_head_attention,
    positional_encoding,
    unroll,
)

# A pretrained encoder: tensors by their published names, beside "heads" (int) and "eps" (float).
Pretrained = Mapping[str, Tensor | int | float]

START = 0.02  # standard deviation of a Transformer's weights before training
WEIGHT_ROWS = {"rnn": 1, "lstm": 4, "gru": 2}  # blocks of H rows in a cell's first matrix


@dataclass(frozen=True)
class RNNOptions:
    dim: int = 64
    hidden: int = 64
    cell: str = "gru"
    bidirectional: bool = False
    dropout: float = 0.1


@dataclass(frozen=True)
class TransformerOptions:
    dim: int = 64
    layers: int = 2
    heads: int = 4
    ff: int = 128
    dropout: float = 0.1
    positions: bool = True


@dataclass(frozen=True)
class Recipe:
    steps: int = 120
    batch: int = 32
    rate: float = 2e-3
    head_rate: float = 2e-3
    decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0


class Cell(nn.Module):
    def __init__(self, kind: str, dim: int, hidden: int) -> None:
        super().__init__()
        rows = WEIGHT_ROWS[kind] * hidden
        shapes: dict[str, tuple[int, ...]]
        if kind == "rnn":
            shapes = {"u": (hidden, hidden), "w": (hidden, dim), "b": (hidden,)}
        else:
            shapes = {"w": (rows, hidden + dim), "b": (rows,)}
        if kind == "gru":
            shapes |= {"w_h": (hidden, hidden + dim), "b_h": (hidden,)}
        self.kind, self.hidden = kind, hidden
        for name, shape in shapes.items():
            weight = torch.empty(shape).uniform_(-(hidden**-0.5), hidden**-0.5)
            self.register_parameter(name, nn.Parameter(weight))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        empty = x.new_zeros(len(x), self.hidden)
        state = (empty, empty) if self.kind == "lstm" else (empty,)
        return unroll(self.kind, x, mask, state, tuple(self.parameters()))[0]


def turned_round(x):
    """The last word first. Padding comes first then, and the state stays 0 over it."""
    columns = []
    for t in range(x.shape[1] - 1, -1, -1):
        columns.append(x[:, t])
    return torch.stack(columns, dim=1)


class RNNClassifier(nn.Module):
    def __init__(self, vocab: int, classes: int, **options: float | str | bool) -> None:
        super().__init__()
        self.options = chosen = RNNOptions(**options)
        if chosen.cell not in CELLS:
            raise ValueError(f"no cell {chosen.cell!r}; choose one of {', '.join(CELLS)}")
        self.words = nn.Embedding(vocab, chosen.dim)
        self.forwards = Cell(chosen.cell, chosen.dim, chosen.hidden)
        if chosen.bidirectional:
            self.backwards = Cell(chosen.cell, chosen.dim, chosen.hidden)
        self.head = nn.Linear((1 + chosen.bidirectional) * chosen.hidden, classes)
        self.dropout = nn.Dropout(chosen.dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        x = self.dropout(self.words(ids))
        means = [masked_mean(self.forwards(x, mask), mask)]
        if self.options.bidirectional:
            # the order of the words does not matter to their mean
            mask_back = turned_round(mask)
            means.append(masked_mean(self.backwards(turned_round(x), mask_back), mask_back))
        return self.head(self.dropout(torch.cat(means, dim=1)))


class Norm(nn.Module):
    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.weight, self.bias, self.eps)


def linear(fan_in: int, fan_out: int) -> nn.Linear:
    layer = nn.Linear(fan_in, fan_out)
    nn.init.normal_(layer.weight, std=START)
    nn.init.zeros_(layer.bias)
    return layer


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, ff: int, eps: float, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key = linear(width, width), linear(width, width)
        self.value, self.output = linear(width, width), linear(width, width)
        self.norm1 = Norm(width, eps)
        self.widen, self.narrow = linear(width, ff), linear(ff, width)
        self.norm2 = Norm(width, eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        weights, biases = [], []
        for part in (self.query, self.key, self.value, self.output):
            weights.append(part.weight)
            biases.append(part.bias)
        # each word sees the words of its text: one row of the mask for all queries
        attended = multi_head_attention(h, *weights, tuple(biases), self.heads, mask[:, None, :])
        h = self.norm1(h + self.dropout(attended))
        inside = self.widen(h)
        inside = functional.gelu(inside)
        return self.norm2(h + self.dropout(self.narrow(inside)))


class TransformerClassifier(nn.Module):
    def __init__(self, vocab: int, classes: int, **options: float | bool) -> None:
        super().__init__()
        self.options = chosen = TransformerOptions(**options)
        self.words = nn.Embedding(vocab, chosen.dim)
        self.norm = Norm(chosen.dim, 1e-12)
        self.layers = nn.ModuleList(
            Layer(chosen.dim, chosen.heads, chosen.ff, 1e-12, chosen.dropout)
            for _ in range(chosen.layers)
        )
        self.head = linear(chosen.dim, classes)
        self.dropout = nn.Dropout(chosen.dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        words = self.words(ids)
        if self.options.positions:
            pe = positional_encoding(words.shape[1], words.shape[2]).to(words)
            words = torch.stack([words[:, t] + pe[t] for t in range(len(pe))], dim=1)
        h = self.dropout(self.norm(words))
        for number in range(len(self.layers)):
            h = self.layers[number](h, mask)
        return self.head(self.dropout(masked_mean(h, mask)))


# ---------------------------------------------------------------- a pretrained encoder

# Where the published tensors go: "encoder.layer.2.attention.self.key.weight" is our
# "layers.2.key.weight". Each has the shape of ours.
NAMES = {
    r"embeddings\.word_embeddings": "words",
    r"embeddings\.position_embeddings": "places",
    r"embeddings\.token_type_embeddings": "kinds",
    r"embeddings\.LayerNorm": "norm",
    r"encoder\.layer\.(\d+)\.attention\.self\.(query|key|value)": r"layers.\1.\2",
    r"encoder\.layer\.(\d+)\.attention\.output\.dense": r"layers.\1.output",
    r"encoder\.layer\.(\d+)\.attention\.output\.LayerNorm": r"layers.\1.norm1",
    r"encoder\.layer\.(\d+)\.intermediate\.dense": r"layers.\1.widen",
    r"encoder\.layer\.(\d+)\.output\.dense": r"layers.\1.narrow",
    r"encoder\.layer\.(\d+)\.output\.LayerNorm": r"layers.\1.norm2",
}


def our_name(published: str) -> str:
    """Return the name in `Encoder` of a published tensor (given)."""
    stem, _, part = published.rpartition(".")
    for pattern, ours in NAMES.items():
        found = re.fullmatch(pattern, stem)
        if found:
            return f"{found.expand(ours)}.{part}"
    raise ValueError(f"an encoder has no tensor {published!r}")


class Encoder(nn.Module):
    def __init__(self, pretrained: Pretrained, layers: int, dropout: float = 0.1) -> None:
        super().__init__()
        names = ("word", "position", "token_type")
        sizes = [tuple(pretrained[f"embeddings.{name}_embeddings.weight"].shape) for name in names]
        width, eps = sizes[0][1], float(pretrained["eps"])
        ff = len(pretrained["encoder.layer.0.intermediate.dense.weight"])
        self.words, self.places, self.kinds = (nn.Embedding(*size) for size in sizes)
        for table in (self.words, self.places, self.kinds):
            nn.init.normal_(table.weight, std=START)
        self.norm = Norm(width, eps)
        self.layers = nn.ModuleList(
            Layer(width, int(pretrained["heads"]), ff, eps, dropout) for _ in range(layers)
        )
        self.dropout = nn.Dropout(dropout)

    @classmethod
    def load(
        cls, pretrained: Pretrained, layers: int | None = None, dropout: float = 0.1
    ) -> Encoder:
        # [published tensors of the encoder's beginning, of layer 0, of layer 1, ...]
        parts = [[]]
        for published in pretrained:
            if published in ("heads", "eps"):
                continue
            place = 0
            if published.startswith("encoder.layer."):
                place = 1 + int(published.split(".")[2])
            while len(parts) <= place:
                parts.append([])
            parts[place].append(published)
        there = len(parts) - 1
        if layers is None:
            layers = there
        if not 1 <= layers <= there:
            raise ValueError("the encoder has 1 to %d layers, not %s" % (there, layers))
        encoder = cls(pretrained, layers, dropout)
        with torch.no_grad():
            for part in parts[: 1 + layers]:
                for published in part:
                    encoder.get_parameter(our_name(published)).copy_(pretrained[published])
        return encoder

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        words = self.words(ids)
        sums = []
        for t in range(ids.shape[1]):
            sums.append(words[:, t] + self.places.weight[t] + self.kinds.weight[0])
        h = self.dropout(self.norm(torch.stack(sums, dim=1)))
        for number in range(len(self.layers)):
            h = self.layers[number](h, mask)
        return h


class FineTuned(nn.Module):
    def __init__(self, encoder: Encoder, classes: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = linear(encoder.words.embedding_dim, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        mean = masked_mean(self.encoder(ids, mask), mask)
        return self.head(self.dropout(mean))


# ---------------------------------------------------------------- training


def batches(count, size, seed):
    """Lists of places, for ever: all `count` places, shuffled, then all of them again."""
    shuffler = random.Random(seed)
    while True:
        order = list(range(count))
        shuffler.shuffle(order)
        for first in range(0, count, size):
            yield order[first : first + size]


def without_empty_columns(ids, mask):
    """Leave the columns out in which all of these texts have padding only."""
    width = mask.shape[1]
    while width > 1 and not mask[:, width - 1].any():
        width -= 1
    return ids[:, :width], mask[:, :width]


class AdamW:
    """One parameter: AdamW's two means for it, and its steps."""

    def __init__(self, parameter, rate, decay):
        self.parameter, self.rate, self.decay = parameter, rate, decay
        self.first = torch.zeros_like(parameter)
        self.second = torch.zeros_like(parameter)
        self.steps = 0

    def step(self, factor, shrink):
        gradient = self.parameter.grad
        if gradient is None:
            return
        if shrink < 1:
            gradient = gradient * shrink
        rate = factor * self.rate
        self.steps += 1
        self.first.mul_(0.9).add_(gradient, alpha=0.1)
        self.second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        mean_first = self.first / (1 - 0.9**self.steps)
        mean_second = self.second / (1 - 0.999**self.steps)
        self.parameter.mul_(1 - rate * self.decay)
        self.parameter.addcdiv_(mean_first, mean_second.sqrt_().add_(1e-8), value=-rate)


def train(
    model: nn.Module, ids: Tensor, mask: Tensor, y: Tensor, seed: int, **recipe: float
) -> nn.Module:
    how = Recipe(**recipe)
    torch.manual_seed(seed)
    optimisers = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = how.head_rate if name.startswith("head.") else how.rate
            decay = how.decay if parameter.dim() > 1 else 0.0
            optimisers.append(AdamW(parameter, rate, decay))
    warmup = int(how.warmup * how.steps)
    model.train()
    coming = batches(len(ids), how.batch, seed)
    for t in range(how.steps):
        places = next(coming)
        logits = model(*without_empty_columns(ids[places], mask[places]))
        loss = functional.cross_entropy(logits, y[places])
        model.zero_grad()
        loss.backward()
        length = 0.0
        for one in optimisers:
            if one.parameter.grad is not None:
                length += float(one.parameter.grad.square().sum())
        length = length**0.5
        shrink = how.clip / length if length > how.clip else 1.0
        with torch.no_grad():
            for one in optimisers:
                one.step(learning_rate(t, warmup, how.steps), shrink)
    model.zero_grad()
    model.eval()
    return model


def from_scratch(
    method: str,
    vocab: int,
    ids: Tensor,
    mask: Tensor,
    y: Tensor,
    classes: int,
    seed: int,
    **recipe: float,
) -> nn.Module:
    """Make a classifier with its default options and train it (given)."""
    make = {"rnn": RNNClassifier, "transformer": TransformerClassifier}
    if method not in make:
        raise ValueError(f"no method {method!r}; choose one of {', '.join(make)}")
    torch.manual_seed(seed)
    return train(make[method](vocab, classes).to(ids.device), ids, mask, y, seed, **recipe)


def finetune(
    pretrained: Pretrained,
    ids: Tensor,
    mask: Tensor,
    y: Tensor,
    classes: int,
    seed: int,
    *,
    freeze: int = 0,
    dropout: float = 0.1,
    steps: int | None = None,
    batch: int = 16,
    rate: float = 1e-4,
    head_rate: float = 2e-3,
    **recipe: float,
) -> FineTuned:
    torch.manual_seed(seed)
    encoder = Encoder.load(pretrained, dropout=dropout)
    for parameter in encoder.parameters():
        parameter.requires_grad_(False)
    for number in range(freeze, len(encoder.layers)):
        for parameter in encoder.layers[number].parameters():
            parameter.requires_grad_(True)
    model = FineTuned(encoder, classes, dropout).to(ids.device)
    if steps is None:
        steps = 40
        for many in (100, 300, 700):  # a little longer if there are more texts
            if len(ids) > many:
                steps += 8
    return train(
        model,
        ids,
        mask,
        y,
        seed,
        steps=steps,
        batch=batch,
        rate=rate,
        head_rate=head_rate,
        **recipe,
    )


def best(
    pretrained: Pretrained,
    ids: Tensor,
    mask: Tensor,
    y: Tensor,
    classes: int,
    seed: int,
    unlabelled_ids: Tensor,
    unlabelled_mask: Tensor,
) -> FineTuned:
    # The labels are enough: the same as before, twice as long, and a head that is not so fast.
    return finetune(
        pretrained, ids, mask, y, classes, seed, steps=75, rate=8e-5, head_rate=1e-3, decay=0.05
    )
