"""Zip archives: listed and checked as a whole, inflated one wanted entry at a time.

Nothing is ever extracted to disk. Every trick is refused with the entry's name, and no entry
is inflated before all of them passed; archives inside archives are not opened.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from grader.errors import Rejected
from grader.intake.candidate import Candidate
from grader.intake.names import clash_key, relative, why_unsafe, with_slashes
from grader.text import megabytes, shown

MOST_ENTRIES = 2000
_HIGHEST_RATIO = 200  # inflated to packed; text packs about 5 to 20 times
_RATIO_MATTERS_FROM = 1_000_000  # bytes; a small file of zeros is no bomb
_MOST_REASONS = 10

_CENTRAL_SIGNATURE = b"PK\x01\x02"
_LOCAL_SIGNATURE = b"PK\x03\x04"
_LOCAL_HEADER = 30  # bytes before the name
_CENTRAL_HEADER = 46
_END_SIGNATURE = b"PK\x05\x06"
_LARGE_END_SIGNATURE = b"PK\x06\x06"
_COUNTED_ELSEWHERE = 0xFFFF  # the count of entries stands in the record for large archives
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_OTHER_METHODS = {
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    93: "Zstandard",
    95: "XZ",
    98: "PPMd",
    99: "AES encryption",
}

# What zipfile and zlib raise on hostile bytes.
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    OverflowError,
    KeyError,
    IndexError,
)

_MAKE_ONE = (
    "Make an ordinary zip (Windows: 'Compress to ZIP file', macOS: 'Compress', "
    "Linux: 'zip -r hw.zip folder') and upload that"
)

# The first bytes of what is not a zip, and where they stand.
_FOREIGN = (
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (257, b"ustar", "a tar archive"),
)
_FOREIGN_ENDINGS = (".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".tbz", ".txz")


def refuse_foreign(filename: str, data: bytes) -> None:
    """Raise Rejected if the file is an archive of another kind than zip."""
    kind = next((what for at, magic, what in _FOREIGN if data.startswith(magic, at)), None)
    if kind is None and filename.lower().endswith(_FOREIGN_ENDINGS):
        kind = "not a zip archive"
    if kind:
        raise Rejected([f"{shown(filename)} is {kind}; only .zip is opened. {_MAKE_ONE}."])


def open_zip(filename: str, data: bytes, limit: int) -> list[Candidate]:
    """List the files of a zip whose entries may unpack to `limit` bytes together.

    Raises Rejected with every trick and mistake found.
    """
    label = shown(filename)
    # Counted before zipfile builds an object for each: half a million fit into 20 MB.
    entries = data.count(_CENTRAL_SIGNATURE)
    if entries > MOST_ENTRIES:
        raise Rejected(
            [
                f"{label} holds {entries:,} entries; at most {MOST_ENTRIES:,} are read. "
                f"Zip only the lab's own files, without data sets, .git or venv."
            ]
        )
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        _check_list(archive, data)
        reasons = [
            *_unreadable(archive),
            *_tricks(archive),
            *_sizes(archive, limit),
            *_overlaps(archive, data),
        ]
    except _FAULTS:
        raise Rejected([_damaged(label)]) from None
    if reasons:
        raise Rejected([f"{label}: {reason}" for reason in _first(reasons)])
    return [
        Candidate(relative(info.filename), info.file_size, partial(_read, archive, info, label))
        for info in _files(archive)
    ]


def _check_list(archive: zipfile.ZipFile, data: bytes) -> None:
    """Raise BadZipFile if the list of entries is not as long as the archive says.

    Where the number of entries or the length of a name is a lie, programs differ in which files
    they show.
    """
    at = archive.start_dir
    for _ in archive.infolist():
        at += _CENTRAL_HEADER + sum(struct.unpack_from("<3H", data, at + 28))
    if data[at : at + 4] not in (_END_SIGNATURE, _LARGE_END_SIGNATURE):
        raise zipfile.BadZipFile("the list runs over its end")
    (said,) = struct.unpack_from("<H", data, data.rindex(_END_SIGNATURE) + 10)
    if said not in (len(archive.infolist()), _COUNTED_ELSEWHERE):
        raise zipfile.BadZipFile("miscounted")


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [info for info in archive.infolist() if not _is_folder(info)]


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return with_slashes(info.filename).endswith("/")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, label: str) -> bytes:
    """Inflate one entry; it yields as many bytes as passed the checks, no more and no fewer."""
    try:
        with archive.open(info) as entry:
            content = entry.read(info.file_size + 1)
        if len(content) != info.file_size:
            raise zipfile.BadZipFile("another size than announced")
        return content
    except _FAULTS:
        raise Rejected([f"{_damaged(label)} ({shown(info.filename)} cannot be read)"]) from None


def _damaged(label: str) -> str:
    return f"{label} is not a zip file or is damaged (was the upload cut off?). {_MAKE_ONE}."


def _first(reasons: list[str]) -> list[str]:
    if len(reasons) <= _MOST_REASONS:
        return reasons
    return [*reasons[:_MOST_REASONS], f"and {len(reasons) - _MOST_REASONS} more such entries"]


def _unreadable(archive: zipfile.ZipFile) -> Iterator[str]:
    """Say once what is wrong with the way entries are packed: it is mostly so with all of them."""
    found: dict[str, list[str]] = defaultdict(list)
    for info in archive.infolist():
        if info.flag_bits & 0x1:
            found["locked with a password, which the grader does not have"].append(info.filename)
        elif info.compress_type not in _METHODS:
            method = _OTHER_METHODS.get(info.compress_type, f"method {info.compress_type}")
            wrong = (
                f"packed in a way that is not read here ({method}; only the ordinary 'deflate' is)"
            )
            found[wrong].append(info.filename)
    for wrong, names in found.items():
        one = f"'{shown(names[0])}'"
        which = (
            f"the entry {one} is" if len(names) == 1 else f"{len(names)} entries ({one} ...) are"
        )
        yield f"{which} {wrong}. {_MAKE_ONE}."


def _tricks(archive: zipfile.ZipFile) -> Iterator[str]:
    """Say what is wrong with names and kinds of entries."""
    same: dict[str, list[str]] = defaultdict(list)
    for info in archive.infolist():
        wrong = why_unsafe(info.orig_filename) or _wrong_kind(info)
        if wrong:
            yield f"the entry '{shown(info.orig_filename)}' {wrong}; leave it out or rename it"
        if not _is_folder(info):
            same[clash_key(relative(info.filename))].append(shown(info.filename))
    for names in same.values():
        if len(names) > 1:
            yield f"{' and '.join(names[:3])} are the same name on some systems; keep one of them"


def _wrong_kind(info: zipfile.ZipInfo) -> str | None:
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        return "is a link, not a file (put the file itself into the zip)"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a device, not a file"
    if kind == stat.S_IFREG and mode & (stat.S_ISUID | stat.S_ISGID):
        return "asks for another user's rights (setuid)"
    return None


def _sizes(archive: zipfile.ZipFile, limit: int) -> Iterator[str]:
    total = sum(info.file_size for info in archive.infolist())
    if total > limit:
        largest = max(archive.infolist(), key=lambda info: info.file_size)
        yield (
            f"it unpacks to {megabytes(total)}; the limit is {megabytes(limit)}. Leave out "
            f"what is not asked for; the largest is '{shown(largest.filename)}' "
            f"with {megabytes(largest.file_size)}"
        )
    for info in archive.infolist():
        packed = max(info.compress_size, 1)
        if info.file_size > max(_RATIO_MATTERS_FROM, _HIGHEST_RATIO * packed):
            yield (
                f"the entry '{shown(info.filename)}' unpacks to {info.file_size // packed} "
                f"times its size, as zip bombs do; leave it out"
            )


def _overlaps(archive: zipfile.ZipFile, data: bytes) -> Iterator[str]:
    """Say which entries share bytes with the next one: a bomb that one sum does not show."""
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    starts = [*(info.header_offset for info in infos), archive.start_dir]
    for info, next_start in zip(infos, starts[1:], strict=True):
        start = info.header_offset
        if start < 0 or data[start : start + 4] != _LOCAL_SIGNATURE:
            raise zipfile.BadZipFile("no local header")
        name, extra = struct.unpack_from("<HH", data, start + 26)
        if start + _LOCAL_HEADER + name + extra + info.compress_size > next_start:
            yield f"the entry '{shown(info.filename)}' overlaps another one, as zip bombs do"
