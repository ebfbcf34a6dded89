r"""The encoder of BERT (Devlin, Chang, Lee and Toutanova 2019), plainly.

A text is T numbers of words. Each word becomes a vector of d numbers, and every layer lets each
vector look at all the others and then think for itself:

.. math::
    h   &= \mathrm{norm}(W_{\text{word}} + W_{\text{place}} + W_{\text{kind}})             \\
    a_i &= \mathrm{softmax}(Q_i K_i^\top / \sqrt{d / H}) \, V_i, \qquad i = 1 \dots H       \\
    h'  &= \mathrm{norm}(h + [a_1, \dots, a_H] W_O + b_O)                                  \\
    h   &\leftarrow \mathrm{norm}(h' + \mathrm{gelu}(h' W_1 + b_1) W_2 + b_2)

with the queries, keys and values of head i, :math:`Q_i, K_i, V_i`, its d/H columns of
:math:`h W_Q + b_Q`, :math:`h W_K + b_K` and :math:`h W_V + b_V`. Norms stand behind the sums, and
gelu is the exact one. In comments B is the number of texts, T that of words (padding among them),
d the width, H the number of heads.
"""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .pretrained import Pretrained

# Where the published tensors go.
NAMES = {
    r"embeddings\.word_embeddings": "embeddings.words",
    r"embeddings\.position_embeddings": "embeddings.places",
    r"embeddings\.token_type_embeddings": "embeddings.kinds",
    r"embeddings\.LayerNorm": "embeddings.norm",
    r"encoder\.layer\.(\d+)\.attention\.self\.(query|key|value)": r"layers.\1.attention.\2",
    r"encoder\.layer\.(\d+)\.attention\.output\.dense": r"layers.\1.attention.output",
    r"encoder\.layer\.(\d+)\.attention\.output\.LayerNorm": r"layers.\1.attention_norm",
    r"encoder\.layer\.(\d+)\.intermediate\.dense": r"layers.\1.widen",
    r"encoder\.layer\.(\d+)\.output\.dense": r"layers.\1.narrow",
    r"encoder\.layer\.(\d+)\.output\.LayerNorm": r"layers.\1.norm",
}


class Embeddings(nn.Module):
    """What stands for a word before it has seen any other: word + place + kind, normalised."""

    def __init__(self, words: int, places: int, kinds: int, width: int, eps: float):
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.places = nn.Embedding(places, width)
        self.kinds = nn.Embedding(kinds, width)  # which of two texts; here there is one: kind 0
        self.norm = nn.LayerNorm(width, eps)

    def forward(self, ids: Tensor) -> Tensor:
        """Shapes: ids int64 [B, T], result [B, T, d]."""
        places = torch.arange(ids.shape[1], device=ids.device)  # [T]
        return self.norm(self.words(ids) + self.places(places) + self.kinds.weight[0])


class Attention(nn.Module):
    """Each word asks all words of its text, with H heads."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """Shapes: h [B, T, d], mask bool [B, T], True for words; result [B, T, d]."""
        q, k, v = (self._split(part(h)) for part in (self.query, self.key, self.value))
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])  # [B, H, T, T]
        # The least number, not -inf: a text of padding alone must not become NaN.
        scores = scores.masked_fill(~mask[:, None, None, :], torch.finfo(scores.dtype).min)
        seen = scores.softmax(dim=3) @ v  # [B, H, T, d/H]
        return self.output(seen.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        """Cut [B, T, d] into the columns of the heads, [B, H, T, d/H]."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Layer(nn.Module):
    """Attention, then a network for each word alone, each added to what it got and normalised."""

    def __init__(self, width: int, heads: int, inner: int, eps: float, dropout: float):
        super().__init__()
        self.attention = Attention(width, heads)
        self.attention_norm = nn.LayerNorm(width, eps)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.norm = nn.LayerNorm(width, eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """Shapes: h [B, T, d], mask bool [B, T], result [B, T, d]."""
        h = self.attention_norm(h + self.dropout(self.attention(h, mask)))
        return self.norm(h + self.dropout(self.narrow(F.gelu(self.widen(h)))))


class Encoder(nn.Module):
    """BERT's encoder, with the weights that somebody trained."""

    def __init__(self, pretrained: Pretrained, dropout: float = 0.0):
        """Build it from weights; the sizes are theirs. `dropout` is for further training."""
        super().__init__()
        weights = {
            published(name): torch.from_numpy(tensor) for name, tensor in pretrained.tensors.items()
        }
        words, width = weights["embeddings.words.weight"].shape
        places, kinds = (len(weights[f"embeddings.{part}.weight"]) for part in ("places", "kinds"))
        inner = len(weights["layers.0.widen.weight"])
        self.embeddings = Embeddings(words, places, kinds, width, pretrained.eps)
        self.layers = nn.ModuleList(
            Layer(width, pretrained.heads, inner, pretrained.eps, dropout)
            for _ in range(pretrained.layers)
        )
        self.dropout = nn.Dropout(dropout)
        self.load_state_dict(weights)  # which copies them

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return what stands for each word; at padding it means nothing.

        Shapes: ids int64 [B, T], mask bool [B, T], True for words and False for padding; result
        [B, T, d].
        """
        h = self.dropout(self.embeddings(ids))
        for layer in self.layers:
            h = layer(h, mask)
        return h


def published(name: str) -> str:
    """Return the name in `Encoder` of a tensor with this published name."""
    stem, _, part = name.rpartition(".")
    for pattern, ours in NAMES.items():
        found = re.fullmatch(pattern, stem)
        if found:
            return f"{found.expand(ours)}.{part}"
    raise ValueError(f"BERT's encoder has no {name}")


def mean_of_words(h: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over the words of each text, padding left out; of no words it is 0.

    Shapes: h [B, T, d], mask bool [B, T], result [B, d].
    """
    weight = mask.to(h.dtype)[:, :, None]  # [B, T, 1]
    return (h * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)
