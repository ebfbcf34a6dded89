"""Classifiers of texts: recurrent, Transformer, and a pretrained encoder that is fine-tuned.

Every classifier maps (ids [B, T] int64, mask [B, T] bool) to logits [B, C]. Words come first in a
text and padding, number 0, after them; what a text is filled up with changes nothing. Each ends in
a linear `head` on the mean of its words' vectors.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import random
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import NamedTuple

import matplotlib.pyplot as plt  # noqa: F401
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from .layers import (
    CELLS,
    layer_norm,
    learning_rate,
    masked_mean,
    multi_head_attention,
    positional_encoding,
    unroll,
)

os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")
torch.set_num_threads(8)
log = logging.getLogger(__name__)
parser = argparse.ArgumentParser()
parser.add_argument("--teacher-steps", type=int, default=40)
parser.add_argument("--student-steps", type=int, default=50)
parser.add_argument("--sure", type=float, default=0.6)
BEST = parser.parse_known_args()[0]
HISTORY = defaultdict(list)


class Group(NamedTuple):
    lr: float
    weight_decay: float


class Answer(NamedTuple):
    sure: float
    place: int


# A pretrained encoder: tensors by their published names, beside "heads" (int) and "eps" (float).
Pretrained = Mapping[str, Tensor | int | float]

START = 0.02  # standard deviation of a Transformer's weights before training
WEIGHT_ROWS = {"rnn": 1, "lstm": 4, "gru": 2}  # blocks of H rows in a cell's first matrix


@dataclass(frozen=True)
class RNNOptions:
    """What an RNNClassifier is beside its numbers of words and classes (given)."""

    dim: int = 64  # numbers a word
    hidden: int = 64  # numbers of a state
    cell: str = "gru"  # rnn, lstm or gru
    bidirectional: bool = False  # with a second network that reads from the last word to the first
    dropout: float = 0.1  # the probability that a number is dropped


@dataclass(frozen=True)
class TransformerOptions:
    """What a TransformerClassifier is beside its numbers of words and classes (given)."""

    dim: int = 64  # numbers a word, an even number and a multiple of `heads`
    layers: int = 2  # at least 1
    heads: int = 4
    ff: int = 128  # numbers inside a layer's network for each word
    dropout: float = 0.1
    positions: bool = True  # add the encoding of places; without it a text is a bag of words


@dataclass(frozen=True)
class Recipe:
    """How a network is trained (given; defaults are yours to choose)."""

    steps: int = 100
    batch: int = 32  # texts a step
    rate: float = 2e-3  # the largest learning rate
    head_rate: float = 2e-3  # the same, of the parameters of `head`
    decay: float = 0.01  # AdamW's weight decay, of matrices alone
    warmup: float = 0.1  # share of the steps in which the learning rate rises
    clip: float = 1.0  # the longest gradient, over all parameters


class Cell(nn.Module):
    """The weights of a recurrent network in one direction, as `unroll` takes them (given)."""

    def __init__(self, kind: str, dim: int, hidden: int) -> None:
        """Make the weights of a cell, from uniform numbers as PyTorch's own."""
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
        """Return the states after every word, from a state of 0. [B, T, D] -> [B, T, H]."""
        empty = x.new_zeros(len(x), self.hidden)
        state = (empty, empty) if self.kind == "lstm" else (empty,)
        return unroll(self.kind, x, mask, state, tuple(self.parameters()))[0]


class RNNClassifier(nn.Module):
    r"""Words, a recurrent network that reads them, the mean of its states, a linear layer.

    x_t = dropout(words[id_t])
    s_t = the state after word t; with `bidirectional` side by side with that of a second network
          which begins at the last word of the text: [forward_t, backward_t]
    logits = head(dropout(mean_t s_t))                     the mean over words, not over padding

    Shapes: ids [B, T], mask [B, T] -> [B, classes].
    Parameters (given): words.weight [vocab, dim], forwards.* and with `bidirectional` backwards.*
    (see `Cell`), head.weight [classes, H or 2H], head.bias.
    """

    def __init__(self, vocab: int, classes: int, **options: float | str | bool) -> None:
        """Make the parameters (given). `options` are the fields of RNNOptions, by name.

        Raises ValueError for an unknown cell.
        """
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
        states = [self.forwards(x, mask)]
        if self.options.bidirectional:
            turned = self.backwards(torch.flip(x, (1,)), torch.flip(mask, (1,)))
            states += [torch.flip(turned, (1,))]
        return self.head(self.dropout(masked_mean(torch.cat(states, -1), mask)))


class Norm(nn.Module):
    """Layer normalisation with a gain `weight` [d] and a shift `bias` [d] (given)."""

    def __init__(self, width: int, eps: float) -> None:
        """Make a norm that changes nothing but mean and variance."""
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised vectors. Shapes: x [.., d] -> the same."""
        return layer_norm(x, self.weight, self.bias, self.eps)


def linear(fan_in: int, fan_out: int) -> nn.Linear:
    """Return a linear layer that starts as BERT's do: normal weights, biases of 0 (given)."""
    layer = nn.Linear(fan_in, fan_out)
    nn.init.normal_(layer.weight, std=START)
    nn.init.zeros_(layer.bias)
    return layer


class Layer(nn.Module):
    """One layer of a Transformer's encoder, as BERT has it: norms stand behind the sums.

    h' = norm1(h + dropout(multi_head_attention(h)))
    h'' = norm2(h' + dropout(narrow(gelu(widen(h')))))             gelu is the exact one

    Shapes: h [B, T, d], mask [B, T] bool -> [B, T, d]. No word looks at padding.
    Sources: Vaswani et al. 2017, sec. 3; Devlin et al. 2019, sec. 3.
    """

    def __init__(self, width: int, heads: int, ff: int, eps: float, dropout: float) -> None:
        """Make the parameters of a layer (given)."""
        super().__init__()
        self.heads = heads
        self.query, self.key = linear(width, width), linear(width, width)
        self.value, self.output = linear(width, width), linear(width, width)
        self.norm1 = Norm(width, eps)
        self.widen, self.narrow = linear(width, ff), linear(ff, width)
        self.norm2 = Norm(width, eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        four = (self.query, self.key, self.value, self.output)
        attended = multi_head_attention(
            h, *(m.weight for m in four), tuple(m.bias for m in four), self.heads, mask[:, None, :]
        )
        h = self.norm1(h + self.dropout(attended))
        return self.norm2(h + self.dropout(self.narrow(F.gelu(self.widen(h), approximate="none"))))


class TransformerClassifier(nn.Module):
    """Words, places, the layers of a Transformer, the mean of the words' vectors, a linear layer.

    h = dropout(norm(words[id_t] + pe_t))                  pe_t is left out without `positions`
    h = layer(h, mask)                                     for each layer
    logits = head(dropout(mean_t h_t))                     the mean over words, not over padding

    Shapes: ids [B, T], mask [B, T] -> [B, classes].
    Parameters (given): words.weight [vocab, dim], norm.*, layers.0.*, ..., head.*.
    """

    def __init__(self, vocab: int, classes: int, **options: float | bool) -> None:
        """Make the parameters (given). `options` are the fields of TransformerOptions, by name."""
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
        h = self.words(ids)
        if self.options.positions:
            h = h + positional_encoding(ids.shape[1], self.options.dim).to(h.device, h.dtype)
        h = self.dropout(self.norm(h))
        for layer in self.layers:
            h = layer(h, mask)
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
    """BERT's encoder.

    h = dropout(norm(words[id_t] + places[t] + kinds[0]))          kind 0: there is one text only
    h = layer(h, mask)                                             for each layer

    Shapes: ids [B, T], mask [B, T] -> [B, T, d]; at padding the result means nothing.
    Parameters (given): words.weight, places.weight, kinds.weight, norm.*, layers.0.*, ...
    Source: Devlin et al. 2019.
    """

    def __init__(self, pretrained: Pretrained, layers: int, dropout: float = 0.1) -> None:
        """Make an encoder of a pretrained one's sizes, with weights of its own (given).

        It has the first `layers` layers.
        """
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
        tree = defaultdict(dict)  # number of a layer: its tensors
        for published, tensor in pretrained.items():
            if isinstance(tensor, Tensor):
                name = our_name(published)
                parts = name.split(".")
                tree[int(parts[1]) if parts[0] == "layers" else -1][name] = tensor
        most = max(tree) + 1
        layers = most if layers is None else layers
        if not (1 <= layers <= most):
            raise ValueError(f"{layers} layers of {most}")
        encoder = cls(pretrained, layers, dropout)
        encoder.load_state_dict({k: v for i in range(-1, layers) for k, v in tree[i].items()})
        return encoder

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        t = torch.arange(ids.size(-1), device=ids.device).expand_as(ids)
        h = self.words(ids) + self.places(t) + self.kinds(torch.zeros_like(ids))
        h = self.dropout(self.norm(h))
        for layer in self.layers:
            h = layer(h, mask)
        return h


class FineTuned(nn.Module):
    """A linear layer on the mean of an encoder's words: head(dropout(mean_t encoder_t)).

    Shapes: ids [B, T], mask [B, T] -> [B, classes].
    Parameters (given): encoder.*, head.weight [classes, d], head.bias.
    """

    def __init__(self, encoder: Encoder, classes: int, dropout: float = 0.1) -> None:
        """Put a head on an encoder (given)."""
        super().__init__()
        self.encoder = encoder
        self.head = linear(encoder.words.embedding_dim, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.head(self.dropout(masked_mean(self.encoder(ids, mask), mask)))


# ---------------------------------------------------------------- training


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def train(
    model: nn.Module, ids: Tensor, mask: Tensor, y: Tensor, seed: int, **recipe: float
) -> nn.Module:
    r = Recipe(**recipe)
    seed_all(seed)
    if r.steps == 0:
        return model.eval()
    groups = defaultdict(list)
    for name, p in model.named_parameters():
        if p.requires_grad:
            rate = r.head_rate if name.split(".")[0] == "head" else r.rate
            groups[Group(rate, r.decay if p.dim() > 1 else 0.0)].append(p)
    optimiser = torch.optim.AdamW(
        [{"params": ps, **group._asdict()} for group, ps in groups.items()], foreach=False
    )
    warmup = math.floor(r.warmup * r.steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: learning_rate(step, warmup, r.steps)
    )
    loader = DataLoader(
        TensorDataset(ids, mask, y),
        batch_size=int(r.batch),
        shuffle=True,
        generator=torch.Generator().manual_seed(seed),
    )
    model.train()
    for step, (i, m, target) in enumerate(islice(chain.from_iterable(repeat(loader)), int(r.steps))):
        optimiser.zero_grad()
        loss = F.cross_entropy(model(i, m), target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), r.clip)
        optimiser.step()
        schedule.step()
        HISTORY[seed].append(loss.item())
        if step % 20 == 0:
            print(f"step {step + 1}/{r.steps}: loss {loss.item():.4f}")
    return model.eval()


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
    """Make a classifier with its default options and train it (given).

    `method` is rnn or transformer; all else as in `train`.
    """
    torch.manual_seed(seed)
    make = {"rnn": RNNClassifier, "transformer": TransformerClassifier}[method]
    return train(make(vocab, classes).to(ids.device), ids, mask, y, seed, **recipe)


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
    seed_all(seed)
    # float32 here: BERT in float64 takes twice as long
    net = FineTuned(Encoder.load(pretrained, dropout=dropout), classes, dropout).float().to(ids.device)
    for table in ("words", "places", "kinds", "norm"):
        getattr(net.encoder, table).requires_grad_(False)
    for layer in net.encoder.layers[:freeze]:
        layer.requires_grad_(False)
    if steps is None:
        steps = int(np.clip(len(y) // 12, 40, 70))
    return train(
        net, ids, mask, y, seed, steps=steps, batch=batch, rate=rate, head_rate=head_rate, **recipe
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
    """Noisy students: two networks, of which the second learns from the answers of the first."""
    unlabelled = F.pad(unlabelled_ids, (0, max(0, ids.shape[1] - unlabelled_ids.shape[1])))
    theirs = F.pad(unlabelled_mask, (0, unlabelled.shape[1] - unlabelled_mask.shape[1]))
    more = unlabelled.shape[1] - ids.shape[1]
    ids, mask = F.pad(ids, (0, more)), F.pad(mask, (0, more))
    teacher = finetune(pretrained, ids, mask, y, classes, seed, steps=BEST.teacher_steps)
    answers = defaultdict(list)
    with torch.no_grad():
        for place in range(len(unlabelled)):
            p = teacher(unlabelled[place : place + 1], theirs[place : place + 1]).softmax(-1)[0]
            answers[int(p.argmax())].append(Answer(float(p.max()), place))
    log.info("answers: %s", {c: len(found) for c, found in answers.items()})
    pseudo = [
        (a.place, c) for c, found in answers.items() for a in found if a.sure >= BEST.sure
    ]
    if pseudo:
        places, guesses = map(torch.tensor, zip(*pseudo))
        ids, mask = torch.cat([ids, unlabelled[places]]), torch.cat([mask, theirs[places]])
        y = torch.cat([y, guesses.to(y)])
    return finetune(pretrained, ids, mask, y, classes, seed + 1, steps=BEST.student_steps)


if __name__ == "__main__":
    print(RNNClassifier(5, 2), TransformerClassifier(5, 2))
