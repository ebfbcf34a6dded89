"""Reading a roster from CSV as spreadsheets and course systems write it. Touches no database."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.api import SheetRow, TableError, read_sheet
from portal.courses.models import Role
from portal.courses.rostercolumns import Fact, RosterColumns, find_columns, full_name
from portal.people.service import clean_email, clean_name, clean_username
from portal.platform.errors import Invalid

MAX_BYTES = 300_000  # fits into a form field as base64 when the preview is confirmed
MAX_LINES = 5_000
_MOST_NUMBERS = 10  # of lines, named in one sentence
_ROLES = {
    "学生": Role.STUDENT,
    "學生": Role.STUDENT,
    "助教": Role.TA,
    "teaching assistant": Role.TA,
    "教师": Role.INSTRUCTOR,
    "教師": Role.INSTRUCTOR,
    "老师": Role.INSTRUCTOR,
    "teacher": Role.INSTRUCTOR,
}
_AS_FLOAT = re.compile(r"(\d+)\.0+", re.ASCII)  # what pandas and Excel make of a number
_SHORTENED = re.compile(r"\d([.,]\d+)?e\+?\d+", re.ASCII | re.IGNORECASE)
_AS_TEXT = re.compile(r'="(.*)"')  # keeps Excel from taking it for a number


def one_line_file(columns: Sequence[str], values: Sequence[str]) -> bytes:
    """Return a roster of one person, as `read_roster` reads it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([columns, values])
    return ("\ufeff" + text.getvalue()).encode()


@dataclass(frozen=True)
class RosterLine:
    """One sound line of a roster."""

    number: int  # of the line in the file, the first being 1
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
    """What a file holds: its sound lines, what is wrong with the others, and what to look at."""

    lines: tuple[RosterLine, ...]
    problems: tuple[LineProblem, ...]
    notices: tuple[str, ...]  # sentences on what is not as it seems
    encoding: str  # for people: UTF-8, GBK
    is_guess: bool  # whether names would read otherwise in another encoding


def read_roster(data: bytes, *, encoding: str | None = None) -> RosterFile:
    """Read a roster; every wrong line is a problem of its own and hides no other.

    `encoding` is what a person chose for a file that several would fit. Raises Invalid if the file
    as a whole cannot be read.
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"the file has {len(data)} bytes, a roster at most {MAX_BYTES}; split it")
    try:
        sheet = read_sheet(data, encoding=encoding)
    except TableError as error:
        raise Invalid(str(error).rstrip(".")) from None
    header, *rows = sheet.rows or (SheetRow(1, ()),)
    if len(rows) > MAX_LINES:
        raise Invalid(f"the file has more than {MAX_LINES} lines; split it")
    reading = _Reading(find_columns(header.cells))
    lines: list[RosterLine] = []
    problems: list[LineProblem] = []
    for row in rows:
        try:
            lines.extend(reading.line(row))
        except Invalid as problem:
            problems.append(LineProblem(row.line, str(problem)))
    problems.extend(_doubles(lines))
    ordered = sorted(problems, key=lambda problem: problem.number)
    notices = (*reading.notices(), *_shared_mails(lines))
    return RosterFile(tuple(lines), tuple(ordered), notices, sheet.encoding, sheet.is_guess)


class _Reading:
    """The reading of one roster: its columns, and the lines that something is to be said of."""

    def __init__(self, columns: RosterColumns) -> None:
        self._columns = columns
        self._noted: defaultdict[str, list[int]] = defaultdict(list)

    def line(self, row: SheetRow) -> Iterator[RosterLine]:
        """Yield the person of a row, nobody for a line of the course system's own.

        Raises Invalid for a row that is wrong.
        """
        columns = self._columns
        if any(row.cells[columns.width :]):
            raise Invalid(
                f"has {len(row.cells)} cells, the first line {columns.width}; put text with "
                f"commas in quotes"
            )
        cells = columns.cells(row.cells)
        name = self._name(cells)
        if columns.is_canvas and name in ("", "Points Possible", "Test Student"):
            self._noted["no person, but Canvas's own; left out"].append(row.line)
            return
        if row.has_breaks:
            self._noted["a line break within a cell was read as a blank"].append(row.line)
        email = clean_email(cells.get(Fact.EMAIL, ""))
        number = self._student_number(cells.get(Fact.STUDENT_NUMBER, ""), row.line)
        usernames = {
            Fact.USERNAME: cells.get(Fact.USERNAME, ""),
            Fact.STUDENT_NUMBER: number,
            Fact.EMAIL: email.partition("@")[0],
        }
        yield RosterLine(
            number=row.line,
            username=clean_username(usernames[columns.username_from]),
            email=email,
            name=clean_name(name),
            student_number=number,
            role=_role(cells.get(Fact.ROLE, "")),
        )

    def notices(self) -> Iterator[str]:
        """Say what was found beside what was asked for."""
        source = self._columns.username_from
        if source is not Fact.USERNAME:
            what = {
                Fact.STUDENT_NUMBER: "the student number",
                Fact.EMAIL: "what stands before the @ of the e-mail",
            }[source]
            yield f"There is no column of usernames: {what} is taken for it."
        for said, numbers in self._noted.items():
            yield f"{_named(numbers)}: {said}."

    def _name(self, cells: dict[Fact, str]) -> str:
        if Fact.NAME not in cells:
            return full_name(cells[Fact.FIRST_NAME], cells[Fact.LAST_NAME])
        name = cells[Fact.NAME]
        if self._columns.is_canvas and name.count(",") == 1:
            last, first = name.split(",")
            return full_name(first.strip(), last.strip())
        return name

    def _student_number(self, text: str, line: int) -> str:
        text = _AS_TEXT.sub(r"\1", text)
        if _SHORTENED.fullmatch(text):
            raise Invalid(
                f"the student number {text!r} was shortened by a spreadsheet; format its column "
                f"as text and fill it in again"
            )
        whole = _AS_FLOAT.fullmatch(text)
        if whole:
            self._noted["the student number lost the .0 that a spreadsheet gave it"].append(line)
        return _student_number(whole[1] if whole else text)


def _student_number(text: str) -> str:
    if len(text) > 40 or not all(c.isalnum() or c in "-./ " for c in text):
        raise Invalid(f"the student number {text[:60]!r} is not one; at most 40 letters and digits")
    return text


def _role(text: str) -> Role:
    if not text:
        return Role.STUDENT
    known = {**_ROLES, **{role.value: role for role in Role}}
    if text.lower() not in known:
        raise Invalid(f"the role {text!r} does not exist; write student, ta or instructor")
    return known[text.lower()]


def _doubles(lines: Sequence[RosterLine]) -> Iterator[LineProblem]:
    """Name lines that say the same of two people, one problem a line."""
    users: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for line in lines:
        for what, value, seen in (
            ("username", line.username, users),
            ("student number", line.student_number, numbers),
        ):
            if value and value in seen:
                message = f"the {what} {value!r} stands in line {seen[value]} already; keep one"
                yield LineProblem(line.number, message)
                break
            seen[value] = line.number


def _shared_mails(lines: Sequence[RosterLine]) -> Iterator[str]:
    """Name the lines that have one e-mail: somebody would get another's messages."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for line in lines:
        if line.email:
            found[line.email.casefold()].append(line.number)
    for email, numbers in found.items():
        if len(numbers) > 1:
            yield f"{_named(numbers)}: the e-mail {email} stands more than once."


def _named(numbers: Sequence[int]) -> str:
    """Name lines: ``Line 2``, ``Lines 2 and 3``."""
    if len(numbers) == 1:
        return f"Line {numbers[0]}"
    shown = [str(number) for number in numbers[:_MOST_NUMBERS]]
    more = len(numbers) - len(shown)
    *most, last = [*shown, f"{more} more"] if more else shown
    return f"Lines {', '.join(most)} and {last}"
