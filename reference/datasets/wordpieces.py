"""Turn texts into numbers of words, or of pieces of rarer words, with the library tokenizers."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer

from .kinds import DataError
from .pretrained import Pretrained

# Else the first text starts a thread a core, and graders, which fork afterwards, get one core.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def tokenizer_of(pretrained: Pretrained) -> Tokenizer:
    """Return the tokenizer of an encoder. Raises DataError if it is damaged."""
    try:
        return Tokenizer.from_str(pretrained.tokenizer)
    except Exception as error:  # the library raises Exception itself
        raise DataError(
            f'the tokenizer of "{pretrained.name}" is damaged ({error}): fetch it again'
        ) from error


def encode(
    tokenizer: Tokenizer, texts: Sequence[str], length: int = 128
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the first pieces of each text, marks of begin and end among them.

    Shapes: ids int64 [N, T], mask bool [N, T], True for pieces and False for padding, which has
    number 0. T is that of the longest text, and at most `length`.
    """
    tokenizer.enable_truncation(length)
    tokenizer.no_padding()
    rows = [found.ids for found in tokenizer.encode_batch(list(texts))]
    longest = max(map(len, rows), default=0)
    ids = np.zeros((len(rows), longest), dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=bool)
    for row, (numbers, place) in enumerate(zip(rows, mask, strict=True)):
        ids[row, : len(numbers)] = numbers
        place[: len(numbers)] = True
    return ids, mask
