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

# BEGIN SOLUTION
from .self_training import trusted

# END SOLUTION

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
        """Return the logits. Shapes: ids [B, T] int64, mask [B, T] bool -> [B, classes]."""
        # BEGIN SOLUTION
        x = self.dropout(self.words(ids))  # [B, T, D]
        states = self.forwards(x, mask)  # [B, T, H]
        if self.options.bidirectional:
            # Padding comes first then: it leaves the state of 0 as it is.
            turned = self.backwards(x.flip(1), mask.flip(1)).flip(1)  # [B, T, H]
            states = torch.cat([states, turned], dim=2)  # [B, T, 2H]
        return self.head(self.dropout(masked_mean(states, mask)))
        # END SOLUTION


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
        """Return what stands for each word after the layer."""
        # BEGIN SOLUTION
        parts = (self.query, self.key, self.value, self.output)
        weights, biases = [part.weight for part in parts], tuple(part.bias for part in parts)
        seen = multi_head_attention(h, *weights, biases, self.heads, mask[:, None])  # [B, T, d]
        h = self.norm1(h + self.dropout(seen))
        return self.norm2(h + self.dropout(self.narrow(functional.gelu(self.widen(h)))))
        # END SOLUTION


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
        """Return the logits. Shapes: ids [B, T] int64, mask [B, T] bool -> [B, classes]."""
        # BEGIN SOLUTION
        h = self.words(ids)  # [B, T, d]
        if self.options.positions:
            h = h + positional_encoding(ids.shape[1], self.options.dim).to(h)
        h = self.dropout(self.norm(h))
        for layer in self.layers:
            h = layer(h, mask)
        return self.head(self.dropout(masked_mean(h, mask)))
        # END SOLUTION


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
        """Return an encoder with the pretrained weights of the first `layers` layers.

        None takes all that there are. Weights are copied: training changes nothing in `pretrained`.
        Raises ValueError unless 1 <= layers <= those that there are.
        """
        # BEGIN SOLUTION
        there = 1 + max(int(n.split(".")[2]) for n in pretrained if n.startswith("encoder.layer."))
        layers = there if layers is None else layers
        if not 1 <= layers <= there:
            raise ValueError(f"the encoder has {there} layers, {layers} were asked for")
        encoder = cls(pretrained, layers, dropout)
        wanted = encoder.state_dict()
        tensors = {our_name(n): tensor for n, tensor in pretrained.items() if "." in n}
        encoder.load_state_dict({name: tensors[name] for name in wanted})  # which copies them
        return encoder
        # END SOLUTION

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return what stands for each word."""
        # BEGIN SOLUTION
        places = torch.arange(ids.shape[1], device=ids.device)  # [T]
        h = self.words(ids) + self.places(places) + self.kinds.weight[0]  # [B, T, d]
        h = self.dropout(self.norm(h))
        for layer in self.layers:
            h = layer(h, mask)
        return h
        # END SOLUTION


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
        """Return the logits. Shapes: ids [B, T] int64, mask [B, T] bool -> [B, classes]."""
        # BEGIN SOLUTION
        return self.head(self.dropout(masked_mean(self.encoder(ids, mask), mask)))
        # END SOLUTION


# ---------------------------------------------------------------- training


def train(
    model: nn.Module, ids: Tensor, mask: Tensor, y: Tensor, seed: int, **recipe: float
) -> nn.Module:
    """Train a classifier, in place, and return it in evaluation mode.

    Each of `steps` steps takes `batch` texts; every text comes once before any comes again, in an
    order drawn anew for each such round, and the last batch of a round is smaller if it must be.
    A step is: the mean cross-entropy of the batch, its gradient shortened to the length `clip` if
    it is longer, and AdamW with its usual betas (0.9, 0.999) and eps (1e-8). The rate of step t is
    learning_rate(t, warmup * steps, steps), warmup * steps rounded down, times `rate`, or
    `head_rate` for the parameters of `head`. `decay` counts for matrices, never for vectors
    (biases, gains and shifts of norms). Parameters that need no gradient stay as they are.

    `seed` decides everything random: equal calls on equal networks give equal networks. `recipe`
    are fields of Recipe, by name.

    Shapes: ids [N, T] int64, mask [N, T] bool, y [N] int64.
    Sources: Loshchilov and Hutter 2019 (AdamW); Devlin et al. 2019, appendix A.3.
    """
    # BEGIN SOLUTION
    torch.manual_seed(seed)
    plan = Recipe(**recipe)
    warmup = int(plan.warmup * plan.steps)
    optimiser = torch.optim.AdamW(parameter_groups(model, plan), betas=(0.9, 0.999), eps=1e-8)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: learning_rate(step, warmup, max(plan.steps, 1))
    )
    model.train()
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(plan.steps):
        if not len(order):
            order = torch.randperm(len(y))
        rows, order = order[: plan.batch], order[plan.batch :]
        rows = rows.to(ids.device)
        words = int(mask[rows].sum(dim=1).max())  # padding that all texts of the batch have
        optimiser.zero_grad()
        logits = model(ids[rows, :words], mask[rows, :words])  # [batch, C]
        functional.cross_entropy(logits, y[rows]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
        optimiser.step()
        schedule.step()
    return model.eval()
    # END SOLUTION


# BEGIN SOLUTION
def parameter_groups(model: nn.Module, plan: Recipe) -> list[dict[str, object]]:
    """Return AdamW's groups: head or not, matrices or not, with their rates and decays."""
    groups: dict[tuple[bool, bool], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            key = name.startswith("head."), parameter.ndim > 1
            groups.setdefault(key, []).append(parameter)
    return [
        {
            "params": found,
            "lr": plan.head_rate if in_head else plan.rate,
            "weight_decay": plan.decay if matrix else 0.0,
        }
        for (in_head, matrix), found in groups.items()
    ]


# END SOLUTION


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

    `method` is rnn or transformer; all else as in `train`. Raises ValueError for another one.
    """
    make = {"rnn": RNNClassifier, "transformer": TransformerClassifier}
    if method not in make:
        raise ValueError(f"no method {method!r}; choose one of {', '.join(make)}")
    torch.manual_seed(seed)
    return train(make[method](vocab, classes).to(ids.device), ids, mask, y, seed, **recipe)


# BEGIN SOLUTION
def steps_for(texts: int, batch: int) -> int:
    """Return how many steps to fine-tune on so many texts: three rounds, and thirty at least."""
    return max(30, 3 * texts // batch)


# END SOLUTION


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
    """Fine-tune a pretrained encoder on few texts and return it in evaluation mode.

    All its layers are trained by `train`, but for the first `freeze`; the tables of words, places
    and kinds and the norm behind them keep their weights, for few texts hold few words. The head is
    new. `steps` = None leaves their number to you, 0 returns the network as it starts, with the
    pretrained weights. `seed` decides the head's weights and all else; `pretrained` is not changed.
    You choose the defaults and may add options of your own, each with a default.

    Shapes: ids [N, T] int64, mask [N, T] bool, y [N] int64 below `classes`.
    """
    # BEGIN SOLUTION
    torch.manual_seed(seed)
    model = FineTuned(Encoder.load(pretrained, dropout=dropout), classes, dropout).to(ids.device)
    steps = steps_for(len(y), batch) if steps is None else steps
    plan = {"steps": steps, "batch": batch, "rate": rate, "head_rate": head_rate, **recipe}
    return train(frozen(model, freeze), ids, mask, y, seed, **plan)
    # END SOLUTION


# BEGIN SOLUTION
def frozen(model: FineTuned, freeze: int) -> FineTuned:
    """Keep the embeddings and the first `freeze` layers as they are when the model is trained."""
    encoder = model.encoder
    tables = (encoder.words, encoder.places, encoder.kinds, encoder.norm)
    for part in (*tables, *encoder.layers[:freeze]):
        part.requires_grad_(False)
    return model


# END SOLUTION


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
    """Train the best classifier that you can think of: the open part.

    As `finetune`, but how you train is yours, and there are texts without labels to learn from
    too. What comes back is a FineTuned of all the pretrained layers, in evaluation mode; every
    parameter may be another. 60 CPU seconds.

    Shapes: ids [N, T], mask [N, T], y [N], unlabelled_ids [M, S], unlabelled_mask [M, S].
    """
    # BEGIN SOLUTION
    first = finetune(pretrained, ids, mask, y, classes, seed)
    more = trusted(first, unlabelled_ids, unlabelled_mask, classes)
    words = max(ids.shape[1], unlabelled_ids.shape[1])
    parts = [
        (ids, mask, y),
        (unlabelled_ids[more.rows], unlabelled_mask[more.rows], more.y),
    ]
    padded = [
        (functional.pad(i, (0, words - i.shape[1])), functional.pad(m, (0, words - m.shape[1])), t)
        for i, m, t in parts
    ]
    ids, mask, y = (torch.cat(part) for part in zip(*padded, strict=True))
    return finetune(pretrained, ids, mask, y, classes, seed, steps=60)
    # END SOLUTION
