from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from .layers import (
    CELLS,
    layer_norm,
    learning_rate,
    masked_mean,
    multi_head_attention,
    positional_encoding,
    unroll,
)
from .util import Timer, log, seed_everything

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
    dim: int = 64  # even, divisible by heads
    layers: int = 2
    heads: int = 4
    ff: int = 128
    dropout: float = 0.1
    positions: bool = True


@dataclass(frozen=True)
class Recipe:
    steps: int = 100
    batch: int = 32
    rate: float = 2e-3
    head_rate: float = 2e-3
    decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0


GELU = nn.GELU()
HISTORY = defaultdict(list)  # progress by seed


class Part(Enum):
    HEAD = "head"
    BODY = "body"


class Direction(Enum):
    FORWARDS = 1
    BACKWARDS = -1


class Group(NamedTuple):
    part: Part
    matrix: bool


@dataclass
class Progress:
    step: int
    loss: float
    gradient: float
    factor: float

    def __str__(self) -> str:
        return f"step {self.step:4d}: loss {self.loss:.4f}, |g| {self.gradient:.2f}"


def through(net: nn.Module, h: Tensor, mask: Tensor) -> Tensor:
    h = net.dropout(net.norm(h))
    for layer in net.layers:
        h = layer(h, mask)
    return h


def pooled(net: nn.Module, h: Tensor, mask: Tensor) -> Tensor:
    mean = net.dropout(masked_mean(h, mask))
    return net.head(mean.to(net.head.weight.dtype))


def clip(parameters: list[nn.Parameter], longest: float) -> float:
    gradients = [p.grad for p in parameters if p.grad is not None]
    length = float(np.sqrt(sum(g.double().square().sum().item() for g in gradients)))
    if length > longest:
        for g in gradients:
            g.mul_(longest / length)
    return length


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
        read = defaultdict(lambda: None)
        x = self.dropout(self.words(ids))
        for direction in Direction:
            cell = getattr(self, direction.name.lower(), None)
            if cell is not None:
                order = np.arange(ids.shape[1])[:: direction.value].copy()
                read[direction] = cell(x[:, order], mask[:, order])[:, order]
        return pooled(self, torch.cat(list(read.values()), dim=2), mask)


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
        linears = (self.query, self.key, self.value, self.output)
        attended = multi_head_attention(
            h,
            *(one.weight for one in linears),
            biases=tuple(one.bias for one in linears),
            heads=self.heads,
            mask=mask[:, None],
        )
        for norm, change in ((self.norm1, lambda _: attended), (self.norm2, self.inner)):
            h = norm(h + self.dropout(change(h)))
        return h

    def inner(self, h: Tensor) -> Tensor:
        return self.narrow(GELU(self.widen(h)))


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
        h = self.words(ids)
        if self.options.positions:
            h = h + positional_encoding(*h.shape[-2:]).to(h.device, h.dtype)
        return pooled(self, through(self, h, mask), mask)


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
        parts = defaultdict(dict)  # by layer; None is what comes before them
        for published, value in pretrained.items():
            if not isinstance(value, Tensor):
                continue
            name = our_name(published)
            number = int(name.split(".")[1]) if name.startswith("layers.") else None
            parts[number][name] = value
        depth = len(parts) - 1
        wanted = range(depth if layers is None else layers)
        if not 1 <= len(wanted) <= depth:
            raise ValueError(f"{layers} of {depth} layers")
        encoder = cls(pretrained, len(wanted), dropout)
        state = parts[None]
        for number in wanted:
            state = {**state, **parts[number]}
        encoder.load_state_dict(state)
        # in the precision that it came in: float64 costs twice as much here
        return encoder.to(pretrained["embeddings.LayerNorm.weight"].dtype)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        places = torch.from_numpy(np.arange(ids.shape[1])).to(ids.device)
        kinds = torch.zeros_like(places)
        return through(self, self.words(ids) + self.places(places) + self.kinds(kinds), mask)


class FineTuned(nn.Module):
    def __init__(self, encoder: Encoder, classes: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = linear(encoder.words.embedding_dim, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return pooled(self, self.encoder(ids, mask), mask)


# ---------------------------------------------------------------- training


def train(
    model: nn.Module, ids: Tensor, mask: Tensor, y: Tensor, seed: int, **recipe: float
) -> nn.Module:
    r = Recipe(**recipe)
    rng = seed_everything(seed)
    model.train()
    groups = defaultdict(list)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            part = Part.HEAD if name.split(".")[0] == "head" else Part.BODY
            groups[Group(part, matrix=parameter.ndim > 1)].append(parameter)
    parameters = [parameter for group in groups.values() for parameter in group]
    rates = {Part.HEAD: r.head_rate, Part.BODY: r.rate}
    optimizer = torch.optim.AdamW(
        [
            {"params": params, "lr": rates[group.part], "weight_decay": r.decay * group.matrix}
            for group, params in groups.items()
        ]
    )
    queue = deque()
    for step in range(r.steps):
        if not queue:
            shuffled = rng.permutation(len(y))
            queue.extend(np.split(shuffled, range(r.batch, len(y), r.batch)))
        batch = torch.from_numpy(queue.popleft()).to(ids.device)
        factor = learning_rate(step, int(r.warmup * r.steps), r.steps)
        for group, settings in zip(groups, optimizer.param_groups):
            settings["lr"] = factor * rates[group.part]
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(ids[batch], mask[batch]), y[batch])
        loss.backward()
        length = clip(parameters, r.clip)
        optimizer.step()
        progress = Progress(step + 1, loss.item(), length, factor)
        HISTORY[seed].append(progress)
        if step % 25 == 0:
            print(progress)
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
    seed_everything(seed)
    net = FineTuned(Encoder.load(pretrained, dropout=dropout), classes, dropout).to(ids.device)
    for name, module in net.encoder.named_children():
        module.requires_grad_(name == "layers")
    for layer in net.encoder.layers[:freeze]:
        layer.requires_grad_(False)
    if steps is None:
        steps = int(np.clip(len(y) // 10, 40, 64))
    recipe = {**recipe, "steps": steps, "batch": batch, "rate": rate, "head_rate": head_rate}
    log.info("fine-tuning on %d texts: %s", len(y), recipe)
    return train(net, ids, mask, y, seed, **recipe)


def soup(nets: list[FineTuned]) -> FineTuned:
    """Average the weights of networks (Wortsman et al. 2022)."""
    states = [net.state_dict() for net in nets]
    mixed = deepcopy(nets[0])
    mixed.load_state_dict(
        {
            name: torch.from_numpy(np.mean([state[name].cpu().numpy() for state in states], axis=0))
            for name in states[0]
        }
    )
    return mixed.eval()


@dataclass(frozen=True)
class Soup:
    """How `best` cooks: one fine-tuning, then some that go on from it in other orders."""

    trunk: int = 35
    branches: int = 2
    steps: int = 20
    batch: int = 16
    rate: float = 5e-5
    head_rate: float = 1e-3
    warmup: float = 0.2

    def branch(self) -> dict:
        return {k: v for k, v in asdict(self).items() if k not in ("trunk", "branches")}


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
    how = Soup()
    with Timer("best"):
        trunk = finetune(pretrained, ids, mask, y, classes, seed, steps=how.trunk)
        nets = []
        for i in range(how.branches):
            log.info("branch %d", i)
            nets.append(train(deepcopy(trunk), ids, mask, y, seed + 1 + i, **how.branch()))
        return soup(nets)


if __name__ == "__main__":
    print(RNNClassifier(100, 4))
    print(TransformerClassifier(100, 4))
