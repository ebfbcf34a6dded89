"""Ways to write the bytes of an upload that no honest tool writes."""

import io
import json
import stat
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field

MATHS = b"def double(x):\n    return 2 * x\n\n\ndef estimate(n):\n    return 0.0\n"
NET = b"class Net:\n    pass\n"
GOOD = (("tiny/maths.py", MATHS), ("tiny/net.py", NET))


@dataclass(frozen=True)
class Member:
    """One entry of a zip; `local` and `central` say otherwise than the truth in one header."""

    name: str | bytes
    data: bytes = b""
    deflated: bool = False
    mode: int = 0  # of the file, as Unix has it
    at: int | None = None  # offset of the local header; None writes one
    local: dict = field(default_factory=dict)
    central: dict = field(default_factory=dict)
    extra: bytes = b""

    def fields(self, lies):
        """Return a header's common fields and its name, with the lies in it."""
        packed = zlib.compress(self.data, 9)[2:-4] if self.deflated else self.data
        raw = self.name if isinstance(self.name, bytes) else self.name.encode()
        truth = {
            "flags": 0x800,
            "method": 8 if self.deflated else 0,
            "crc": zlib.crc32(self.data),
            "packed": len(packed),
            "size": len(self.data),
            "name": raw,
            "extra": self.extra,
            "bytes": packed,
        }
        return truth | lies

    def write_local(self):
        """Return the local header and the entry's bytes."""
        said = self.fields(self.local)
        return b"PK\x03\x04" + _common(said) + said["name"] + said["extra"] + said["bytes"]

    def write_central(self, offset):
        """Return the entry of the central directory."""
        said = self.fields(self.central)
        rest = struct.pack("<HHHII", 0, 0, 0, self.mode << 16, said.get("offset", offset))
        head = b"PK\x01\x02" + struct.pack("<H", (3 << 8) | 20)
        return head + _common(said) + rest + said["name"] + said["extra"]


def _common(said):
    return struct.pack(
        "<HHHHHIIIHH",
        20,
        said["flags"],
        said["method"],
        0,
        33,
        said["crc"],
        said["packed"],
        said["size"],
        len(said["name"]),
        len(said["extra"]),
    )


def archive(*members, prefix=b"", count=None, comment=b"", before_end=b""):
    """Write a zip of these members, whatever they say of themselves."""
    body, directory = bytearray(prefix), b""
    for member in members:
        offset = len(body) if member.at is None else member.at
        if member.at is None:
            body += member.write_local()
        directory += member.write_central(offset - len(prefix))
    number = len(members) if count is None else count
    end = struct.pack(
        "<HHHHIIH", 0, 0, number, number, len(directory), len(body) - len(prefix), len(comment)
    )
    return bytes(body) + directory + before_end + b"PK\x05\x06" + end + comment


def good():
    """Return the honest entries as members."""
    return [Member(name, data) for name, data in GOOD]


def zipped(*extra):
    """Return a zip of the honest files and more members, under the name hw.zip."""
    return [("hw.zip", archive(*good(), *extra))]


def of_kind(kind, mode=0o644):
    """Return a Unix mode."""
    return kind | mode


def linked(name, target):
    """Return a symbolic link, as `zip -y` writes one."""
    return Member(name, str(target).encode(), mode=of_kind(stat.S_IFLNK, 0o777))


def zeros(megabytes):
    """Return a zip whose one entry is zeros, written piece by piece."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        with made.open("tiny/maths.py", "w", force_zip64=True) as entry:
            for _ in range(megabytes):
                entry.write(bytes(1 << 20))
    return out.getvalue()


def full_overlap(entries=200, kernel=1 << 20):
    """Return many names for one kernel of bytes, the simplest of David Fifield's bombs."""
    first = Member("0.txt", bytes(kernel), deflated=True)
    # zipfile compares the local name with the central one, so only one of these even opens.
    return archive(
        first, *(Member(f"{n}.txt", bytes(kernel), deflated=True, at=0) for n in range(1, entries))
    )


def quoted_overlap(entries=40, kernel=1 << 20):
    """Return entries that each quote the next local header and share the last one's bytes.

    David Fifield's better bomb: every local header is a stored block of the entry before it.
    """
    packed = zlib.compress(bytes(kernel), 9)[2:-4]
    data, body, members = bytes(kernel), packed, []
    for number in reversed(range(entries)):
        name = f"{number:04}.txt"
        said = Member(name, b"").fields(
            {"method": 8, "crc": zlib.crc32(data), "packed": len(body), "size": len(data)}
        )
        header = b"PK\x03\x04" + _common(said) + said["name"]
        members.append((name, len(body), data))
        quote = b"\x00" + struct.pack("<HH", len(header), len(header) ^ 0xFFFF)
        body, data = quote + header + body, header + data
    blob = body[5:]
    return _with_directory(blob, list(reversed(members)))


def _with_directory(blob, members):
    """Add the central directory of `quoted_overlap`: offsets grow by one quoted header each."""
    directory, offset = b"", 0
    for name, packed, data in members:
        lies = {"method": 8, "crc": zlib.crc32(data), "packed": packed, "size": len(data)}
        directory += Member(name, b"", central=lies).write_central(offset)
        offset += 30 + len(name) + 5
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(blob), 0)
    return blob + directory + b"PK\x05\x06" + end


def zip64_extra(size):
    """Return the extra field that gives an entry its true size."""
    return struct.pack("<HHQQ", 1, 16, size, size)


def zip64_end(directory_at):
    """Return a zip64 end record and its locator that point somewhere else."""
    record = b"PK\x06\x06" + struct.pack(
        "<QHHIIQQQQ", 44, 45, 45, 0, 0, 1 << 40, 1 << 40, 1 << 60, directory_at
    )
    return record + b"PK\x06\x07" + struct.pack("<IQI", 0, directory_at, 1)


def tarred(how="w", *links):
    """Return a tar of the honest files and hard or symbolic links."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=how) as made:
        for name, data in GOOD:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
        for kind, target in links:
            info = tarfile.TarInfo("tiny/link.py")
            info.type, info.linkname = kind, str(target)
            made.addfile(info)
    return out.getvalue()


def cell(source, **more):
    """Return a code cell."""
    whole = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    return whole | {"source": source} | more


def notebook(*cells, **more):
    """Return a notebook of these cells as bytes."""
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}
    return json.dumps(whole | more).encode()


def graded(before=b"", **more):
    """Return the two cells that hold the lab's files, `before` in front of the first's code."""
    return (
        cell("# file: maths.py\n" + before.decode() + MATHS.decode(), **more),
        cell("# file: net.py\n" + NET.decode()),
    )
