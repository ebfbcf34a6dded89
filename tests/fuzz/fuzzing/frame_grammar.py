"""Frames by grammar: honest ones, ones that lie in a place or two, and changes to given ones."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import prod
from random import Random
from typing import Any

from fuzzing import json_text
from fuzzing.json_text import Literal, Pairs

PREFIX = struct.Struct("!IQ")
SIZES = {
    "bool": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint8": 1, "uint16": 2, "uint32": 4,
    "uint64": 8, "float16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16,
    "bfloat16": 2, "bytes": 1,
}  # fmt: skip
_TENSORS = [name for name in SIZES if name not in ("bytes", "uint16", "uint32", "uint64")]
_ARRAYS = [name for name in SIZES if name not in ("bytes", "bfloat16")]
DTYPES = {"y": ["bytes"], "a": _ARRAYS, "s": _ARRAYS, "T": _TENSORS}
_FORBIDDEN = [
    "object",
    "O",
    "<f8",
    "str",
    "void",
    "V8",
    "U4",
    "datetime64",
    "float128",
    "qint8",
    "",
]
_TEXTS = ["", "x", "ok", "Löss", "\U0001f600", "\x00", "\u202e", "line\nline", "a" * 120]
_KEYS = [*_TEXTS, *range(2, 9), -1, 2**63, 0.5, -0.0, True, None]
_IDS = [0, 1, 2**31, 2**63 - 1]
_NAMES = ["", "Net", "x" * 100, "Löss"]
_NUMBERS = [0, 1, -1, 7, 2**53, -(2**63), 2**255, 0.5, -0.0, 1e308, 5e-324]


class Writer:
    """Builds one frame; `lies` is the chance that a place says what is not so."""

    def __init__(self, rng: Random, lies: float) -> None:
        self.rng = rng
        self.lies = lies
        self.specs: list[Any] = []
        self.body = b""

    def lying(self) -> bool:
        return self.lies > 0 and self.rng.random() < self.lies

    def node(self, depth: int = 0) -> Any:
        rng = self.rng
        if self.lying():
            return json_text.scalar(rng)
        kind = rng.choice("nbif*sslltddyaaasTTh" if depth < 4 else "nbif*syaT")
        if kind == "l" or kind == "t":
            return Pairs([[kind, [self.node(depth + 1) for _ in range(rng.randrange(4))]]])
        if kind == "d":
            keys = rng.sample(_KEYS, rng.randrange(4))
            return Pairs([["d", [self.entry(key, depth) for key in keys]]])
        if kind in "yasT":
            return Pairs([[kind, self.buffer(kind)]])
        if kind == "h":
            lying = self.lies > 0 and rng.random() < 0.2  # handles are rare enough
            ids, names = (_NUMBERS, _TEXTS) if lying else (_IDS, _NAMES)
            return Pairs([["h", [rng.choice(ids), rng.choice(names)]]])
        if kind == "f":
            return Pairs([["f", rng.choice(["nan", "inf", "-inf"])]])
        plain = {"n": [None], "b": [True, False], "i": _NUMBERS, "*": _NUMBERS, "s": _TEXTS}
        return rng.choice(plain[kind])

    def entry(self, key: Any, depth: int) -> Any:
        if self.lying():
            key = self.node(depth + 1)
        return [key, self.node(depth + 1), *([0] if self.lying() else [])]

    def buffer(self, kind: str) -> Any:
        rng = self.rng
        dtype = rng.choice(DTYPES[kind])
        shape = [] if kind == "s" else [rng.randrange(4) for _ in range(rng.randrange(4))]
        if kind == "y":
            shape = [rng.randrange(9)]
        if self.lying():
            shape = [rng.choice([1, 1, 2]) for _ in range(rng.choice([1, 8, 9, 12]))]
        self.body += rng.randbytes(prod(shape) * SIZES[dtype])
        if self.lying():
            dtype = rng.choice([*_FORBIDDEN, *SIZES, 0, None])
        if self.lying():
            shape = rng.choice([[2**62, 0], [-1], [True], [1.5], [0] * 9, [2**31, 2**31], "3", []])
        self.specs.append([dtype, shape])
        if self.lying():
            return rng.randrange(len(self.specs))
        return json_text.scalar(rng) if self.lying() else len(self.specs) - 1


def honest(rng: Random) -> bytes:
    """Return a frame as an honest runner writes it."""
    writer = Writer(rng, 0)
    header = json_text.write(Pairs([["v", writer.node()], ["b", writer.specs]])).encode()
    return PREFIX.pack(len(header), len(writer.body)) + header + writer.body


def generate(rng: Random) -> bytes:
    """Return a frame: one in three honest but for what it announces, the others with lies."""
    if rng.random() < 0.02:
        return _claim(rng)
    writer = Writer(rng, rng.choice([0, 0.02, 0.1]))
    tree: Any = writer.node()
    if rng.random() < 0.2:  # what a channel takes for an answer
        tree = Pairs([["d", [[rng.choice(["ok", "raised"]), tree]]]])
    if rng.random() < 0.03:
        tree = _nested(tree, rng)
    header = Pairs([["v", tree], ["b", writer.specs]])
    if writer.lying():
        header.append([rng.choice(["v", "b", "x"]), writer.node()])
    return pack(json_text.write(header).encode("utf-8", "surrogatepass"), writer.body, rng)


def _claim(rng: Random) -> bytes:
    """Return a frame that announces an array, in its prefix too, and brings a part of it."""
    dtype = rng.choice([*SIZES])
    most = rng.choice([100, 10_000_000, 256_000_000])
    shape = [most // SIZES[dtype] // rng.choice([1, 2, 1000])]
    tree = Pairs([["v", Pairs([[rng.choice("aTy"), 0]])], ["b", [[dtype, shape]]]])
    header = json_text.write(tree).encode()
    return PREFIX.pack(len(header), shape[0] * SIZES[dtype]) + header + rng.randbytes(8)


def _nested(tree: Any, rng: Random) -> Any:
    for _ in range(rng.randrange(15, 30)):
        tree = Pairs([[rng.choice("lt"), [tree]]])
    return tree


def pack(header: bytes, body: bytes, rng: Random) -> bytes:
    """Put the prefix before header and body; one in twenty announces other lengths."""
    lengths = [len(header), len(body)]
    if rng.random() < 0.05:
        lengths = [rng.choice([lengths[0], 0, 1_000_000, 1_000_001, 2**32 - 1]),
                   rng.choice([lengths[1], 0, 256_000_000, 256_000_001, 2**64 - 1])]  # fmt: skip
    return PREFIX.pack(*lengths) + header + body


def split(data: bytes) -> tuple[bytes, bytes]:
    """Return header and buffers of a frame, however short it was cut."""
    length = PREFIX.unpack(data[:12].ljust(12, b"\0"))[0]
    return data[12 : 12 + length], data[12 + length :]


def mutate(data: bytes, rng: Random) -> bytes:
    """Change a frame in a place of its tree, in its bytes, or both; its lengths mostly hold."""
    header, body = split(data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        if rng.random() < 0.7:
            header, body = _in_tree(header, body, rng)
        elif rng.random() < 0.5:
            header = in_bytes(header, rng)
        else:
            body = in_bytes(body, rng)
    return pack(header, body, rng)


def _in_tree(header: bytes, body: bytes, rng: Random) -> tuple[bytes, bytes]:
    try:
        tree = json_text.parse(header.decode())
    except (ValueError, RecursionError):
        return in_bytes(header, rng), body
    writer = Writer(rng, 0.05)
    specs = _specs_of(tree)
    writer.specs = specs if specs is not None else []
    tree = json_text.mutate(tree, rng, lambda _: writer.node(2))
    return json_text.write(tree).encode("utf-8", "surrogatepass"), body + writer.body


def _specs_of(tree: Any) -> list[Any] | None:
    """Return the list of a header's buffers itself, so that new ones are added to it."""
    pairs: Sequence[Any] = tree if isinstance(tree, Pairs) else []
    return next((pair[1] for pair in pairs if pair[0] == "b" and type(pair[1]) is list), None)


def in_bytes(data: bytes, rng: Random) -> bytes:
    """Change bytes without knowing what they mean."""
    start = rng.randrange(len(data) + 1)
    end = min(len(data), start + rng.choice([0, 1, 1, 2, 4, 16]))
    piece = rng.choice([b"", rng.randbytes(1), rng.randbytes(4), data[start:end] * 2, b"\0", b'"'])
    return data[:start] + piece + data[end:]


def amplify(rng: Random) -> bytes:
    """Return a frame near the header's cap: one small thing many times, as an attack would."""
    step = rng.choice([1, 2, 2**31 - 1, 2**61 - 1, 2**61, 2**64 - 1, 2**64, 2**200])
    unit = rng.choice([
        lambda n: f"[{n * step},0]", lambda n: f'["{n}",0]', lambda n: f"[{n * step}.0,0]",
        lambda n: '{"l":[]}', lambda n: '{"d":[]}', lambda n: '{"f":"nan"}', lambda n: "[]",
        lambda n: "{}", lambda n: "1e9", lambda n: '""', lambda n: '{"h":[0,""]}',
        lambda n: "9" * 70, lambda n: '[{"f":"nan"},0]',
    ])  # fmt: skip
    units, size = [], 0
    while size < 990_000:
        units.append(unit(len(units)))
        size += len(units[-1]) + 1
    kind = rng.choice(["d", "l", "t"]) if units[0][0] != "[" else "d"
    header = Pairs([["v", Pairs([[kind, Literal(f"[{','.join(units)}]")]])], ["b", []]])
    return pack(json_text.write(header).encode(), b"", rng)
