"""Lines and cells of a text file, however a spreadsheet, pandas or a course system wrote it.

Knows encodings, separators and kinds of line ends, and nothing of what the cells mean. Sizes are
checked before anything is read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.encoding import DecodedText, decode_as, decode_text
from grader.errors import TableError, TableProblem
from grader.text import megabytes

MOST_BYTES = 2_000_000
MOST_LINES = 20_000  # empty ones too
MOST_CELLS = 2_000_000  # of a whole file, however large it may be
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "\uff0c": "wide commas"}

_SAVED_AS_CSV = "Save it as CSV (comma separated, UTF-8)."
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # Excel's, new and old
_NAMES_SEPARATOR = re.compile(r'"?sep=([^\w\s"]|\t)"?', re.IGNORECASE)  # Excel's own first line
_BREAK = re.compile(r"[\r\n]")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class SheetLimits:
    """How large a file may be."""

    lines: int = MOST_LINES
    bytes: int = MOST_BYTES


USUAL = SheetLimits()


@dataclass(frozen=True)
class SheetRow:
    """One row that is not blank."""

    line: int  # of the file, 1-based, where the row begins
    cells: tuple[str, ...]  # without blanks around them; a line break within one is a blank
    has_breaks: bool = False  # whether a cell held such a line break


@dataclass(frozen=True)
class Sheet:
    """The rows of a file and how they were found."""

    rows: tuple[SheetRow, ...]
    separator: str  # a key of SEPARATORS, or what the file itself names
    encoding: str  # for people: UTF-8, GBK
    is_guess: bool  # whether other encodings would read the bytes too


def read_sheet(data: bytes, *, encoding: str | None = None, limits: SheetLimits = USUAL) -> Sheet:
    """Split a file into rows and cells; blank rows and marks of the byte order are left out.

    `encoding` is one that `grader.encoding` names, for a text whose encoding a person chose.
    Raises TableError for a file that is too large, no text, or not CSV.
    """
    _check_size(data, limits)
    if data.startswith(_WORKBOOKS):
        raise _whole(f"it is a workbook by another name. {_SAVED_AS_CSV}")
    text = decode_as(data, encoding) if encoding else decode_text(data)
    if text is None:
        raise _whole(f"it is not text in an encoding that is known here. {_SAVED_AS_CSV}")
    separator, rows = _split(text)
    return Sheet(tuple(rows), separator, text.encoding, text.is_guess)


def _check_size(data: bytes, limits: SheetLimits) -> None:
    lines = max(data.count(b"\n"), data.count(b"\r"))
    if lines > limits.lines:
        raise _whole(
            f"it has {lines:,} lines; a table may have {limits.lines:,}. Take out what is too "
            f"much, empty lines too."
        )
    if len(data) > limits.bytes:
        raise _whole(f"it has {megabytes(len(data))}; a table may have {megabytes(limits.bytes)}.")


def _whole(mend: str) -> TableError:
    return TableError([TableProblem(0, mend)])


def _split(text: DecodedText) -> tuple[str, Iterator[SheetRow]]:
    lines = io.StringIO(text.text.lstrip("\ufeff"), newline="")
    named = _NAMES_SEPARATOR.fullmatch(next(lines, "").strip(" \r\n"))
    if named is None:
        lines.seek(0)
        first = next((line for line in lines if line.strip()), "")
        lines.seek(0)
    separator = named[1] if named else max(SEPARATORS, key=_QUOTED.sub("", first).count)
    return separator, _rows(lines, separator, skipped=1 if named else 0)


def _rows(lines: io.StringIO, separator: str, skipped: int) -> Iterator[SheetRow]:
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    cells_left = MOST_CELLS
    while True:
        begins = reader.line_num + skipped + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            mend = f"it is not CSV ({error}). Close what is in quotes, or save the file anew."
            raise TableError([TableProblem(begins, mend)]) from None
        cells_left -= len(row)
        if cells_left < 0:
            raise _whole(f"a table may have {MOST_CELLS:,} cells. Take out columns that are empty.")
        cells = tuple(" ".join(cell.split()) for cell in row)
        if any(cells):
            yield SheetRow(begins, cells, any(_BREAK.search(cell.strip()) for cell in row))
