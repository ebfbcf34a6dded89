"""Classifiers of texts: recurrent, Transformer, and a pretrained encoder that is fine-tuned.

Every classifier maps (ids [B, T] int64, mask [B, T] bool) to logits [B, C]. Words come first in a
text and padding, number 0, after them; what a text is filled up with changes nothing. Each ends in
a linear `head` on the mean of its words' vectors.
"""

from __future__ import annotations

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
        states = self.forwards(x, mask)
        if self.options.bidirectional:
            last_first = list(range(ids.shape[1] - 1, -1, -1))
            backwards = self.backwards(x[:, last_first], mask[:, last_first])
            states = torch.cat((states, backwards[:, last_first]), dim=2)
        return self.head(self.dropout(masked_mean(states, mask)))


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
        weights = []
        biases = []
        for part in (self.query, self.key, self.value, self.output):
            weights.append(part.weight)
            biases.append(part.bias)
        seen = mask.reshape(mask.shape[0], 1, mask.shape[1])
        attended = multi_head_attention(h, *weights, tuple(biases), self.heads, seen)
        h = self.norm1(h + self.dropout(attended))
        wide = self.widen(h)
        wide = wide * 0.5 * (1 + torch.erf(wide / 2**0.5))
        return self.norm2(h + self.dropout(self.narrow(wide)))


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
            pe = positional_encoding(ids.shape[1], self.options.dim)
            h = h + pe.to(device=h.device, dtype=h.dtype)
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
        numbers = set()
        for published in pretrained:
            if published.startswith("encoder.layer."):
                numbers.add(int(published.split(".")[2]))
        if layers is None:
            layers = len(numbers)
        if layers < 1 or layers > len(numbers):
            raise ValueError("layers must be 1 to " + str(len(numbers)) + ", not " + str(layers))
        encoder = cls(pretrained, layers, dropout)
        parameters = dict(encoder.named_parameters())
        for published, tensor in pretrained.items():
            if published in ("heads", "eps"):
                continue
            name = our_name(published)
            if name in parameters:
                parameters[name].data.copy_(tensor)
        return encoder

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        h = self.words(ids)
        h = h + self.places.weight[: ids.shape[1]]
        h = h + self.kinds.weight[0]
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
        h = self.encoder(ids, mask)
        return self.head(self.dropout(masked_mean(h, mask)))


# ---------------------------------------------------------------- training


def train(
    model: nn.Module, ids: Tensor, mask: Tensor, y: Tensor, seed: int, **recipe: float
) -> nn.Module:
    chosen = Recipe(**recipe)
    torch.manual_seed(seed)
    warmup = int(chosen.warmup * chosen.steps)
    parameters = {}
    first = {}
    second = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameters[name] = parameter
            first[name] = torch.zeros_like(parameter)
            second[name] = torch.zeros_like(parameter)
    waiting = []
    model.train()
    for step in range(chosen.steps):
        if not waiting:
            waiting = torch.randperm(ids.shape[0]).tolist()
        batch = waiting[: chosen.batch]
        waiting = waiting[chosen.batch :]
        logits = model(ids[batch], mask[batch])
        loss = functional.cross_entropy(logits, y[batch])
        gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)

        squares = 0.0
        for gradient in gradients:
            if gradient is not None:
                squares += float((gradient * gradient).sum())
        shrink = 1.0
        if squares**0.5 > chosen.clip:
            shrink = chosen.clip / squares**0.5

        factor = learning_rate(step, warmup, chosen.steps)
        with torch.no_grad():
            for (name, parameter), gradient in zip(parameters.items(), gradients):
                if gradient is None:
                    continue
                rate = factor * (chosen.head_rate if name.startswith("head.") else chosen.rate)
                if parameter.dim() >= 2:
                    parameter.mul_(1 - rate * chosen.decay)
                gradient = gradient * shrink
                first[name].mul_(0.9).add_(gradient, alpha=0.1)
                second[name].mul_(0.999).addcmul_(gradient, gradient, value=0.001)
                mean = first[name] / (1 - 0.9 ** (step + 1))
                spread = (second[name] / (1 - 0.999 ** (step + 1))).sqrt()
                parameter.sub_(rate * mean / (spread + 1e-8))
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
    torch.manual_seed(seed)
    encoder = Encoder.load(pretrained, dropout=dropout)
    model = FineTuned(encoder, classes, dropout).to(ids.device)
    for name, parameter in encoder.named_parameters():
        parts = name.split(".")
        if parts[0] != "layers" or int(parts[1]) < freeze:
            parameter.requires_grad = False
    if steps is None:
        steps = 40
        if len(ids) > 400:
            steps = 60
    return train(
        model, ids, mask, y, seed, steps=steps, batch=batch, rate=rate, head_rate=head_rate, **recipe
    )


def thinned(text):
    """A text without about a tenth of its words; the marks of begin and end stay."""
    dice = torch.rand(len(text)).tolist()
    kept = []
    for place, word in enumerate(text):
        if place == 0 or place == len(text) - 1 or dice[place] > 0.1:
            kept.append(word)
    return kept


def filled_up(texts, width, device):
    """Lists of words as tensors ids and mask."""
    ids = torch.zeros(len(texts), width, dtype=torch.int64, device=device)
    mask = torch.zeros(len(texts), width, dtype=torch.bool, device=device)
    for i, text in enumerate(texts):
        for t, word in enumerate(text):
            ids[i, t] = word
            mask[i, t] = True
    return ids, mask


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
    # every text three times, twice with some of its words left out; then, with the network's own
    # answers, the texts without labels too
    torch.manual_seed(seed)
    width = max(ids.shape[1], unlabelled_ids.shape[1])
    texts = [ids[i][mask[i]].tolist() for i in range(len(ids))]
    others = [unlabelled_ids[i][unlabelled_mask[i]].tolist() for i in range(len(unlabelled_ids))]
    answers = y.tolist()

    copies = list(texts)
    for _ in range(2):
        for text in texts:
            copies.append(thinned(text))
    tensors = filled_up(copies, width, ids.device)
    model = finetune(pretrained, *tensors, y.repeat(3), classes, seed, steps=45)

    other_ids, other_mask = filled_up(others, width, ids.device)
    for start in range(0, len(others), 50):
        with torch.no_grad():
            logits = model(other_ids[start : start + 50], other_mask[start : start + 50])
        for text, row in zip(others[start : start + 50], torch.softmax(logits, dim=1).tolist()):
            if max(row) > 0.7:
                texts.append(text)
                answers.append(row.index(max(row)))
    tensors = filled_up(texts, width, ids.device)
    labels = torch.tensor(answers, device=ids.device)
    return finetune(pretrained, *tensors, labels, classes, seed, steps=50)
