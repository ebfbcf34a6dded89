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

Nothing is ever unpickled, and only exact types are encoded: a list subclass with a lying
``__eq__`` leaves the sandbox as a handle, not as a list. This file also runs inside the sandbox,
so it imports only the standard library, NumPy and, where there is one, torch.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

PREFIX = struct.Struct("!IQ")
MAX_HEADER_BYTES = 1_000_000
MAX_BUFFER_BYTES = 256_000_000
MAX_BUFFERS = 256
MAX_DIMENSIONS = 8
MAX_DEPTH = 20
MAX_INT_BITS = 256
# Ints that are equal modulo 2**61 - 1 fall into one slot of a dict. Of 256 bits, a header holds
# enough of them to keep a CPU busy for many seconds; of 64 bits there are no more than 16.
MAX_KEY_BITS = 64
MAX_CLASS_NAME = 100
_MAX_PRODUCT = 2**62

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


def encode(value: Any, handle_of: Callable[[Any], Handle] | None = None) -> list[bytes]:
    """Encode a value as the chunks of one frame.

    `handle_of` keeps an object that cannot cross and returns its handle; without it such an
    object raises CodecError.
    """
    writer = _Writer(handle_of)
    tree = writer.node(value, 0)
    header = json.dumps(
        {"v": tree, "b": writer.specs}, separators=(",", ":"), allow_nan=False
    ).encode()
    total = sum(len(buffer) for buffer in writer.buffers)
    if len(header) > MAX_HEADER_BYTES:
        raise CodecError(f"a value of {len(header):,} bytes besides its arrays is too large")
    if total > MAX_BUFFER_BYTES:
        raise CodecError(f"arrays of {total:,} bytes in one value are too large")
    return [PREFIX.pack(len(header), total), header, *writer.buffers]


class _Writer:
    """Collects buffers while it turns a value into a tree."""

    def __init__(self, handle_of: Callable[[Any], Handle] | None) -> None:
        self.handle_of = handle_of
        self.specs: list[list[Any]] = []
        self.buffers: list[bytes] = []

    def node(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise CodecError(f"a value nested deeper than {MAX_DEPTH} levels cannot cross")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return _checked_text(value)
        if kind is int:
            if value.bit_length() > MAX_INT_BITS:
                raise CodecError("an int of more than 256 bits cannot cross")
            return value
        if kind is float:
            return value if math.isfinite(value) else {"f": str(value)}
        if kind is list or kind is tuple:
            return {"l" if kind is list else "t": [self.node(x, depth + 1) for x in value]}
        if kind is dict or kind is OrderedDict:
            return {"d": [[self.key(k), self.node(v, depth + 1)] for k, v in value.items()]}
        return self.leaf(value, kind)

    def key(self, key: Any) -> Any:
        if type(key) not in (str, int, bool, float, type(None)):
            raise CodecError(f"a dict key of type {type(key).__name__} cannot cross")
        if type(key) is int and key.bit_length() > MAX_KEY_BITS:
            raise CodecError(f"a dict key of more than {MAX_KEY_BITS} bits cannot cross")
        return self.node(key, MAX_DEPTH)

    def leaf(self, value: Any, kind: type) -> Any:
        if kind is bytes:
            return {"y": self.buffer("bytes", (len(value),), value)}
        if kind is np.ndarray and value.dtype.name in ARRAY_DTYPES and value.ndim <= MAX_DIMENSIONS:
            return {"a": self.array(value)}
        if isinstance(value, np.generic) and kind.__module__ == "numpy":
            if value.dtype.name in ARRAY_DTYPES:
                return {"s": self.array(np.asarray(value))}
        if kind is Handle:
            return {"h": [value.id, value.class_name]}
        bits = _tensor_bits(value, kind)
        if bits is not None:
            name, array = bits
            return {"T": self.buffer(name, array.shape, array.tobytes())}
        if self.handle_of is None:
            raise CodecError(f"an object of type {kind.__name__} cannot cross")
        return self.leaf(self.handle_of(value), Handle)

    def array(self, array: np.ndarray[Any, Any]) -> int:
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        return self.buffer(array.dtype.name, array.shape, native.tobytes())

    def buffer(self, dtype: str, shape: tuple[int, ...], data: bytes) -> int:
        if len(self.buffers) == MAX_BUFFERS:
            raise CodecError(f"more than {MAX_BUFFERS} arrays in one value cannot cross")
        self.specs.append([dtype, list(shape)])
        self.buffers.append(data)
        return len(self.buffers) - 1


def _checked_text(text: str) -> str:
    """Return the text; CodecError if it has half a surrogate pair, which no report can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CodecError("a str that is no valid Unicode cannot cross") from None
    return text


def _tensor_bits(value: Any, kind: type) -> tuple[str, np.ndarray[Any, Any]] | None:
    """Return (dtype name, array of the same bits) of a plain dense tensor, else None."""
    torch = sys.modules.get("torch")
    if torch is None or kind not in (torch.Tensor, torch.nn.Parameter):
        return None
    name = str(value.dtype).removeprefix("torch.")
    if value.layout != torch.strided or name not in TENSOR_DTYPES or value.dim() > MAX_DIMENSIONS:
        return None
    plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    if name == "bfloat16":
        plain = plain.view(torch.uint16)
    return name, plain.numpy()


def frame_lengths(prefix: bytes) -> tuple[int, int]:
    """Return (header length, buffers' length) of a 12-byte prefix, within the caps."""
    header, buffers = PREFIX.unpack(prefix)
    if header > MAX_HEADER_BYTES or buffers > MAX_BUFFER_BYTES:
        raise CodecError(f"a frame of {header:,} + {buffers:,} bytes is too large")
    return header, buffers


def read_header(data: bytes, buffers_length: int) -> tuple[Any, list[_Spec]]:
    """Parse a header; check its buffers' claims against the announced length before any is read."""
    try:
        header = json.loads(
            data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_object
        )
    except (ValueError, RecursionError):
        raise CodecError("a frame's header is not JSON") from None
    if type(header) is not dict or header.keys() != {"v", "b"} or type(header["b"]) is not list:
        raise CodecError("a frame's header has the wrong form")
    if len(header["b"]) > MAX_BUFFERS:
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
        if not all(type(n) is int and 0 <= n <= MAX_BUFFER_BYTES for n in shape):
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
) -> Any:
    """Rebuild a value from a checked header and its buffers; each buffer serves one value.

    `resolve` turns a handle into what stands for it on this side; without it the handle itself
    is the value. Raises CodecError for anything that `encode` would not have written.
    """
    return _Reader(specs, buffers, resolve).value(tree)


class _Reader:
    """Turns a tree back into a value, distrusting every node of it."""

    def __init__(
        self, specs: list[_Spec], buffers: bytearray, resolve: Callable[[Handle], Any] | None
    ) -> None:
        self.specs = specs
        self.resolve = resolve
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
        if depth > MAX_DEPTH:
            raise CodecError("a value is nested too deeply")
        kind = type(tree)
        if tree is None or kind is bool:
            return tree
        if kind is str:
            return _checked_text(tree)
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
            return tuple(self.node(x, depth + 1) for x in body)
        if tag == "d":
            return self.mapping(body, depth)
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
        handle = Handle(body[0], _checked_text(body[1]))
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
