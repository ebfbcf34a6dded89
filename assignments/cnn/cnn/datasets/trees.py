"""Read a tree of files the same way whether it is a folder or a zip that holds one."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from .kinds import DataError

LARGEST_FILE = 1 << 24  # bytes: many times what an image or a list of names needs


class Tree(Protocol):
    """Files by their paths below one place, parts joined by ``/``."""

    place: Path

    def names(self) -> list[str]:
        """Return the paths of all files, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """Return a file. Raises DataError naming it if it is absent, damaged or too large."""
        ...


def open_tree(place: Path, marker: str) -> Tree:
    """Open a folder, or a zip in which one folder (or the top) holds the file `marker`.

    Raises DataError if it cannot be opened or holds no such file.
    """
    return _Zip(place, marker) if place.is_file() else _Folder(place, marker)


def _error(place: Path, name: str, why: object) -> DataError:
    return DataError(f"{place}: {name} cannot be read ({why}): fetch the set again")


class _Folder:
    def __init__(self, place: Path, marker: str) -> None:
        self.place = place
        if not (place / marker).is_file():
            raise _error(place, marker, "there is no such file")
        files = (path for path in place.rglob("*") if path.is_file())
        self._names = sorted(path.relative_to(place).as_posix() for path in files)

    def names(self) -> list[str]:
        return self._names

    def read(self, name: str) -> bytes:
        path = self.place / name
        try:
            if path.stat().st_size > LARGEST_FILE:
                raise _error(self.place, name, f"larger than {LARGEST_FILE} bytes")
            return path.read_bytes()
        except OSError as error:
            raise _error(self.place, name, error.strerror) from error


class _Zip:
    def __init__(self, place: Path, marker: str) -> None:
        self.place = place
        try:
            self._zip = zipfile.ZipFile(place)
        except Exception as error:  # a damaged zip makes zipfile raise nearly anything
            raise DataError(f"{place} is no sound zip ({error}): fetch it again") from error
        self._members = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        tops = [name.removesuffix(marker) for name in self._members if name.endswith(marker)]
        tops = [top for top in tops if top == "" or (top.endswith("/") and top.count("/") == 1)]
        if not tops:
            raise _error(place, marker, "there is no such file")
        self._top = tops[0]
        inside = (name for name in self._members if name.startswith(self._top))
        self._names = sorted(name.removeprefix(self._top) for name in inside)

    def names(self) -> list[str]:
        return self._names

    def read(self, name: str) -> bytes:
        info = self._members.get(self._top + name)
        if info is None:
            raise _error(self.place, name, "there is no such file")
        if info.file_size > LARGEST_FILE:
            raise _error(self.place, name, f"larger than {LARGEST_FILE} bytes")
        try:
            return self._zip.read(info)
        except (OSError, RuntimeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as why:
            raise _error(self.place, name, why) from why
