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
from portal.platform.language import gettext

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
        raise Invalid(
            gettext(
                "the file has %(size)s bytes, a roster at most %(most)s; split it",
                size=len(data),
                most=MAX_BYTES,
            )
        )
    try:
        sheet = read_sheet(data, encoding=encoding)
    except TableError as error:
        raise Invalid(str(error).rstrip(".")) from None
    header, *rows = sheet.rows or (SheetRow(1, ()),)
    if len(rows) > MAX_LINES:
        raise Invalid(gettext("the file has more than %(most)s lines; split it", most=MAX_LINES))
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
                gettext(
                    "has %(cells)s cells, the first line %(width)s; put text with commas in quotes",
                    cells=len(row.cells),
                    width=columns.width,
                )
            )
        cells = columns.cells(row.cells)
        name = self._name(cells)
        if columns.is_canvas and name in ("", "Points Possible", "Test Student"):
            self._noted[gettext("no person, but Canvas's own; left out")].append(row.line)
            return
        if row.has_breaks:
            self._noted[gettext("a line break within a cell was read as a blank")].append(row.line)
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
                Fact.STUDENT_NUMBER: gettext("the student number"),
                Fact.EMAIL: gettext("what stands before the @ of the e-mail"),
            }[source]
            yield gettext("There is no column of usernames: %(fact)s is taken for it.", fact=what)
        for said, numbers in self._noted.items():
            yield gettext("%(lines)s: %(what)s.", lines=_named(numbers), what=said)

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
                gettext(
                    "the student number %(number)r was shortened by a spreadsheet; format its "
                    "column as text and fill it in again",
                    number=text,
                )
            )
        whole = _AS_FLOAT.fullmatch(text)
        if whole:
            said = gettext("the student number lost the .0 that a spreadsheet gave it")
            self._noted[said].append(line)
        return _student_number(whole[1] if whole else text)


def _student_number(text: str) -> str:
    if len(text) > 40 or not all(c.isalnum() or c in "-./ " for c in text):
        raise Invalid(
            gettext(
                "the student number %(number)r is not one; at most 40 letters and digits",
                number=text[:60],
            )
        )
    return text


def _role(text: str) -> Role:
    if not text:
        return Role.STUDENT
    known = {**_ROLES, **{role.value: role for role in Role}}
    if text.lower() not in known:
        raise Invalid(
            gettext("the role %(role)r does not exist; write student, ta or instructor", role=text)
        )
    return known[text.lower()]


def _doubles(lines: Sequence[RosterLine]) -> Iterator[LineProblem]:
    """Name lines that say the same of two people, one problem a line."""
    users: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for line in lines:
        for what, value, seen in (
            (gettext("username"), line.username, users),
            (gettext("student number"), line.student_number, numbers),
        ):
            if value and value in seen:
                message = gettext(
                    "the %(fact)s %(value)r stands in line %(line)s already; keep one",
                    fact=what,
                    value=value,
                    line=seen[value],
                )
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
            yield gettext(
                "%(lines)s: the e-mail %(email)s stands more than once.",
                lines=_named(numbers),
                email=email,
            )


def _named(numbers: Sequence[int]) -> str:
    """Name lines: ``Line 2``, ``Lines 2 and 3``."""
    if len(numbers) == 1:
        return gettext("Line %(number)s", number=numbers[0])
    shown = [str(number) for number in numbers[:_MOST_NUMBERS]]
    more = len(numbers) - len(shown)
    *most, last = [*shown, gettext("%(count)s more", count=more)] if more else shown
    return gettext("Lines %(most)s and %(last)s", most=", ".join(most), last=last)
