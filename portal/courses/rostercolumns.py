"""Which columns of a roster hold what: names that course systems and schools give to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.platform.errors import Invalid
from portal.platform.language import gettext, lazy


class Fact(StrEnum):
    """What a column says of a person."""

    USERNAME = "username"
    EMAIL = "e-mail"
    NAME = "name"
    FIRST_NAME = "first name"
    LAST_NAME = "last name"
    STUDENT_NUMBER = "student number"
    ROLE = "role"


_WORDS = {
    Fact.USERNAME: lazy("username"),
    Fact.EMAIL: lazy("e-mail"),
    Fact.NAME: lazy("name"),
    Fact.FIRST_NAME: lazy("first name"),
    Fact.LAST_NAME: lazy("last name"),
    Fact.STUDENT_NUMBER: lazy("student number"),
    Fact.ROLE: lazy("role"),
}


# Headers in lower case with _ for blanks: ours, Canvas's (student, sis_...), Moodle's (surname,
# id_number, email_address), Blackboard's and Gradescope's (sid), and those of Chinese schools.
_HEADERS = {
    Fact.USERNAME: "username user user_name login login_id sis_login_id netid 用户名 账号 登录名",
    Fact.EMAIL: "email e_mail mail email_address e_mail_address 邮箱 电子邮箱 电子邮件 電子郵件",
    Fact.NAME: "name display_name full_name student student_name 姓名 学生姓名 學生姓名",
    Fact.FIRST_NAME: "first_name firstname given_name vorname 名",
    Fact.LAST_NAME: "last_name lastname surname family_name nachname 姓",
    Fact.STUDENT_NUMBER: "student_number student_id number id_number sid sis_user_id 学号 學號",
    Fact.ROLE: "role roles 角色 身份",
}
_FIELD_OF = {header: part for part, headers in _HEADERS.items() for header in headers.split()}

_OF_CANVAS = frozenset({"sis_login_id", "sis_user_id"})


@dataclass(frozen=True)
class RosterColumns:
    """Where each part stands, and what the file as a whole is."""

    places: Mapping[Fact, int]
    width: int  # cells of the first line
    is_canvas: bool  # a gradebook of Canvas: "Last, First", and lines that are no people

    def cells(self, row: Sequence[str]) -> dict[Fact, str]:
        """Return what a row says, by part; parts without a column are left out."""
        return {part: row[place] if place < len(row) else "" for part, place in self.places.items()}

    @property
    def username_from(self) -> Fact:
        """What stands for the username: its own column, else the student number or e-mail."""
        order = (Fact.USERNAME, Fact.STUDENT_NUMBER, Fact.EMAIL)
        return next(part for part in order if part in self.places)


def find_columns(header: Sequence[str]) -> RosterColumns:
    """Tell what each column holds; unknown ones are left alone.

    Raises Invalid if a part stands twice, or too little is there to make accounts from.
    """
    names = [_plain(cell) for cell in header]
    places: dict[Fact, int] = {}
    for place, name in enumerate(names):
        part = _FIELD_OF.get(name)
        if part in places:
            first = header[places[part]]
            raise Invalid(
                gettext(
                    "the %(fact)s stands twice in the first line: %(first)r and %(second)r; "
                    "keep one",
                    fact=_WORDS[part],
                    first=first,
                    second=header[place],
                )
            )
        if part:
            places[part] = place
    missing = []
    if Fact.NAME not in places and not {Fact.FIRST_NAME, Fact.LAST_NAME} <= places.keys():
        missing.append(gettext("the name"))
    if not {Fact.USERNAME, Fact.STUDENT_NUMBER, Fact.EMAIL} & places.keys():
        missing.append(gettext("the username (or the student number, or the e-mail)"))
    if missing:
        raise Invalid(
            gettext(
                "the first line must name the columns, such as username,email,name,student_number,"
                "role; %(facts)s is missing",
                facts=gettext(" and ").join(missing),
            )
        )
    return RosterColumns(
        places, len(header), "student" in names and bool({"sis_login_id", "sis_user_id"} & {*names})
    )


def full_name(first: str, last: str) -> str:
    """Join the parts of a name: a Chinese one has the family name first, and no blank."""
    is_chinese = any("\u4e00" <= char <= "\u9fff" for char in first + last)
    return f"{last}{first}" if is_chinese else f"{first} {last}".strip()


def _plain(cell: str) -> str:
    return "_".join(cell.casefold().replace("-", " ").replace("_", " ").split())
