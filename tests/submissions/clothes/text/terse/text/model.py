from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, count, islice

import torch
from torch import nn
from torch.nn import functional as F

from .layers import CELLS, layer_norm, learning_rate, masked_mean, multi_head_attention, positional_encoding, unroll

START = 0.02
WEIGHT_ROWS = {"rnn": 1, "lstm": 4, "gru": 2}


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
    steps: int = 100
    batch: int = 32
    rate: float = 3e-3
    head_rate: float = 3e-3
    decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0


class Cell(nn.Module):
    def __init__(self, kind, dim, hidden):
        super().__init__()
        rows = WEIGHT_ROWS[kind] * hidden
        if kind == "rnn":
            shapes = {"u": (hidden, hidden), "w": (hidden, dim), "b": (hidden,)}
        else:
            shapes = {"w": (rows, hidden + dim), "b": (rows,)}
        if kind == "gru":
            shapes |= {"w_h": (hidden, hidden + dim), "b_h": (hidden,)}
        self.kind, self.hidden = kind, hidden
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape).uniform_(-(hidden**-0.5), hidden**-0.5)))

    def forward(self, x, mask):
        empty = x.new_zeros(len(x), self.hidden)
        return unroll(self.kind, x, mask, (empty,) * (1 + (self.kind == "lstm")), tuple(self.parameters()))[0]


class _Classifier(nn.Module):
    """head(dropout(mean of what `read` gives))"""

    def forward(self, ids, mask):
        return self.head(self.dropout(masked_mean(self.read(ids, mask), mask)))


class RNNClassifier(_Classifier):
    def __init__(self, vocab, classes, **options):
        super().__init__()
        self.options = o = RNNOptions(**options)
        if o.cell not in CELLS:
            raise ValueError(o.cell)
        self.words = nn.Embedding(vocab, o.dim)
        self.forwards = Cell(o.cell, o.dim, o.hidden)
        if o.bidirectional:
            self.backwards = Cell(o.cell, o.dim, o.hidden)
        self.head = nn.Linear((1 + o.bidirectional) * o.hidden, classes)
        self.dropout = nn.Dropout(o.dropout)

    def read(self, ids, mask):
        s = self.forwards(x := self.dropout(self.words(ids)), mask)
        return torch.cat((s, self.backwards(x.flip(1), mask.flip(1)).flip(1)), -1) if self.options.bidirectional else s


class Norm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.bias, self.eps = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width)), eps

    forward = lambda self, x: layer_norm(x, self.weight, self.bias, self.eps)


def linear(fan_in, fan_out):
    layer = nn.Linear(fan_in, fan_out)
    nn.init.normal_(layer.weight, std=START), nn.init.zeros_(layer.bias)
    return layer


class Layer(nn.Module):
    def __init__(self, width, heads, ff, eps, dropout):
        super().__init__()
        self.heads = heads
        self.query, self.key = linear(width, width), linear(width, width)
        self.value, self.output = linear(width, width), linear(width, width)
        self.norm1 = Norm(width, eps)
        self.widen, self.narrow = linear(width, ff), linear(ff, width)
        self.norm2 = Norm(width, eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h, mask):
        w, b = zip(*((m.weight, m.bias) for m in (self.query, self.key, self.value, self.output)))
        h = self.norm1(h + self.dropout(multi_head_attention(h, *w, b, self.heads, mask[:, None])))
        return self.norm2(h + self.dropout(self.narrow(F.gelu(self.widen(h)))))


class _Stack(nn.Module):
    def through(self, h, mask):
        h = self.dropout(self.norm(h))
        for layer in self.layers:
            h = layer(h, mask)
        return h


class TransformerClassifier(_Classifier, _Stack):
    def __init__(self, vocab, classes, **options):
        super().__init__()
        self.options = o = TransformerOptions(**options)
        self.words, self.norm = nn.Embedding(vocab, o.dim), Norm(o.dim, 1e-12)
        self.layers = nn.ModuleList(Layer(o.dim, o.heads, o.ff, 1e-12, o.dropout) for _ in range(o.layers))
        self.head, self.dropout = linear(o.dim, classes), nn.Dropout(o.dropout)

    def read(self, ids, mask):
        h = self.words(ids)
        return self.through(h + self.options.positions * positional_encoding(*h.shape[1:]).to(h), mask)


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


def our_name(published):
    stem, _, part = published.rpartition(".")
    for pattern, ours in NAMES.items():
        if found := re.fullmatch(pattern, stem):
            return f"{found.expand(ours)}.{part}"
    raise ValueError(published)


class Encoder(_Stack):
    def __init__(self, pretrained, layers, dropout=0.1):
        super().__init__()
        sizes = [tuple(pretrained[f"embeddings.{n}_embeddings.weight"].shape) for n in ("word", "position", "token_type")]
        width, eps = sizes[0][1], float(pretrained["eps"])
        ff = len(pretrained["encoder.layer.0.intermediate.dense.weight"])
        self.words, self.places, self.kinds = (nn.Embedding(*size) for size in sizes)
        for table in (self.words, self.places, self.kinds):
            nn.init.normal_(table.weight, std=START)
        self.norm = Norm(width, eps)
        self.layers = nn.ModuleList(Layer(width, int(pretrained["heads"]), ff, eps, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    @classmethod
    def load(cls, pretrained, layers=None, dropout=0.1):
        ours = {our_name(k): v for k, v in pretrained.items() if torch.is_tensor(v)}
        most = next(n for n in count() if f"layers.{n}.key.bias" not in ours)
        if not 1 <= (n := most if layers is None else layers) <= most:
            raise ValueError(n)
        new = cls(pretrained, n, dropout)
        new.load_state_dict({k: ours[k] for k in new.state_dict()})
        return new

    def forward(self, ids, mask):
        return self.through(self.words(ids) + self.places.weight[: ids.shape[1]] + self.kinds.weight[0], mask)


class FineTuned(_Classifier):
    def __init__(self, encoder, classes, dropout=0.1):
        super().__init__()
        self.encoder = encoder
        self.head, self.dropout = linear(encoder.words.embedding_dim, classes), nn.Dropout(dropout)

    read = lambda self, ids, mask: self.encoder(ids, mask)


def train(model, ids, mask, y, seed, **recipe):
    r = Recipe(**recipe)
    torch.manual_seed(seed)
    live = {n: p for n, p in model.train().named_parameters() if p.requires_grad}
    opt = torch.optim.AdamW([{"params": [p], "lr": 0, "top": r.head_rate if n[:5] == "head." else r.rate, "weight_decay": r.decay * (p.ndim > 1)} for n, p in live.items()])
    rounds = chain.from_iterable(torch.randperm(len(ids)).to(ids.device).split(r.batch) for _ in count())
    for t, i in enumerate(islice(rounds, r.steps)):
        opt.zero_grad(), F.cross_entropy(model(ids[i], mask[i]), y[i]).backward()
        nn.utils.clip_grad_norm_(live.values(), r.clip)
        for g in opt.param_groups:
            g["lr"] = g["top"] * learning_rate(t, int(r.warmup * r.steps), r.steps)
        opt.step()
    return model.eval()


def from_scratch(method, vocab, ids, mask, y, classes, seed, **recipe):
    torch.manual_seed(seed)
    make = {"rnn": RNNClassifier, "transformer": TransformerClassifier}[method]
    return train(make(vocab, classes).to(ids.device), ids, mask, y, seed, **recipe)


def finetune(pretrained, ids, mask, y, classes, seed, *, freeze=0, dropout=0.1, steps=None, batch=16, rate=1e-4, head_rate=2e-3, **recipe):
    torch.manual_seed(seed)
    net = FineTuned(e := Encoder.load(pretrained, dropout=dropout), classes, dropout).to(ids.device)
    e.requires_grad_(False), e.layers[freeze:].requires_grad_(True)
    steps = (60 if len(ids) > 500 else 40) if steps is None else steps
    return train(net, ids, mask, y, seed, steps=steps, batch=batch, rate=rate, head_rate=head_rate, **recipe)


def best(pretrained, ids, mask, y, classes, seed, unlabelled_ids, unlabelled_mask):
    # a teacher, its answers where it is sure, and a student that starts where the teacher stands
    T = max(ids.shape[1], unlabelled_ids.shape[1])
    (i, m), (j, n) = (((F.pad(a, (0, T - a.shape[1]))) for a in pair) for pair in ((ids, mask), (unlabelled_ids, unlabelled_mask)))
    net = finetune(pretrained, ids, mask, y, classes, seed, steps=40)
    with torch.no_grad():
        p, c = torch.cat([net(*b) for b in zip(j.split(99), n.split(99))]).softmax(1).max(1)
    ok = p > p.quantile(0.3)
    return train(net, torch.cat((i, j[ok])), torch.cat((m, n[ok])), torch.cat((y, c[ok])), seed, steps=45, batch=16, rate=5e-5, head_rate=5e-4)
