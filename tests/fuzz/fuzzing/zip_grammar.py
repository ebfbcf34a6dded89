"""Zip archives by grammar: every field of every record can be set, honestly or not."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace
from random import Random

from fuzzing.frame_grammar import in_bytes

STORED, DEFLATED = 0, 8
_NUMBERS = [0, 1, 5, 29, 30, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF]
_MODES = [0, 0o100644, 0o040755, 0o120777, 0o020666, 0o060666, 0o010644, 0o140777, 0o104755]
_EXTRA = [
    b"", b"\x01\x00\x00\x00", b"\x01\x00\x10\x00" + b"\xff" * 16, b"\x75\x70\x09\x00\x01....x.py",
    b"\x55\x54\x05\x00\x03....", b"\xfe\xca\x00\x00", b"\x01", b"\xff\xff\xff\xff",
]  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One entry; what stands in `lies` replaces a field's true value."""

    name: bytes
    data: bytes
    method: int = DEFLATED
    flags: int = 0
    mode: int = 0
    extra: bytes = b""
    comment: bytes = b""
    local_name: bytes | None = None
    local_extra: bytes = b""
    gap: bytes = b""  # before the local header
    spoilt: bool = False  # the data is not what the method promises
    lies: tuple[tuple[str, int], ...] = ()

    @property
    def packed(self) -> bytes:
        """The data as it stands in the archive."""
        if self.spoilt:
            return b"\xff" + self.data
        if self.method != DEFLATED:
            return self.data
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        return deflate.compress(self.data) + deflate.flush()


@dataclass(frozen=True)
class Archive:
    """Entries and the record at the end."""

    entries: tuple[Entry, ...]
    before: bytes = b""
    after: bytes = b""
    comment: bytes = b""
    shared: bool = False  # every entry points to the first one's bytes
    lies: tuple[tuple[str, int], ...] = field(default=())


def build(archive: Archive) -> bytes:
    """Write an archive as its parts say."""
    body = bytearray(archive.before)
    central = bytearray()
    first = None
    for entry in archive.entries:
        body += entry.gap
        at = len(body) if first is None or not archive.shared else first
        first = at if first is None else first
        packed = entry.packed
        fields = {
            "method": entry.method, "crc": zlib.crc32(entry.data), "packed": len(packed),
            "size": len(entry.data), "flags": entry.flags, "offset": at, "disk": 0,
        }  # fmt: skip
        if at == len(body):
            body += _local(entry, {**fields, **_for(entry, "local_")}) + packed
        central += _central(entry, {**fields, **_for(entry, "")})
    start = len(body)
    end = {
        "entries": len(archive.entries),
        "size": len(central),
        "start": start,
        **dict(archive.lies),
    }
    body += central
    record = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, end["entries"] & 0xFFFF, end["entries"] & 0xFFFF,
        end["size"] & 0xFFFFFFFF, end["start"] & 0xFFFFFFFF, len(archive.comment),
    )  # fmt: skip
    return bytes(body + record + archive.comment + archive.after)


def _for(entry: Entry, prefix: str) -> dict[str, int]:
    """Return the lies of one of an entry's two headers."""
    own = {name: value for name, value in entry.lies if name.startswith("local_") == bool(prefix)}
    return {name.removeprefix("local_"): value for name, value in own.items()}


def _local(entry: Entry, values: dict[str, int]) -> bytes:
    name = entry.name if entry.local_name is None else entry.local_name
    return _fixed(b"PK\x03\x04", "<4s5H3L2H", 20, values, name, entry.local_extra) + (
        name + entry.local_extra
    )


def _central(entry: Entry, values: dict[str, int]) -> bytes:
    start = _fixed(b"PK\x01\x02\x14\x03", "<6s5H3L2H", 20, values, entry.name, entry.extra)
    rest = struct.pack(
        "<3H2L", len(entry.comment), values["disk"] & 0xFFFF, 0, (entry.mode << 16) & 0xFFFFFFFF,
        values["offset"] & 0xFFFFFFFF,
    )  # fmt: skip
    return start + rest + entry.name + entry.extra + entry.comment


def _fixed(
    signature: bytes, form: str, version: int, values: dict[str, int], name: bytes, extra: bytes
) -> bytes:
    long = [values[key] & 0xFFFFFFFF for key in ("crc", "packed", "size")]
    short = [version, values["flags"] & 0xFFFF, values["method"] & 0xFFFF, 0, 33]
    return struct.pack(form, signature, *short, *long, len(name), len(extra))


def parse(data: bytes) -> Archive | None:
    """Read an archive back as far as its records hold; None if they do not."""
    end = data.rfind(b"PK\x05\x06")
    try:
        _, _, count, _, _, start, _ = struct.unpack_from("<4H2LH", data, end + 4)
        entries = []
        for _ in range(min(count, 50)):
            entry, start = _parse_entry(data, start)
            entries.append(entry)
    except (struct.error, ValueError, zlib.error):
        return None
    return Archive(tuple(entries), comment=data[end + 22 :]) if end >= 0 else None


def _parse_entry(data: bytes, start: int) -> tuple[Entry, int]:
    if data[start : start + 4] != b"PK\x01\x02":
        raise ValueError("no central header")
    flags, method = struct.unpack_from("<2H", data, start + 8)
    packed, _, name, extra, comment = struct.unpack_from("<2L3H", data, start + 20)
    attributes, offset = struct.unpack_from("<2L", data, start + 38)
    at = start + 46
    local_name, local_extra = struct.unpack_from("<2H", data, offset + 26)
    begin = offset + 30 + local_name + local_extra
    content = data[begin : begin + packed]
    if method == DEFLATED:
        content = zlib.decompressobj(-15).decompress(content, 1_000_000)
    entry = Entry(
        data[at : at + name], content, method, flags, attributes >> 16,
        data[at + name : at + name + extra],
        data[at + name + extra : at + name + extra + comment],
        data[offset + 30 : offset + 30 + local_name], data[begin - local_extra : begin],
    )  # fmt: skip
    return entry, at + name + extra + comment


def lie(archive: Archive, rng: Random, name: bytes) -> Archive:
    """Change one thing about an archive; `name` is a name that an entry may take."""
    if not archive.entries or rng.random() < 0.2:
        return _lie_at_end(archive, rng)
    index = rng.randrange(len(archive.entries))
    entries = list(archive.entries)
    act = rng.randrange(8)
    if act == 0:
        del entries[index]
    elif act == 1:
        entries.insert(index, replace(entries[index], name=name, local_name=None))
    elif act == 2:
        entries.append(entries[index])
    else:
        entries[index] = _lie_in(entries[index], rng, name)
    return replace(archive, entries=tuple(entries))


def _lie_in(entry: Entry, rng: Random, name: bytes) -> Entry:
    where = rng.choice("crc packed size flags offset disk method".split())
    number = rng.choice([*_NUMBERS, rng.getrandbits(8), len(entry.data), len(entry.data) - 1])
    lying = (rng.choice(["", "local_"]) + where, number)
    made: list[dict[str, object]] = [
        {"name": name, "local_name": None}, {"local_name": name}, {"name": name},
        {"method": rng.choice([0, 0, 8, 8, 9, 12, 14, 93, 95, 99, 0xFFFF])},
        {"flags": 1 << rng.randrange(16)}, {"mode": rng.choice(_MODES)},
        {"extra": rng.choice(_EXTRA)}, {"local_extra": rng.choice(_EXTRA)},
        {"comment": rng.randbytes(3)}, {"gap": rng.choice([b"PK\x03\x04", b"PK\x01\x02", b"x"])},
        {"lies": (*entry.lies, lying)}, {"lies": (*entry.lies, lying)},
        {"data": in_bytes(entry.data, rng)}, {"data": b" \n"}, {"spoilt": True},
        {"data": bytes(rng.choice([1000, 300_000])), "method": DEFLATED},
    ]  # fmt: skip
    return replace(entry, **rng.choice(made))  # type: ignore[arg-type]


def _lie_at_end(archive: Archive, rng: Random) -> Archive:
    lying = (rng.choice(["entries", "size", "start"]), rng.choice([*_NUMBERS, rng.getrandbits(10)]))
    empty = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0)
    made: list[dict[str, object]] = [
        {"before": rng.choice([b"#!/bin/sh\n", b"PK\x03\x04", rng.randbytes(5)])},
        {"after": rng.choice([b"\0", empty, b"PK\x05\x06", rng.randbytes(30)])},
        {"comment": rng.choice([b"hello", empty, b"PK\x05\x06" + bytes(18)])},
        {"shared": not archive.shared}, {"lies": (*archive.lies, lying)},
    ]  # fmt: skip
    return replace(archive, **rng.choice(made))  # type: ignore[arg-type]
