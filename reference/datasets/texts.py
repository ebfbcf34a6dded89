"""What the loaders of texts share: numbers for classes, and splits, published or drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .kinds import Texts
from .reading import wrong

TRAIN_SHARE, VALIDATION_SHARE = 0.6, 0.2  # of each class, where nobody published a split


def labels_of(path: Path, words: Sequence[str], known: Sequence[str]) -> list[int]:
    """Return for each word its place in `known`. Raises DataError naming a strange one.

    The file at `path` held them; without any word there is no text in it, which is an error too.
    """
    if not words:
        raise wrong(path, "it holds no texts")
    place = {word: label for label, word in enumerate(known)}
    for number, word in enumerate(words, start=1):
        if word not in place:
            shown = f"{word[:40]!r} in entry {number}"
            raise wrong(path, f"there is no class {shown}: they are {', '.join(known)}")
    return [place[word] for word in words]


def published(
    name: str, parts: Iterable[tuple[list[str], list[int]]], classes: tuple[str, ...]
) -> Texts:
    """Return a set whose publisher split it: `parts` are texts and labels to train, validate, test.

    Of two parts the second is for the test.
    """
    parts = list(parts)
    if len(parts) == 2:
        parts.insert(1, ([], []))
    ends = np.cumsum([len(texts) for texts, _ in parts])
    train, val, test = np.split(np.arange(ends[-1], dtype=np.int64), ends[:-1])
    texts = tuple(text for part, _ in parts for text in part)
    y = np.array([label for _, labels in parts for label in labels], dtype=np.int64)
    return Texts(name, texts, y, train, val, test, classes, synthetic=False)


def drawn(
    name: str,
    texts: Sequence[str],
    y: Sequence[int],
    classes: tuple[str, ...],
    seed: int,
    synthetic: bool = False,
) -> Texts:
    """Return a set that nobody split: of each class 60 % to train, 20 % each to validate and test.

    `seed` draws which.
    """
    labels = np.array(y, dtype=np.int64)
    order = np.random.default_rng(seed).permutation(len(labels))
    parts: list[list[np.ndarray]] = []
    for label in range(len(classes)):
        members = order[labels[order] == label]
        shares = (TRAIN_SHARE, TRAIN_SHARE + VALIDATION_SHARE)
        parts.append(np.split(members, [round(len(members) * share) for share in shares]))
    train, val, test = (np.sort(np.concatenate(part)) for part in zip(*parts, strict=True))
    return Texts(name, tuple(texts), labels, train, val, test, classes, synthetic)
