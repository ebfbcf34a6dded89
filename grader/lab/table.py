"""Tables that students hand in: the columns a manifest names, however a program wrote the file.

A spreadsheet may put semicolons between cells and commas into numbers, pandas an index in front,
and either may write a header in its own way. What has one meaning is read; all else is a problem
that names its line. What the cells say is for the suite to judge.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from grader.errors import TableError, TableProblem
from grader.sheet import SEPARATORS, USUAL, Sheet, SheetLimits, SheetRow, read_sheet
from grader.text import shown

LONGEST_CELL = 200  # characters
_MOST_WHOLE = 2**53  # up to here a float is exact

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+", re.ASCII)  # 1,234: a number, but which?


class Column(StrEnum):
    """What stands in a column of a table."""

    TEXT = "text"
    VALUE = "value"  # a number or a text
    NUMBER = "number"  # finite
    WHOLE = "whole"


@dataclass(frozen=True)
class TableRow:
    """One row: its cells by column. Numbers are written so that `float` and `int` take them."""

    line: int  # of the file, 1-based
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """The rows of a table, and what in its file was written in another way than asked."""

    rows: tuple[TableRow, ...]
    oddities: tuple[str, ...]  # for people: "semicolons between cells", "decimal commas"

    def to_csv(self) -> bytes:
        """Return the table as asked for: UTF-8, commas, points, and the columns in their order."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.rows[0].cells)
        writer.writerows(row.cells.values() for row in self.rows)
        return out.getvalue().encode()


def read_table(data: bytes, columns: Mapping[str, Column], *, limits: SheetLimits = USUAL) -> Table:
    """Read a table with these columns; raises TableError with every problem and its line."""
    sheet = read_sheet(data, limits=limits)
    asked = f"The first line must be {','.join(columns)}"
    if not sheet.rows:
        raise TableError([TableProblem(0, f"it is empty. {asked}.")])
    header, *rows = sheet.rows
    places = _places(header, columns, asked)
    if not rows:
        raise TableError([TableProblem(header.line, "no line stands below the header.")])
    reading = _Reading(sheet.separator)
    read = [reading.row(row, len(header.cells), places, columns) for row in rows]
    if reading.problems:
        raise TableError(reading.problems)
    oddities = (*_oddities_of(sheet, places, columns), *sorted(reading.oddities))
    return Table(tuple(read), oddities)


def _places(header: SheetRow, columns: Mapping[str, Column], asked: str) -> dict[str, int]:
    """Return where each column stands; capitals, blanks and hyphens in a header do not matter."""
    names = [_plain(cell) for cell in header.cells]
    wanted = {_plain(name): name for name in columns}
    counts = Counter(names)
    faults = [f"{name} is missing" for plain, name in wanted.items() if not counts[plain]]
    faults += [f"{name} stands twice" for plain, name in wanted.items() if counts[plain] > 1]
    if faults:
        raise TableError([TableProblem(header.line, f"{asked}: {', '.join(faults)}.")])
    return {name: names.index(plain) for plain, name in wanted.items()}


def _plain(name: str) -> str:
    return name.casefold().replace(" ", "_").replace("-", "_")


def _oddities_of(
    sheet: Sheet, places: Mapping[str, int], columns: Mapping[str, Column]
) -> Iterator[str]:
    """Say what the file as a whole has in another way."""
    if sheet.encoding != "UTF-8":
        yield f"the encoding {sheet.encoding}"
    if sheet.separator != ",":
        yield f"{SEPARATORS.get(sheet.separator, repr(sheet.separator))} between cells"
    header = sheet.rows[0].cells
    if any(header[place] != name for name, place in places.items()):
        yield "other letters in its header"
    if list(places.values()) != sorted(places.values()):
        yield "its columns in another order"
    others = [place for place in range(len(header)) if place not in places.values()]
    if any(_cell(row, place) for row in sheet.rows for place in others):
        named = ", ".join(shown(header[place]) for place in others if header[place])
        yield f"more columns ({named})" if named else "a column without a name"


def _cell(row: SheetRow, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


class _Reading:
    """The reading of one table's rows: what was found wrong, and what was found odd."""

    def __init__(self, separator: str) -> None:
        self._separator = separator
        self.problems: list[TableProblem] = []
        self.oddities: set[str] = set()

    def row(
        self, row: SheetRow, width: int, places: Mapping[str, int], columns: Mapping[str, Column]
    ) -> TableRow:
        """Read a row; of a wrong one the problem is noted."""
        if any(row.cells[width:]):
            mend = (
                f"{len(row.cells)} cells, but the header has {width}. If numbers have decimal "
                f"commas, write points, or put semicolons between cells."
            )
            self.problems.append(TableProblem(row.line, mend))
            return TableRow(row.line, {})
        cells = {}
        for name, place in places.items():
            written = _cell(row, place)
            try:
                cells[name] = self._read(written, columns[name])
            except ValueError as error:
                said = f"{name} is '{shown(written)}', {error}" if written else f"{name} is empty"
                self.problems.append(TableProblem(row.line, f"{said}."))
        return TableRow(row.line, cells)

    def _read(self, written: str, column: Column) -> str:
        """Return a cell in its plain form; ValueError says what it is not."""
        if not 0 < len(written) <= LONGEST_CELL:
            raise ValueError(f"longer than {LONGEST_CELL} characters")
        if column is Column.TEXT:
            return written
        number = self._with_point(written)
        if not _NUMBER.fullmatch(number):
            if column is Column.VALUE:
                return written
            raise ValueError("not a number such as 0.25")
        if column is Column.VALUE:
            return number
        if not math.isfinite(float(number)):
            raise ValueError("too large")
        return self._whole(number) if column is Column.WHOLE else number

    def _with_point(self, written: str) -> str:
        number = written.replace("\N{MINUS SIGN}", "-")
        if number != written and _NUMBER.fullmatch(number.replace(",", ".")):
            self.oddities.add("typographic minus signs")
        clear = self._separator != "," or not _THOUSANDS.fullmatch(number)
        if clear and _DECIMAL_COMMA.fullmatch(number):
            self.oddities.add("decimal commas")
            return number.replace(",", ".")
        return number

    def _whole(self, number: str) -> str:
        value = float(number)
        if not value.is_integer() or abs(value) > _MOST_WHOLE:
            raise ValueError("not a whole number")
        if not re.fullmatch(r"[+-]?\d+", number):
            self.oddities.add("whole numbers with a decimal point")
            return str(int(value))
        return number


def describe_problems(problems: Sequence[TableProblem], most: int = 5) -> str:
    """Return the first problems in one line of text, with a count of the others."""
    said = [str(problem) for problem in problems[:most]]
    if len(problems) > most:
        said.append(f"{len(problems) - most:,} more lines are like that.")
    return " ".join(said)
