"""Stand-in for a pretrained encoder: computed, not trained, and it knows the words of a stand-in.

It is for the texts of "synthetic-topics" with the same `classes` and `seed`: words that a topic
favours have something in common in it, and every layer adds the mean of its text to each word.
Figures measured with it say nothing about real encoders.
"""

from __future__ import annotations

import json

import numpy as np

from .pretrained import LAYER, Pretrained
from .synthetic_texts import MOST_CLASSES, Language

VERSION = 1  # to be raised with any change to what comes out: digests of stand-ins hold it
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
HEADS, PLACES, KINDS, EPS = 4, 512, 2, 1e-12
SHARED = 1.5  # standard deviation of what the words of a topic have in common; their own is 1
SMALL = 0.02  # standard deviation of weights that say nothing


def generate(
    name: str, classes: int = 4, layers: int = 3, width: int = 64, seed: int = 0
) -> Pretrained:
    """Return an encoder, the same for the same arguments; its inner networks are 4 x `width` wide.

    Raises ValueError if `width` is no multiple of the heads, or there is too much of anything.
    """
    if not 2 <= classes <= MOST_CLASSES or not 1 <= layers <= 12:
        raise ValueError(f"{name} has 1 to 12 layers and knows 2 to {MOST_CLASSES} classes")
    if width % HEADS or not HEADS <= width <= 512:
        raise ValueError(f"{name} is a multiple of {HEADS} wide, 512 at most")
    language = Language.drawn(classes, seed)
    rng = np.random.default_rng((seed, 2))
    tensors = _embeddings(language, width, rng)
    for layer in range(layers):
        tensors |= _layer(f"encoder.layer.{layer}", width, rng)
    tensors = {key: value.astype(np.float32) for key, value in tensors.items()}
    return Pretrained(name, tensors, HEADS, EPS, _tokenizer(language), synthetic=True)


def _embeddings(language: Language, width: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    words = rng.normal(size=(len(SPECIAL) + len(language.words), width))
    for topic in language.topics:
        words[len(SPECIAL) + topic] += rng.normal(0.0, SHARED, width)
    return {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": rng.normal(0.0, 0.1, (PLACES, width)),
        "embeddings.token_type_embeddings.weight": np.zeros((KINDS, width)),
        "embeddings.LayerNorm.weight": np.ones(width),
        "embeddings.LayerNorm.bias": np.zeros(width),
    }


def _layer(prefix: str, width: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return a layer that asks all words alike and adds the mean of what they are."""
    sizes = {"d": width, "f": 4 * width}
    tensors = {}
    for module, letters in LAYER.items():
        shape = tuple(sizes[letter] for letter in letters)
        one = np.ones(shape) if module.endswith("LayerNorm") else rng.normal(0.0, SMALL, shape)
        tensors[f"{prefix}.{module}.weight"] = one
        tensors[f"{prefix}.{module}.bias"] = np.zeros(shape[0])
    turned, _ = np.linalg.qr(rng.normal(size=(width, width)))
    tensors[f"{prefix}.attention.self.value.weight"] = turned
    tensors[f"{prefix}.attention.output.dense.weight"] = turned.T
    return tensors


def _tokenizer(language: Language) -> str:
    """Return the JSON of a tokenizer that cuts at spaces and knows whole words alone."""
    numbers = {word: number for number, word in enumerate([*SPECIAL, *language.words.tolist()])}
    ends = {mark: {"id": mark, "ids": [numbers[mark]], "tokens": [mark]} for mark in SPECIAL[2:4]}
    first, last = ({"SpecialToken": {"id": mark, "type_id": 0}} for mark in SPECIAL[2:4])
    text = {"Sequence": {"id": "A", "type_id": 0}}
    pair = {"Sequence": {"id": "B", "type_id": 1}}
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": None,
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [first, text, last],
                "pair": [first, text, last, pair, last],
                "special_tokens": ends,
            },
            "decoder": None,
            "model": {"type": "WordLevel", "vocab": numbers, "unk_token": "[UNK]"},
        }
    )
