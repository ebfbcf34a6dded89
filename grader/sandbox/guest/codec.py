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

This file also runs inside the sandbox, so it imports only the standard library, NumPy and, where
there is one, torch.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

PREFIX = struct.Struct("!IQ")
MAX_DIMENSIONS = 8
MAX_SIZE = 256_000_000  # of one dimension
MAX_INT_BITS = 256
# Ints that are equal modulo 2**61 - 1 fall into one slot of a dict. Of 256 bits, a header holds
# enough of them to keep a CPU busy for many seconds; of 64 bits there are no more than 16.
MAX_KEY_BITS = 64
MAX_CLASS_NAME = 100
_MAX_PRODUCT = 2**62
_ENVELOPE_BYTES = 1_000  # of a header: what stands around a value that crosses


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


def encode(
    value: Any,
    handle_of: Callable[[Any], Handle] | None = None,
    crossed: Callable[[Any], None] = lambda value: None,
    limits: FrameBounds = ANSWER,
) -> list[bytes]:
    """Encode a value as the chunks of one frame.

    `handle_of` keeps an object that cannot cross and returns its handle; without it such an
    object raises CodecError. `crossed` hears of each object that crosses as a plain tuple or dict
    although its class is a subclass of these.
    """
    writer = _Writer(handle_of, crossed, limits)
    tree = writer.node(value, 0)
    header = f'{{"v":{tree},"b":[{",".join(writer.specs)}]}}'.encode()
    if len(header) > limits.header_bytes:
        raise CodecError(_too_long(len(header)))
    return [PREFIX.pack(len(header), writer.buffer_bytes), header, *writer.buffers]


def _too_long(count: int) -> str:
    return f"a value of {count:,} bytes besides its arrays is too large"


class _Mark(NamedTuple):
    """How far a frame had grown before a part of it."""

    buffers: int
    buffer_bytes: int
    spec_bytes: int


class _Writer:
    """Writes a value's tree as JSON, and collects its buffers."""

    def __init__(
        self,
        handle_of: Callable[[Any], Handle] | None,
        crossed: Callable[[Any], None],
        limits: FrameBounds,
    ) -> None:
        self.handle_of = handle_of
        self.crossed = crossed
        self.limits = limits
        self.specs: list[str] = []
        self.spec_bytes = 0
        self.buffers: list[bytes] = []
        self.buffer_bytes = 0
        self.open: set[int] = set()  # ids of the containers around what is being written
        self.stayed: dict[int, str] = {}  # by id: what stands in many places is tried once

    def node(self, value: Any, depth: int) -> str:
        """Return the tree of a value, or of the handle that stands for it, as JSON."""
        if depth > self.limits.depth:
            raise CodecError(f"a value nested deeper than {self.limits.depth} levels cannot cross")
        if id(value) in self.stayed:
            return self.stayed[id(value)]
        before = self.mark()
        try:
            container = isinstance(value, (tuple, dict)) or type(value) is list
            tree = self.container(value, depth, before) if container else self.leaf(value)
            self.check_size(len(tree), depth, before)
        except CodecError:
            if self.handle_of is None:
                raise
            self.take_back(before)
            tree = self.stayed[id(value)] = self.handle(self.handle_of(value))
        return tree

    def container(self, value: Any, depth: int, before: _Mark) -> str:
        if id(value) in self.open:
            raise CodecError("a value nested in itself cannot cross")
        self.open.add(id(value))
        try:
            parts, length = [], 0
            for part in self.parts(value, depth + 1):
                parts.append(part)
                length += len(part) + 1
                self.check_size(length, depth, before)  # now: the rest may be endless
        finally:
            self.open.remove(id(value))
        if type(value) not in (list, tuple, dict):
            self.crossed(value)
        kind = "d" if isinstance(value, dict) else "t" if isinstance(value, tuple) else "l"
        return f'{{"{kind}":[{",".join(parts)}]}}'

    def parts(self, value: Any, depth: int) -> Iterator[str]:
        if isinstance(value, dict):
            # An OrderedDict has an order of its own beside that of the dict that it is.
            kind = OrderedDict if isinstance(value, OrderedDict) else dict
            for key, item in kind.items(value):
                yield f"[{self.key(key)},{self.node(item, depth)}]"
        else:
            for item in tuple.__iter__(value) if isinstance(value, tuple) else value:
                yield self.node(item, depth)

    def key(self, key: Any) -> str:
        if type(key) not in (str, int, bool, float, type(None)):
            raise CodecError(f"a dict key of type {type(key).__name__} cannot cross")
        if type(key) is int and key.bit_length() > MAX_KEY_BITS:
            raise CodecError(f"a dict key of more than {MAX_KEY_BITS} bits cannot cross")
        return self.leaf(key)

    def leaf(self, value: Any) -> str:
        kind = type(value)
        if value is None or kind is bool:
            return "null" if value is None else "true" if value else "false"
        if kind is str:
            return json.dumps(_checked_text(value))
        if kind is int:
            if value.bit_length() > MAX_INT_BITS:
                raise CodecError(f"an int of more than {MAX_INT_BITS} bits cannot cross")
            return str(value)
        if kind is float:
            return repr(value) if math.isfinite(value) else f'{{"f":"{value}"}}'
        if kind is bytes:
            return self.buffer("y", "bytes", (len(value),), len(value), lambda: value)
        if kind is Handle:
            return self.handle(value)
        return self.numbers(value, kind)

    def numbers(self, value: Any, kind: type) -> str:
        """Return the tree of an array, a NumPy scalar or a tensor; CodecError for other objects."""
        if kind is np.ndarray and value.dtype.name in ARRAY_DTYPES and value.ndim <= MAX_DIMENSIONS:
            return self.array("a", value)
        if isinstance(value, np.generic) and kind.__module__ == "numpy":
            if value.dtype.name in ARRAY_DTYPES:
                return self.array("s", np.asarray(value))
        bits = _tensor_bits(value, kind)
        if bits is None:
            raise CodecError(f"an object of type {kind.__name__} cannot cross")
        name, array = bits
        return self.buffer("T", name, array.shape, array.nbytes, array.tobytes)

    def array(self, tag: str, array: np.ndarray[Any, Any]) -> str:
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        return self.buffer(tag, array.dtype.name, array.shape, native.nbytes, native.tobytes)

    def handle(self, handle: Handle) -> str:
        return f'{{"h":[{handle.id},{json.dumps(handle.class_name)}]}}'

    def buffer(
        self, tag: str, dtype: str, shape: tuple[int, ...], size: int, data: Callable[[], bytes]
    ) -> str:
        """Add a buffer, unless it is too large by itself, and return the node that names it."""
        if size > self.limits.buffer_bytes:
            raise CodecError(f"arrays of {size:,} bytes in one value are too large")
        self.specs.append(json.dumps([dtype, list(shape)], separators=(",", ":")))
        self.spec_bytes += len(self.specs[-1]) + 1
        self.buffers.append(data())
        self.buffer_bytes += size
        return f'{{"{tag}":{len(self.buffers) - 1}}}'

    def mark(self) -> _Mark:
        return _Mark(len(self.buffers), self.buffer_bytes, self.spec_bytes)

    def take_back(self, before: _Mark) -> None:
        """Forget the buffers that were added since."""
        del self.buffers[before.buffers :], self.specs[before.buffers :]
        _, self.buffer_bytes, self.spec_bytes = before

    def check_size(self, length: int, depth: int, before: _Mark) -> None:
        """Raise CodecError if a tree of this length and the buffers since are too large."""
        arrays, size = len(self.buffers) - before.buffers, self.buffer_bytes - before.buffer_bytes
        length += self.spec_bytes - before.spec_bytes
        if arrays > self.limits.buffers:
            raise CodecError(f"more than {self.limits.buffers} arrays in one value cannot cross")
        if size > self.limits.buffer_bytes:
            raise CodecError(f"arrays of {size:,} bytes in one value are too large")
        # A part leaves room for what stands around it.
        if length > self.limits.header_bytes - (_ENVELOPE_BYTES if depth else 0):
            raise CodecError(_too_long(length))


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
