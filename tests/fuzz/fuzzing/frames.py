"""The promises of the wire's codec, checked by a reader of its own.

`check` lets the codec read a frame and, if it accepts it, holds the value against the frame: by a
second, strict reading of the header and by the raw bytes of each buffer. The caps stand here as
the security design gives them, so that a cap changed by mistake is seen.
"""

from __future__ import annotations

import json
import math
import socket
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from fuzzing.frame_grammar import SIZES
from fuzzing.limits import cpu_at_most, expect, memory_at_most, only

from grader.sandbox.guest import codec
from grader.sandbox.host.channel import Channel
from grader.sandbox.host.failures import StudentError, StudentRaised

HEADER_BYTES, BUFFER_BYTES, BUFFERS, DIMENSIONS, DEPTH, INT_BITS = (
    1_000_000, 256_000_000, 256, 8, 20, 256,
)  # fmt: skip
CPU_SECONDS = 3.0
_SLOWER = 5  # times, while allocations are counted
_BYTES_A_BYTE = 100  # what the parts of a header may take in memory: {"l":[]} is the worst
_ARRAYS = {*SIZES} - {"bytes", "bfloat16"}
_TENSORS = {*SIZES} - {"bytes", "uint16", "uint32", "uint64"}


def check(data: bytes, *, closely: bool = True) -> str:
    """Read a frame and judge what comes of it; returns "refused", "short" or "value".

    `closely` also counts memory, hands the frame to a channel, and looks for shared bytes.
    Raises Finding.
    """
    outcome, found = _outcome(data, closely)
    if found is not None:
        with cpu_at_most(10 * CPU_SECONDS):  # the judge's own work counts here
            _judge_value(*found, closely)
    if closely and len(data) < 60_000:
        _judge_channel(data, outcome)
    return outcome


def _outcome(data: bytes, closely: bool) -> tuple[str, tuple[bytes, bytearray, Any] | None]:
    """Let the codec read, within its time and memory."""
    most = 200_000 + _BYTES_A_BYTE * len(data)
    try:
        with (
            cpu_at_most(CPU_SECONDS * (_SLOWER if closely else 1)),
            memory_at_most(most, where=closely),
        ):
            found = _read(data)
    except codec.CodecError:
        return "refused", None
    return ("short" if found is None else "value"), found


def _judge_value(header: bytes, body: bytearray, value: Any, closely: bool) -> None:
    _judge(header, bytes(body), value)
    with suppress(codec.CodecError):
        # A header near its cap may be over it when 1e9 is written as 1000000000.0.
        _judge_again(value, *[codec.CodecError] * (len(header) > HEADER_BYTES // 10))
    if closely:
        _judge_apart(header, body, value)


def _read(data: bytes) -> tuple[bytes, bytearray, Any] | None:
    """Do what the channel does with bytes that have come; None if it would wait for more."""
    with only(codec.CodecError):
        if len(data) < 12:
            return None
        length, buffers = codec.frame_lengths(data[:12])
        header = data[12 : 12 + length]
        if len(header) < length:
            return None
        tree, specs = codec.read_header(header, buffers)
        body = bytearray(data[12 + length : 12 + length + buffers])
        if len(body) < buffers:
            return None
        return header, body, codec.decode(tree, specs, body)


def _judge(header: bytes, body: bytes, value: Any) -> None:
    """Hold a value against the frame it came from."""
    expect(len(header) <= HEADER_BYTES and len(body) <= BUFFER_BYTES, "a frame is within its caps")
    tree = json.loads(header.decode(), object_pairs_hook=_unique, parse_constant=_never)
    expect(tree.keys() == {"v", "b"}, "a header has two parts")
    judge = _Judge(tree["b"], body)
    judge.node(tree["v"], value, 0)
    expect(judge.used == set(range(len(judge.specs))), "every buffer belongs to a value")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    expect(len(dict(pairs)) == len(pairs), "a JSON object has each key once")
    return dict(pairs)


def _never(literal: str) -> None:
    expect(False, f"the literal {literal} is refused")


def _judge_again(value: Any, *allowed: type[Exception]) -> None:
    """A value that was read can be written, and comes back the same."""
    with only(*allowed):
        length, header, *buffers = codec.encode(value)
        body = b"".join(buffers)
        _judge(header, body, value)
        tree, specs = codec.read_header(header, len(body))
        again = codec.decode(tree, specs, bytearray(body))
    _judge(header, body, again)


def _judge_apart(header: bytes, body: bytearray, value: Any) -> None:
    """A value shares no memory with the bytes that came: they may be overwritten."""
    before = bytes(body)
    body[:] = bytes(byte ^ 0xFF for byte in body)
    _judge(header, before, value)


class _Judge:
    """Walks a header's tree and the value side by side."""

    def __init__(self, specs: Any, body: bytes) -> None:
        expect(type(specs) is list and len(specs) <= BUFFERS, "arrays are within their cap")
        self.specs = specs
        self.used: set[int] = set()
        self.parts: list[bytes] = []
        at = 0
        for dtype, shape in specs:
            expect(len(shape) <= DIMENSIONS, "dimensions are within their cap")
            expect(all(type(n) is int and n >= 0 for n in shape), "a shape is a list of sizes")
            expect(dtype in SIZES, "a dtype is on the list")
            length = math.prod(shape) * SIZES[dtype]
            self.parts.append(body[at : at + length])
            at += length
        expect(at == len(body), "n * itemsize == length")

    def node(self, tree: Any, value: Any, depth: int) -> None:
        expect(depth <= DEPTH, "depth is within its cap")
        if type(tree) is dict:
            expect(len(tree) == 1, "a node has one kind")
            ((kind, inner),) = tree.items()
            self.tagged(kind, inner, value, depth)
            return
        expect(type(tree) is type(value), "a plain value keeps its exact type")
        expect(tree == value, "a plain value is what the header says")
        if type(tree) is int:
            expect(tree.bit_length() <= INT_BITS, "an int is within its cap")
        elif type(tree) is float:
            expect(math.isfinite(tree), "a number that overflows is refused")
            expect(math.copysign(1, tree) == math.copysign(1, value), "a zero keeps its sign")
        elif type(tree) is str:
            expect(tree.isascii() or _is_text(tree), "a str is valid Unicode")
        else:
            expect(tree is None or type(tree) is bool, "a plain value is of a plain type")

    def tagged(self, kind: str, inner: Any, value: Any, depth: int) -> None:
        if kind in ("l", "t"):
            expect(type(value) is (list if kind == "l" else tuple), "a container is exactly one")
            expect(len(value) == len(inner), "a container has the length it says")
            for one, other in zip(inner, value, strict=True):
                self.node(one, other, depth + 1)
        elif kind == "d":
            self.mapping(inner, value, depth)
        elif kind == "f":
            expect(type(value) is float and str(value) == inner, "nan and inf are what they say")
        elif kind == "h":
            self.handle(inner, value)
        else:
            self.buffer(kind, inner, value)

    def mapping(self, inner: Any, value: Any, depth: int) -> None:
        expect(type(value) is dict and len(value) == len(inner), "a dict has the entries it says")
        for (key, one), (real, other) in zip(inner, value.items(), strict=True):
            expect(type(real) in (str, int, bool, float, type(None)), "a key is a plain scalar")
            self.node(key, real, depth + 1)
            self.node(one, other, depth + 1)

    def handle(self, inner: Any, value: Any) -> None:
        expect(type(value) is codec.Handle, "a handle is a Handle")
        expect([value.id, value.class_name] == inner, "a handle is what the header says")
        expect(type(value.id) is int and 0 <= value.id < 2**63, "a handle's id is a count")
        expect(_is_text(value.class_name) and len(value.class_name) <= 100, "its name is short")

    def buffer(self, kind: str, index: Any, value: Any) -> None:
        expect(type(index) is int and 0 <= index < len(self.specs), "an index is in range")
        expect(index not in self.used, "a buffer serves one value")
        self.used.add(index)
        (dtype, shape), raw = self.specs[index], self.parts[index]
        if dtype == "bool":
            raw = bytes(map(bool, raw))
        if kind == "y":
            expect(type(value) is bytes and dtype == "bytes", "bytes are bytes")
            expect(value == raw and shape == [len(raw)], "bytes are what the buffer holds")
        elif kind == "T":
            _judge_tensor(dtype, shape, raw, value)
        else:
            _judge_array(kind, dtype, shape, raw, value)


def _judge_array(kind: str, dtype: str, shape: list[int], raw: bytes, value: Any) -> None:
    expect(dtype in _ARRAYS, "an array's dtype is on the list")
    expect(value.dtype.name == dtype and value.dtype.isnative, "an array has the dtype it says")
    expect(list(value.shape) == shape, "an array has the shape it says")
    if kind == "a":
        expect(type(value) is np.ndarray, "an array is exactly an ndarray")
        expect(value.flags.c_contiguous and value.flags.aligned, "an array lies in one piece")
    else:
        expect(kind == "s" and type(value).__module__ == "numpy", "a scalar is NumPy's")
        expect(isinstance(value, np.generic) and shape == [], "a scalar has no shape")
    expect(value.tobytes() == raw, "an array holds its own buffer's bytes, a bool 0 or 1")


def _judge_tensor(dtype: str, shape: list[int], raw: bytes, value: Any) -> None:
    expect(dtype in _TENSORS, "a tensor's dtype is on the list")
    expect(type(value) is torch.Tensor, "a tensor is exactly a Tensor")
    expect(str(value.dtype) == f"torch.{dtype}", "a tensor has the dtype it says")
    expect(list(value.shape) == shape, "a tensor has the shape it says")
    expect(value.is_contiguous() and value.layout == torch.strided, "a tensor lies in one piece")
    expect(value.device.type == "cpu" and not value.requires_grad, "a tensor is plain")
    expect(value.storage_offset() == 0, "a tensor begins where its memory does")
    expect(value.untyped_storage().nbytes() >= len(raw), "a tensor's memory holds all of it")
    if raw:
        bits = value.reshape(-1).view(torch.uint8).numpy().tobytes()
        expect(bits == raw, "a tensor holds its own buffer's bytes, a bool 0 or 1")


def _is_text(text: Any) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _judge_channel(data: bytes, outcome: str) -> None:
    """Only a StudentError leaves a channel, short and of plain texts."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        try:
            with only(StudentError):
                Channel(ours, lambda: None).ask("call")
        except StudentRaised as raised:
            expect(outcome == "value", "only a sound frame says that student code raised")
            _judge_raised(raised)
        except StudentError as error:
            expect(len(str(error)) < 500, "what a channel says is short")
        else:
            expect(outcome == "value", "only a sound frame is an answer")


def _judge_raised(raised: StudentRaised) -> None:
    expect(type(raised.types) is list and len(raised.types) <= 20, "few class names are kept")
    expect(all(type(name) is str and len(name) <= 100 for name in raised.types), "short names")
    for text in (raised.message, raised.traceback):
        expect(type(text) is str and len(text) <= 4000, "short texts")
