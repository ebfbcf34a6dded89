"""What a frame may hold: sizes, kinds of values, and what stands for those that stay."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

PREFIX = struct.Struct("!IQ")
MAX_DIMENSIONS = 8
MAX_SIZE = 256_000_000  # of one dimension
MAX_INT_BITS = 256
# Ints that are equal modulo 2**61 - 1 fall into one slot of a dict. Of 256 bits, a header holds
# enough of them to keep a CPU busy for many seconds; of 64 bits there are no more than 16.
MAX_KEY_BITS = 64
MAX_CLASS_NAME = 100


@dataclass(frozen=True)
class FrameBounds:
    """What one frame may hold."""

    header_bytes: int
    buffer_bytes: int  # of all its arrays
    buffers: int
    depth: int


ANSWER = FrameBounds(header_bytes=1_000_000, buffer_bytes=256_000_000, buffers=256, depth=20)
USUAL_BYTES = 32_000_000  # of an answer's arrays, where whoever asks names no other number
# A request can hand several answers back, and comes from the trusted side.
REQUEST = FrameBounds(header_bytes=4_000_000, buffer_bytes=1_024_000_000, buffers=1_024, depth=30)


def answer_of(most: int) -> FrameBounds:
    """Return what an answer may hold whose arrays are to have at most so many bytes."""
    return replace(ANSWER, buffer_bytes=min(most, ANSWER.buffer_bytes))


ARRAY_DTYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
    "float16 float32 float64 complex64 complex128".split()
)
# bfloat16 has no NumPy type: its bits travel as uint16.
TENSOR_DTYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 float16 float32 float64 complex64 complex128 "
    "bfloat16".split()
)


class CodecError(ValueError):
    """A value that may not cross, or bytes that are not a frame."""


@dataclass(frozen=True)
class Handle:
    """Names an object that stays on the side that made it."""

    id: int
    class_name: str


def checked_text(text: str) -> str:
    """Return the text; CodecError if it has half a surrogate pair, which no report can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CodecError("a str that is no valid Unicode cannot cross") from None
    return text
