"""Where the publishers keep the files of a set, and how to tell that a copy is theirs."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import zlib
from dataclasses import dataclass
from pathlib import Path

from .kinds import DataError

CHUNK = 1 << 20  # bytes


@dataclass(frozen=True)
class Source:
    """One file of a publisher."""

    url: str
    path: str  # where it goes below the folder of data, parts joined by /
    size: int  # bytes
    checksum: str  # the algorithm and the hexadecimal digest: "sha256:..."
    members: tuple[str, ...] = ()  # of an archive: the files to take out of it, by their names


@dataclass(frozen=True)
class Package:
    """An installed package that brings the files of a set. Nothing of it is ever imported."""

    install: str  # the command that installs it
    folder: str  # where the files lie: below the Python package, else on this machine
    module: str = ""  # the name by which Python finds the package; empty for a system's package

    def place(self) -> Path | None:
        """Return the folder of its files, or None if the package is not installed."""
        if not self.module:
            return Path(self.folder)
        spec = importlib.util.find_spec(self.module)  # of a top level name: it runs nothing
        parts = (spec and spec.submodule_search_locations) or []
        return next((Path(part) / self.folder for part in parts), None)


def checksum(path: Path, algorithm: str = "sha256", unpack: bool = False) -> str:
    """Return a file's checksum in the form of `Source.checksum`.

    With `unpack` a ".gz" counts by what it holds: people pack the same file in different ways.
    Raises DataError.
    """
    total = hashlib.new(algorithm, usedforsecurity=False)
    packed = unpack and path.suffix == ".gz"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            while chunk := file.read(CHUNK):
                total.update(chunk)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read ({why}): fetch the set again") from error
    return f"{algorithm}:{total.hexdigest()}"
