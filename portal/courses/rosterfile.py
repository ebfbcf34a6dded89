"""Reading a roster from CSV as spreadsheets and course systems write it. Touches no database."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from portal.courses.models import Role
from portal.people.service import clean_email, clean_name, clean_username
from portal.platform.errors import Invalid

MAX_BYTES = 300_000  # fits into a form field as base64 when the preview is confirmed
MAX_LINES = 5_000
COLUMNS = ("username", "email", "name", "student_number", "role")
REQUIRED = ("username", "name")
_ALIASES = {
    "user": "username",
    "user_name": "username",
    "login": "username",
    "e_mail": "email",
    "mail": "email",
    "display_name": "name",
    "full_name": "name",
    "student_id": "student_number",
    "number": "student_number",
}


@dataclass(frozen=True)
class RosterLine:
    """One sound line of a roster."""

    number: int  # of the line in the file, the header being 1
    username: str
    email: str
    name: str
    student_number: str
    role: Role


@dataclass(frozen=True)
class LineProblem:
    """What is wrong with one line, and how to mend it."""

    number: int
    message: str


@dataclass(frozen=True)
class RosterFile:
    """What a file holds: its sound lines and what is wrong with the others."""

    lines: tuple[RosterLine, ...]
    problems: tuple[LineProblem, ...]


def read_roster(data: bytes) -> RosterFile:
    """Read a roster; every wrong line is a problem of its own and hides no other.

    Raises Invalid if the file as a whole cannot be read.
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"the file has {len(data)} bytes, a roster at most {MAX_BYTES}; split it")
    rows = _rows(_decode(data))
    header = next(rows, (1, []))[1]
    places = _places(header)
    lines: list[RosterLine] = []
    problems: list[LineProblem] = []
    for number, row in rows:
        if len(lines) + len(problems) >= MAX_LINES:
            raise Invalid(f"the file has more than {MAX_LINES} lines; split it")
        try:
            lines.append(_line(number, row, len(header), places))
        except Invalid as problem:
            problems.append(LineProblem(number, str(problem)))
    doubles = [*_doubles(lines, "username"), *_doubles(lines, "student_number")]
    ordered = sorted((*problems, *doubles), key=lambda problem: problem.number)
    return RosterFile(tuple(lines), tuple(ordered))


def _decode(data: bytes) -> str:
    """Decode UTF-8 and UTF-16 with their marks, and what a Chinese Excel writes."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("the file is not text; save it as 'CSV UTF-8' and send it again")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank with its line number."""
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Invalid(
                f"line {reader.line_num} is not CSV ({error}); mend it or save the file anew"
            ) from None
        if any(cell.strip() for cell in row):
            yield reader.line_num, [cell.strip() for cell in row]


def _places(header: list[str]) -> dict[str, int]:
    """Return where each known column stands; others are left alone."""
    names = [_column(cell) for cell in header]
    doubled = [name for name, count in Counter(names).items() if count > 1 and name in COLUMNS]
    if doubled:
        raise Invalid(f"the column {doubled[0]!r} stands twice in the first line; keep one")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise Invalid(
            f"the first line must name the columns {', '.join(COLUMNS)} (email, student_number and "
            f"role may be left out); {' and '.join(missing)} is missing"
        )
    return {name: names.index(name) for name in COLUMNS if name in names}


def _column(cell: str) -> str:
    name = cell.strip().lower().replace(" ", "_").replace("-", "_")
    return _ALIASES.get(name, name)


def _line(number: int, row: list[str], width: int, places: dict[str, int]) -> RosterLine:
    if len(row) > width and any(row[width:]):
        raise Invalid(
            f"has {len(row)} cells, the first line {width}; put text with commas in quotes"
        )
    cells = {name: row[place] for name, place in places.items() if place < len(row)}
    return RosterLine(
        number=number,
        username=clean_username(cells.get("username", "")),
        email=clean_email(cells.get("email", "")),
        name=clean_name(cells.get("name", "")),
        student_number=_student_number(cells.get("student_number", "")),
        role=_role(cells.get("role", "")),
    )


def _student_number(text: str) -> str:
    if len(text) > 40 or not all(c.isalnum() or c in "-./ " for c in text):
        raise Invalid(f"the student number {text[:60]!r} is not one; at most 40 letters and digits")
    return text


def _role(text: str) -> Role:
    if not text:
        return Role.STUDENT
    try:
        return Role(text.lower())
    except ValueError:
        raise Invalid(
            f"the role {text!r} does not exist; write student, ta or instructor"
        ) from None


def _doubles(lines: list[RosterLine], field: str) -> Iterator[LineProblem]:
    seen: dict[str, int] = {}
    for line in lines:
        value = getattr(line, field)
        if value and value in seen:
            what = field.replace("_", " ")
            message = f"the {what} {value!r} stands in line {seen[value]} already; keep one"
            yield LineProblem(line.number, message)
        seen.setdefault(value, line.number)
