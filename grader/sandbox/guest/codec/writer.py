"""From a value to the chunks of a frame; what cannot cross stays behind a handle."""

from __future__ import annotations

import json
import math
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .bounds import (
    ANSWER,
    ARRAY_DTYPES,
    MAX_DIMENSIONS,
    MAX_INT_BITS,
    MAX_KEY_BITS,
    PREFIX,
    TENSOR_DTYPES,
    CodecError,
    FrameBounds,
    Handle,
    checked_text,
)

_ENVELOPE_BYTES = 1_000  # of a header: what stands around a value that crosses


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
            return json.dumps(checked_text(value))
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
