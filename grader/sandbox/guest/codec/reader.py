"""From the bytes of a frame to a value, distrusting every one of them."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .bounds import (
    ANSWER,
    ARRAY_DTYPES,
    MAX_CLASS_NAME,
    MAX_DIMENSIONS,
    MAX_INT_BITS,
    MAX_KEY_BITS,
    MAX_SIZE,
    PREFIX,
    TENSOR_DTYPES,
    CodecError,
    FrameBounds,
    Handle,
    checked_text,
)

_MAX_PRODUCT = 2**62


def frame_lengths(prefix: bytes, limits: FrameBounds = ANSWER) -> tuple[int, int]:
    """Return (header length, buffers' length) of a 12-byte prefix, within the caps."""
    header, buffers = PREFIX.unpack(prefix)
    if header > limits.header_bytes or buffers > limits.buffer_bytes:
        raise CodecError(f"a frame of {header:,} + {buffers:,} bytes is too large")
    return header, buffers


def read_header(
    data: bytes, buffers_length: int, limits: FrameBounds = ANSWER
) -> tuple[Any, list[_Spec]]:
    """Parse a header; check its buffers' claims against the announced length before any is read."""
    try:
        header = json.loads(
            data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_object
        )
    except (ValueError, RecursionError):
        raise CodecError("a frame's header is not JSON") from None
    if type(header) is not dict or header.keys() != {"v", "b"} or type(header["b"]) is not list:
        raise CodecError("a frame's header has the wrong form")
    if len(header["b"]) > limits.buffers:
        raise CodecError(f"a frame with {len(header['b'])} arrays has too many")
    specs = [_Spec.read(entry) for entry in header["b"]]
    if sum(spec.length for spec in specs) != buffers_length:
        raise CodecError("a frame's arrays do not add up to its length")
    return header["v"], specs


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a JSON object, refusing a doubled key: two readers could take it differently."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice")
    return result


@dataclass(frozen=True)
class _Spec:
    """The claimed type and shape of one buffer."""

    dtype: str
    shape: tuple[int, ...]
    length: int

    @classmethod
    def read(cls, entry: Any) -> _Spec:
        if type(entry) is not list or len(entry) != 2 or type(entry[1]) is not list:
            raise CodecError("an array's description has the wrong form")
        dtype, shape = entry
        if type(dtype) is not str or dtype not in ARRAY_DTYPES | TENSOR_DTYPES | {"bytes"}:
            raise CodecError("an array's dtype is not one that may cross")
        if len(shape) > MAX_DIMENSIONS:
            raise CodecError("an array has too many dimensions")
        if not all(type(n) is int and 0 <= n <= MAX_SIZE for n in shape):
            raise CodecError("an array's shape is not a list of sizes")
        itemsize = {"bytes": 1, "bfloat16": 2}.get(dtype) or np.dtype(dtype).itemsize
        # The sizes beside a zero are multiplied too, by NumPy, which raises if they overflow.
        if math.prod(max(n, 1) for n in shape) * itemsize > _MAX_PRODUCT:
            raise CodecError("an array's sizes are too large")
        return cls(dtype, tuple(shape), math.prod(shape) * itemsize)


def decode(
    tree: Any,
    specs: list[_Spec],
    buffers: bytearray,
    resolve: Callable[[Handle], Any] | None = None,
    restore: Callable[[Any], Any] = lambda value: value,
    limits: FrameBounds = ANSWER,
) -> Any:
    """Rebuild a value from a checked header and its buffers; each buffer serves one value.

    `resolve` turns a handle into what stands for it on this side; without it the handle itself
    is the value. `restore` may give a tuple or dict another class. Raises CodecError for anything
    that `encode` would not have written.
    """
    return _Reader(specs, buffers, resolve, restore, limits.depth).value(tree)


class _Reader:
    """Turns a tree back into a value, distrusting every node of it."""

    def __init__(
        self,
        specs: list[_Spec],
        buffers: bytearray,
        resolve: Callable[[Handle], Any] | None,
        restore: Callable[[Any], Any],
        depth: int,
    ) -> None:
        self.specs = specs
        self.resolve = resolve
        self.restore = restore
        self.depth = depth
        view = memoryview(buffers)
        self.views: list[memoryview | None] = []
        start = 0
        for spec in specs:
            self.views.append(view[start : start + spec.length])
            start += spec.length

    def value(self, tree: Any) -> Any:
        value = self.node(tree, 0)
        if any(view is not None for view in self.views):
            raise CodecError("an array belongs to no value")
        return value

    def node(self, tree: Any, depth: int) -> Any:
        if depth > self.depth:
            raise CodecError("a value is nested too deeply")
        kind = type(tree)
        if tree is None or kind is bool:
            return tree
        if kind is str:
            return checked_text(tree)
        if kind is float:
            # JSON writes no non-finite number, yet 1e999 parses as one.
            if not math.isfinite(tree):
                raise CodecError("a number overflows")
            return tree
        if kind is int:
            if tree.bit_length() > MAX_INT_BITS:
                raise CodecError("an int has too many bits")
            return tree
        if kind is not dict or len(tree) != 1:
            raise CodecError("a value's node has the wrong form")
        ((tag, body),) = tree.items()
        return self.tagged(tag, body, depth)

    def tagged(self, tag: str, body: Any, depth: int) -> Any:
        if tag in ("l", "t", "d") and type(body) is not list:
            raise CodecError("a container's node has the wrong form")
        if tag == "l":
            return [self.node(x, depth + 1) for x in body]
        if tag == "t":
            return self.restore(tuple(self.node(x, depth + 1) for x in body))
        if tag == "d":
            return self.restore(self.mapping(body, depth))
        if tag == "f" and body in ("nan", "inf", "-inf"):
            return float(body)
        if tag == "h":
            return self.handle(body)
        if tag in ("y", "a", "s", "T"):
            return self.buffer(tag, body)
        raise CodecError("a value's node has an unknown kind")

    def mapping(self, body: list[Any], depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for pair in body:
            if type(pair) is not list or len(pair) != 2:
                raise CodecError("a dict's entry has the wrong form")
            key = self.node(pair[0], depth + 1)
            if type(key) not in (str, int, bool, float, type(None)):
                raise CodecError("a dict's key has the wrong type")
            if type(key) is int and key.bit_length() > MAX_KEY_BITS:
                raise CodecError("a dict's key has too many bits")
            result[key] = self.node(pair[1], depth + 1)
        if len(result) != len(body):
            raise CodecError("a dict has the same key twice")
        return result

    def handle(self, body: Any) -> Any:
        if type(body) is not list or [type(x) for x in body] != [int, str]:
            raise CodecError("a handle has the wrong form")
        handle = Handle(body[0], checked_text(body[1]))
        if not 0 <= handle.id < 2**63 or len(handle.class_name) > MAX_CLASS_NAME:
            raise CodecError("a handle is too large")
        return self.resolve(handle) if self.resolve else handle

    def buffer(self, tag: str, index: Any) -> Any:
        if type(index) is not int or not 0 <= index < len(self.specs):
            raise CodecError("an array's index is out of range")
        view, spec = self.views[index], self.specs[index]
        if view is None:
            raise CodecError("an array is used twice")
        self.views[index] = None  # else a small frame could name one buffer a million times
        if tag == "y":
            if spec.dtype != "bytes" or len(spec.shape) != 1:
                raise CodecError("bytes have the wrong form")
            return bytes(view)
        if tag == "T":
            return _tensor(spec, view)
        if spec.dtype not in ARRAY_DTYPES:
            raise CodecError("an array's dtype is not NumPy's")
        array = _array(spec, view)
        if tag == "a":
            return array
        if spec.shape != ():
            raise CodecError("a scalar has a shape")
        return array[()]


def _array(spec: _Spec, view: memoryview) -> np.ndarray[Any, Any]:
    if spec.dtype == "bool":
        # A bool of bits 0x02 is true to one operation and unequal to True in the next.
        truth: np.ndarray[Any, Any] = np.frombuffer(view, dtype=np.uint8) != 0
        return truth.reshape(spec.shape)
    array: np.ndarray[Any, Any] = np.frombuffer(view, dtype=spec.dtype)
    return array.reshape(spec.shape).copy()


def _tensor(spec: _Spec, view: memoryview) -> Any:
    torch = sys.modules.get("torch")
    if torch is None or spec.dtype not in TENSOR_DTYPES:
        raise CodecError("a tensor cannot be received here")
    if spec.dtype == "bool":
        return torch.from_numpy(_array(spec, view))
    dtype = getattr(torch, spec.dtype)
    if spec.length == 0:
        return torch.empty(spec.shape, dtype=dtype)
    return torch.frombuffer(bytearray(view), dtype=dtype).reshape(spec.shape)
