"""Read tensors from files of type safetensors: names, shapes and numbers, and nothing that runs.

Such a file begins with the length of its header, 64 bits, least significant byte first. The header
is JSON: for each tensor its type, its shape and where its numbers begin and end behind the header.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .kinds import DataError

MOST_TENSORS = 10_000
LONGEST_HEADER = 1 << 24  # bytes
LARGEST = 1 << 31  # bytes of the file
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}


def read_tensors(
    path: Path, wanted: Callable[[str], bool] = lambda name: True
) -> dict[str, np.ndarray]:
    """Return the tensors of a file whose names are `wanted`; the others are not read.

    Raises DataError naming the file if it is absent, damaged, or of other types.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            start, header = _header(file.read(8), file.read, size)
            tensors = {}
            for name, (dtype, shape, begin, _) in header.items():
                if wanted(name):
                    file.seek(start + begin)
                    tensors[name] = np.fromfile(file, dtype, math.prod(shape)).reshape(shape)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): fetch it again") from error
    except ValueError as error:
        raise DataError(f"{path} is no sound file of tensors ({error}): fetch it again") from error
    return tensors


Entry = tuple[np.dtype, tuple[int, ...], int, int]  # type, shape, first byte, the one behind


def _header(first: bytes, read: Callable[[int], bytes], size: int) -> tuple[int, dict[str, Entry]]:
    """Return where the numbers begin, and an entry for each tensor. Raises ValueError."""
    if len(first) < 8 or size > LARGEST:
        raise ValueError(f"it has {size} bytes")
    (length,) = struct.unpack("<Q", first)
    if length > min(LONGEST_HEADER, size - 8):
        raise ValueError(f"its header would have {length} bytes")
    try:
        stated = json.loads(read(length))
    except RecursionError as error:
        raise ValueError("its header is nested too deep") from error
    if not isinstance(stated, dict) or len(stated) > MOST_TENSORS:
        raise ValueError("its header names no tensors, or too many")
    start = 8 + length
    return start, {
        name: _entry(name, stated[name], size - start) for name in stated if name != "__metadata__"
    }


def _entry(name: str, stated: object, room: int) -> Entry:
    """Check what the header says about one tensor, with `room` bytes for all their numbers."""
    if not isinstance(stated, dict) or set(stated) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{name} must have type, shape and place")
    dtype, shape, place = stated["dtype"], stated["shape"], stated["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"{name} is of type {dtype}, not one of {', '.join(DTYPES)}")
    if not (_sizes(shape) and len(shape) <= 8 and _sizes(place) and len(place) == 2):
        raise ValueError(f"{name} has no sound shape or place")
    begin, end = place
    numbers = np.dtype(DTYPES[dtype])
    if not begin <= end <= room or end - begin != math.prod(shape) * numbers.itemsize:
        raise ValueError(f"{name} does not fit its place")
    return numbers, tuple(shape), begin, end


def _sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)
