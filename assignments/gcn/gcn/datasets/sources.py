"""Where the publishers keep the files of a set, and how to tell that a copy is theirs."""

from __future__ import annotations

import hashlib
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


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Return a file's checksum in the form of `Source.checksum`. Raises DataError."""
    total = hashlib.new(algorithm, usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                total.update(chunk)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): fetch the set again") from error
    return f"{algorithm}:{total.hexdigest()}"
