"""Stand-ins for sets of texts: made-up words in which a class is planted.

In "synthetic-topics" each class favours words of its own: counting words is enough. In
"synthetic-order" every text holds the same marked words, and the class says which comes first:
counting words tells nothing. Figures measured on these texts say nothing about real ones.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from .kinds import Texts
from .texts import drawn

VERSION = 1  # to be raised with any change to what comes out: digests of stand-ins hold it
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
VOCABULARY = 2000  # words, of which the later are the rarer
ZIPF = 0.8  # the exponent by which they get rarer
OWN_WORDS = 40  # that a topic favours
TOPICAL = 0.12  # share of a text's words that come from them
STRAYS = 0.08  # share of the texts that read like another topic: nobody can tell their class
MOST_CLASSES, MOST_TEXTS, SHORTEST, LONGEST = 20, 100_000, 8, 1000


def generate(
    name: str, classes: int = 4, texts: int = 1900, length: int | None = None, seed: int = 0
) -> Texts:
    """Return `texts` texts of each class of about `length` words, in random order, with a split.

    The defaults are the shape of ag-news-test: 4 x 1,900 texts of 40 words; those of
    "synthetic-order" have exactly 20 words. The same arguments give the same texts.
    Raises ValueError if there would be too few or too many of anything.
    """
    words = length or (40 if name == "synthetic-topics" else 20)
    if not (
        2 <= classes <= MOST_CLASSES
        and 5 <= texts <= MOST_TEXTS // classes
        and max(SHORTEST, classes) <= words <= LONGEST
    ):
        raise ValueError(
            f"{name} has 2 to {MOST_CLASSES} classes of at least 5 texts, {MOST_TEXTS} at most in "
            f"all, of {SHORTEST} to {LONGEST} words and no fewer than there are classes"
        )
    language = Language.drawn(classes, seed)
    rng = np.random.default_rng((seed, 1))  # the language is drawn from another one
    y = rng.permutation(np.repeat(np.arange(classes), texts))
    make = _topics if name == "synthetic-topics" else _orders
    lines, titles = make(y, classes, words, language, rng)
    return drawn(name, lines, y.tolist(), titles, seed, synthetic=True)


@dataclass(frozen=True)
class Language:
    """The words that all texts of a seed are made of, however many texts there are."""

    words: np.ndarray  # str [VOCABULARY], each once
    topics: np.ndarray  # int64 [classes, OWN_WORDS], places in `words`; no two topics share one

    @classmethod
    def drawn(cls, classes: int, seed: int) -> Language:
        """Draw words of two syllables, and which of them each topic favours."""
        rng = np.random.default_rng((seed, 0))
        syllables = ["".join(pair) for pair in itertools.product(CONSONANTS, VOWELS)]
        words = ["".join(pair) for pair in itertools.product(syllables, syllables)]
        topics = rng.permutation(VOCABULARY)[: classes * OWN_WORDS].reshape(classes, OWN_WORDS)
        return cls(rng.permutation(words)[:VOCABULARY], topics)


def _common(size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw places of words in the vocabulary, the first far more often than the last."""
    weight = 1.0 / np.arange(1, VOCABULARY + 1) ** ZIPF
    return rng.choice(VOCABULARY, size, p=weight / weight.sum())


def _topics(
    y: np.ndarray, classes: int, length: int, language: Language, rng: np.random.Generator
) -> tuple[list[str], tuple[str, ...]]:
    lengths = np.maximum(SHORTEST, rng.poisson(length, len(y)))
    like = np.where(rng.random(len(y)) < STRAYS, rng.integers(classes, size=len(y)), y)
    topic = np.repeat(like, lengths)
    drawn_words = language.topics[topic, rng.integers(OWN_WORDS, size=len(topic))]
    topical = rng.random(len(topic)) < TOPICAL
    words = np.where(topical, drawn_words, _common(topic.shape, rng))
    parts = np.split(language.words[words], np.cumsum(lengths)[:-1])
    return [" ".join(part) for part in parts], tuple(f"topic {label}" for label in range(classes))


def _orders(
    y: np.ndarray, classes: int, length: int, language: Language, rng: np.random.Generator
) -> tuple[list[str], tuple[str, ...]]:
    """Put the marked words, the language's first, at random places of each text."""
    words = classes + _common((len(y), length), rng) % (VOCABULARY - classes)
    for row, label in zip(words, y, strict=True):
        places = np.sort(rng.permutation(length)[:classes])
        others = rng.permutation(np.delete(np.arange(classes), label))
        row[places] = np.concatenate([[label], others])
    marked = tuple(language.words[:classes].tolist())
    return [" ".join(row) for row in language.words[words]], marked
