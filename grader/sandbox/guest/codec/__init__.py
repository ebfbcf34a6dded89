"""Frames of plain values: the only bytes that cross between grader and student code.

A frame is a 12-byte prefix (header length u32, length of all buffers u64, big endian), a JSON
header and the raw buffers. The header is ``{"v": tree, "b": [[dtype, shape], ...]}``. In the tree,
None, bool, int, finite float and str stand for themselves and everything else is an object with
one key that names its kind:

    {"f": "nan"|"inf"|"-inf"}   a float JSON cannot write
    {"l": [...]} {"t": [...]}   list, tuple
    {"d": [[key, value], ...]}  dict with plain keys
    {"y": i}                    bytes, in buffer i
    {"a": i} {"s": i} {"T": i}  ndarray, NumPy scalar, torch tensor, in buffer i
    {"h": [id, "ClassName"]}    a handle: an object that stays on the other side

Nothing is ever unpickled, and only plain values are built: a list subclass with a lying ``__eq__``
leaves the sandbox as a handle, a subclass of tuple or dict as the plain one that it holds.
What cannot cross (a dict keyed by tuples, an int of 300 bits) or is too large by itself (a list of
300 arrays) stays behind as one handle, and the value around it crosses.

These files also run inside the sandbox, so they import only the standard library, NumPy and, where
there is one, torch.
"""

from .bounds import (
    ANSWER,
    ARRAY_DTYPES,
    PREFIX,
    REQUEST,
    TENSOR_DTYPES,
    USUAL_BYTES,
    CodecError,
    FrameBounds,
    Handle,
    answer_of,
)
from .reader import decode, frame_lengths, read_header
from .writer import encode

__all__ = [
    "ANSWER",
    "ARRAY_DTYPES",
    "PREFIX",
    "REQUEST",
    "TENSOR_DTYPES",
    "USUAL_BYTES",
    "CodecError",
    "FrameBounds",
    "Handle",
    "answer_of",
    "decode",
    "encode",
    "frame_lengths",
    "read_header",
]
