"""Read files that may be packed by gzip, whether their publishers pack them or not.

Every reader has a limit, and every error names the file and says what to do.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from pathlib import Path

from .kinds import DataError

LARGEST = 1 << 28  # bytes of a file, unpacked


def either(folder: Path, name: str) -> Path:
    """Return the path of a file below `folder`, with the ending .gz where only that is there."""
    plain, packed = folder / name, folder / f"{name}.gz"
    return packed if packed.is_file() and not plain.is_file() else plain


def read_unpacked(path: Path, most: int = LARGEST) -> bytes:
    """Return the bytes of a file, unpacked if its name ends in .gz.

    Raises DataError naming it if it is absent, damaged, or holds more than `most` bytes.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read ({why}): fetch the set again") from error
    if len(data) > most:
        raise DataError(f"{path} holds more than {most} bytes: fetch the set again")
    return data


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8. Raises DataError naming it."""
    try:
        return read_unpacked(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise wrong(path, f"it is not UTF-8 ({error.reason} at byte {error.start})") from error


def read_lines(path: Path) -> list[str]:
    """Return the lines of a file that hold anything. Raises DataError naming it.

    Lines end where a newline stands: other characters that end lines may be within a text.
    """
    lines = [line.removesuffix("\r") for line in read_text(path).split("\n")]
    return [line for line in lines if line.strip()]


def read_table(path: Path, columns: int) -> list[list[str]]:
    """Return the rows of a CSV file, each of `columns` fields. Raises DataError naming it."""
    try:
        rows = [row for row in csv.reader(io.StringIO(read_text(path), newline="")) if row]
    except csv.Error as error:
        raise wrong(path, f"it is no table of comma-separated values ({error})") from error
    for number, row in enumerate(rows, start=1):
        if len(row) != columns:
            raise wrong(path, f"row {number} has {len(row)} columns, not {columns}")
    return rows


def wrong(path: Path, why: str) -> DataError:
    """Return the error for a file that does not hold what its set needs."""
    return DataError(f"{path} is not what the data set needs: {why}; fetch the set again")
