"""The promises of the intake: what it may raise, what it may say, and what it may take.

`check` hands in an upload twice. If it is rejected, its reasons are judged as texts; if it is
accepted, every file is held against a second reader of the same bytes, and written to a folder
whose neighbours are looked at afterwards.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import struct
import unicodedata
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fuzzing.limits import cpu_at_most, expect, memory_at_most, only
from fuzzing.upload_grammar import TOGETHER, split

from grader.errors import Rejected
from grader.intake import AcceptedFile, Submission, preview_upload, receive, receive_bytes
from grader.lab.manifest import Assignment, load_assignment

MANIFEST = """
schema = 1
slug = "toy"
title = "Toy lab"
limits = { cpu_seconds = 10, upload_mb = 0.25 }
files = [
  { path = "toy/layers.py" },
  { path = "toy/model.py", required = false },
  { path = "results.csv", required = false },
  { path = "report.md", required = false },
]
given = [{ path = "toy/__init__.py" }]
[[parts]]
id = "one"
title = "One"
items = [{ id = "item", title = "An item", points = 1 }]
"""
SKELETON = "def relu(x):\n    raise NotImplementedError\n"
LIMIT = 250_000  # bytes, as the manifest says
CPU_SECONDS = 10.0
MEMORY = 60_000_000  # bytes, of our own process
LONGEST = 15_000  # characters of one sentence: it may list a hundred names
MOST_SENTENCES = 60
CANARY = b"untouched"
MOST_OWN = 50
OWN = re.compile(r"toy/([A-Za-z_][A-Za-z0-9_]*/)*([A-Za-z][A-Za-z0-9_]*|__init__)\.py")
RESERVED = {"toy/__init__.py", "toy/conftest.py", "toy/layers/__init__.py", "toy/model/__init__.py"}


class Intake:
    """A lab, and a folder to write accepted files to, with a canary beside it and a link."""

    def __init__(self, root: Path) -> None:
        self.lab = _make_lab(root / "labs" / "toy")
        self.box = root / "box"
        self.target = self.box / "target"
        self.target.mkdir(parents=True)
        (self.box / "canary").write_bytes(CANARY)
        (root / "outside").mkdir()
        (root / "outside" / "canary").write_bytes(CANARY)
        (self.box / "link").symlink_to(root / "outside")
        self.root = root

    def check(self, data: bytes, *, closely: bool = True) -> str:
        """Hand in an upload and judge what comes of it: "rejected" or "accepted"; or Finding.

        `closely` also counts memory and hands the same bytes in as a file on disk.
        """
        name, content = split(data)
        with cpu_at_most(CPU_SECONDS), memory_at_most(MEMORY, where=closely):
            first = _hand_in(name, content, self.lab)
        again = _hand_in(name, content, self.lab)
        expect(first == again, "the same upload is answered in the same way")
        if closely and content and len(content) < LIMIT:
            self._judge_on_disk(content, name, first)
        if isinstance(first, tuple) or isinstance(again, tuple):
            judge_sentences(first, at_least=1)
            return "rejected"
        expect(first.digest == again.digest == digest_of(first), "a digest is that of the content")
        judge_accepted(first, self.lab)
        _judge_contents(first, name, content)
        _judge_preview(first, name, content, self.lab)
        self._judge_written(first)
        return "accepted"

    def _judge_on_disk(
        self, content: bytes, name: str, first: Submission | tuple[str, ...]
    ) -> None:
        plain = name.replace("\\", "/").rpartition("/")[2]
        if plain != name or not plain.isascii() or not plain.isprintable() or len(plain) > 100:
            return
        if plain in ("", ".", "..") or plain.startswith("."):
            return
        file = self.root / "upload" / plain
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        try:
            with only(Rejected):
                found = receive(file, self.lab)
        except Rejected:
            expect(isinstance(first, tuple), "a file on disk is judged as an upload is")
        else:
            expect(found == first, "a file on disk is taken as an upload is")
        finally:
            file.unlink()

    def _judge_written(self, taken: Submission) -> None:
        with only():
            taken.write_to(self.target)
        found = {
            path.relative_to(self.target).as_posix(): path.read_bytes()
            for path in self.target.rglob("*")
            if not path.is_dir()
        }
        expect(found == {file.path: file.content for file in taken.files}, "all files are written")
        for path in list(self.target.iterdir()):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.judge_surroundings()

    def judge_surroundings(self) -> None:
        """Nothing beside the target, and nothing behind the link, was touched."""
        expect({p.name for p in self.box.iterdir()} == {"canary", "link", "target"}, "stays inside")
        expect((self.box / "canary").read_bytes() == CANARY, "files beside the target stay")
        outside = self.root / "outside"
        expect([p.name for p in outside.iterdir()] == ["canary"], "nothing goes through a link")
        expect((outside / "canary").read_bytes() == CANARY, "nothing is written through a link")


def digest_of(taken: Submission) -> str:
    """Return the digest that a submission's files have: of their paths and their contents' own."""
    total = hashlib.sha256()
    for file in sorted(taken.files, key=lambda file: file.path):
        own = hashlib.sha256(file.content).hexdigest()
        total.update(file.path.encode() + b"\0" + own.encode() + b"\n")
    return total.hexdigest()


def _make_lab(folder: Path) -> Assignment:
    cells = [
        {"cell_type": "code", "metadata": {}, "source": f"# file: {name}\n{SKELETON}",
         "outputs": [], "execution_count": None}
        for name in ("layers.py", "model.py")
    ]  # fmt: skip
    book = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    (folder / "toy").mkdir(parents=True)
    (folder / "assignment.toml").write_text(MANIFEST)
    (folder / "toy" / "__init__.py").write_text('"""Ours."""\n')
    (folder / "toy" / "layers.py").write_text(SKELETON)
    (folder / "toy" / "model.py").write_text(SKELETON)
    (folder / "toy.ipynb").write_text(json.dumps(book))
    return load_assignment(folder)


def _hand_in(name: str, content: bytes, lab: Assignment) -> Submission | tuple[str, ...]:
    """Return the submission, or the reasons against it."""
    try:
        with only(Rejected):
            return receive_bytes(name, content, lab)
    except Rejected as rejected:
        return tuple(rejected.reasons)


def judge_sentences(sentences: Iterable[str], at_least: int = 0) -> None:
    """Hold texts that people will read to being clean, short and few."""
    sentences = list(sentences)
    expect(at_least <= len(sentences) <= MOST_SENTENCES, "says something, and not too much")
    for sentence in sentences:
        expect(type(sentence) is str and sentence.strip(), "a sentence is not empty")
        expect(len(sentence) <= LONGEST, "a sentence has an end")
        expect(all(map(_readable, sentence)), "a sentence has no hidden or moving characters")


def _readable(char: str) -> bool:
    """Tell whether a character shows itself and moves nothing, read from Unicode anew."""
    return char.isprintable() or (
        unicodedata.category(char) == "Zs" and unicodedata.bidirectional(char) in ("WS", "CS")
    )


def judge_accepted(taken: Submission, lab: Assignment) -> None:
    """Hold what was accepted to the manifest and the limits."""
    paths = [file.path for file in taken.files]
    asked = {file.path: file for file in lab.files}
    expect(paths == sorted(set(paths)), "files are sorted and stand once")
    own = [file for file in taken.files if file.path not in asked]
    expect(len(own) <= MOST_OWN, "modules of the student's own are few")
    for file in own:
        expect(OWN.fullmatch(file.path), "other paths are modules of the package")
        expect(file.path.casefold() not in RESERVED, "nothing is taken in the place of ours")
        expect(len(file.content) <= 1_000_000 and _is_utf8(file.content), "a module is Python text")
    expect(
        all(path in paths for path, file in asked.items() if file.required), "files are all here"
    )
    expect(len({path.casefold() for path in paths}) == len(paths), "no two paths are one somewhere")
    for path in map(PurePosixPath, paths):
        expect(not path.is_absolute() and ".." not in path.parts, "a path stays inside")
        expect(unicodedata.is_normalized("NFC", str(path)), "a path is NFC")
    expect(sum(len(file.content) for file in taken.files) <= LIMIT, "the whole is within its limit")
    for file in taken.files:
        blank = not file.content.strip(b"\xef\xbb\xbf \t\r\n")
        expect(not blank or file.path not in asked, "a file that is asked for is not empty")
        if file.path.endswith(".py"):
            expect(_is_utf8(file.content), "a Python file is UTF-8")
    judge_sentences([taken.name.strip() or "?"], at_least=1)
    judge_sentences(taken.notices)
    expect(len(taken.ignored) <= 102, "a list of names has an end")
    judge_sentences(name.strip() or "?" for name in taken.ignored[:MOST_SENTENCES])


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _judge_contents(taken: Submission, name: str, content: bytes) -> None:
    """Where no notebook is involved, each file is a member of the upload, byte for byte."""
    ending = _ending(name)
    if ending not in ("zip", "ipynb"):
        expect(len(taken.files) == 1, "a file is one file")
        expect(_as_sent(taken.files[0], [content]), "a file is taken as it is")
    members = read_zip(content) if ending == "zip" else None
    if members is None:
        return
    judge_members(members)
    if content.endswith(TOGETHER):
        members = _opened(members)
    if any(_ending(member.name.decode("latin-1")) == "ipynb" for member in members):
        return
    for file in taken.files:
        last = file.path.rpartition("/")[2].encode()
        fitting = [one.content for one in members if one.name.rpartition(b"/")[2] == last]
        expect(_as_sent(file, fitting), "a file holds what the upload holds under its name")


def _as_sent(file: AcceptedFile, sent: list[bytes | None]) -> bool:
    """Tell whether a file is one of those sent, byte for byte; a text may have become UTF-8."""
    if file.content in sent:
        return True
    others = [content for content in sent if content is not None and not _is_utf8(content)]
    return file.path == "report.md" and bool(others) and _is_utf8(file.content)


def _opened(members: list[Member]) -> list[Member]:
    """Return the members of a pack and, in their place, those of the zips among them."""
    found = []
    for member in members:
        within = read_zip(member.content or b"") if member.name.lower().endswith(b".zip") else None
        if within is not None:
            judge_members(within)
        found += [member] if within is None else within
    return found


def _ending(name: str) -> str:
    """Return what the last plain part of a name ends with; ``x.zip/`` and ``x.zip/c:`` are zips."""
    parts = name.replace("\\", "/").split("/")
    plain = [part for part in parts if part not in ("", ".", "..") and not _is_drive(part)]
    last = plain[-1].lower() if plain else ""
    for added in (".json", ".txt"):  # what downloads put behind a notebook's own ending
        last = last.removesuffix(added) if last.endswith(f".ipynb{added}") else last
    return last.rpartition(".")[2]


def _is_drive(part: str) -> bool:
    return len(part) == 2 and part[1] == ":" and part.isascii() and part[0].isalpha()


@dataclass(frozen=True)
class Member:
    """One entry of a zip, as its central header describes it."""

    name: bytes  # with forward slashes
    content: bytes | None  # None if it is not what its checksum says
    mode: int  # Unix file type and rights
    locked: bool


def judge_members(members: list[Member]) -> None:
    """An archive that was opened holds nothing but files and folders below it, each once."""
    names = [member.name.lower() for member in members if not member.name.endswith(b"/")]
    expect(len(set(names)) == len(names), "no entry stands twice")
    for member in members:
        parts = member.name.split(b"/")
        expect(b".." not in parts and parts[0] != b"", "no entry points outside")
        expect(min(member.name, default=32) >= 32, "no entry's name has control characters")
        kind = stat.S_IFMT(member.mode)
        expect(kind in (0, stat.S_IFREG, stat.S_IFDIR), "no entry is a link or a device")
        expect(not member.locked, "no entry is locked")


def read_zip(data: bytes) -> list[Member] | None:
    """Read a zip by its central directory; None where it is not one that two readers agree on."""
    end = data.rfind(b"PK\x05\x06")
    if end < 0 or end + 22 + int.from_bytes(data[end + 20 : end + 22], "little") != len(data):
        return None
    count, size, start = struct.unpack_from("<H2L", data, end + 10)
    if start + size != end:
        return None  # bytes before the archive: readers disagree on what offsets count from
    members = []
    try:
        for _ in range(count):
            member, start = _member(data, start)
            members.append(member)
    except (struct.error, zlib.error, ValueError):
        return None
    return members


def _member(data: bytes, at: int) -> tuple[Member, int]:
    """Return an entry, and where the next one's header begins."""
    if data[at : at + 4] != b"PK\x01\x02":
        raise ValueError("no central header")
    flags, method, crc, packed, size = struct.unpack_from("<HH4xLLL", data, at + 8)
    name, extra, comment, attributes, offset = struct.unpack_from("<3H4xLL", data, at + 28)
    local_name, local_extra = struct.unpack_from("<2H", data, offset + 26)
    begin = offset + 30 + local_name + local_extra
    content = data[begin : begin + packed]
    if method == 8:
        # What a stream holds beyond the announced size is nobody's; size and checksum rule.
        content = zlib.decompressobj(-15).decompress(content, LIMIT * 2)[:size]
    elif method != 0:
        raise ValueError("a method of another reader's")
    sound = len(content) == size and zlib.crc32(content) == crc
    plain = data[at + 46 : at + 46 + name].replace(b"\\", b"/")
    member = Member(plain, content if sound else None, attributes >> 16, bool(flags & 1))
    return member, at + 46 + name + extra + comment


def _judge_preview(taken: Submission, name: str, content: bytes, lab: Assignment) -> None:
    """What was promised by the name alone is what was taken."""
    if _ending(name) in ("zip", "ipynb"):
        return
    with only():
        promised = preview_upload([name], lab)
    expect(
        sorted(path for _, path in promised.taken) == [f.path for f in taken.files],
        "a promise holds",
    )
    expect(not promised.missing and not promised.problems, "no fault was foretold")
