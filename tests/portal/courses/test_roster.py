"""A roster is imported whole or not at all, and only what was previewed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from portal.courses.models import Enrolment, Role, Term
from portal.courses.roster import InitialPassword, apply_import, passwords_csv, plan_import
from portal.courses.rosterfile import MAX_BYTES, read_roster
from portal.people.models import User
from portal.platform.db import read_session, write_session
from portal.platform.errors import Invalid

GOOD = (
    "username,email,name,student_number,role\nada,ada@x.org,Ada Lovelace,1001,student\nbo,,Bo,,ta\n"
)
Member = Callable[..., Enrolment]
LogIn = Callable[[str], FlaskClient]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(GOOD.encode(), id="utf-8"),
        pytest.param(GOOD.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(GOOD.encode("utf-16"), id="utf-16"),
        pytest.param(GOOD.replace(",", ";").encode(), id="semicolons"),
        pytest.param(GOOD.replace(",", "\t").encode(), id="tabs"),
        pytest.param(GOOD.replace("\n", "\r\n").encode(), id="windows line ends"),
        pytest.param(GOOD.replace("\n", "\n\n ,\n").encode(), id="blank lines"),
        pytest.param(GOOD.replace("username", " User Name ").encode(), id="other header"),
    ],
)
def test_every_spreadsheets_csv_reads_the_same(data: bytes) -> None:
    file = read_roster(data)
    assert file.problems == ()
    assert [(line.username, line.name, line.role) for line in file.lines] == [
        ("ada", "Ada Lovelace", Role.STUDENT),
        ("bo", "Bo", Role.TA),
    ]


@pytest.mark.parametrize(
    ("codec", "name", "encoding", "is_guess"),
    [
        pytest.param("utf-8", "王小明", "UTF-8", False, id="utf-8"),
        pytest.param("utf-16", "王小明", "UTF-16", False, id="utf-16"),
        pytest.param("gb18030", "王小明", "GBK", True, id="a chinese excel"),
        pytest.param("big5", "陳怡君", "Big5", True, id="a taiwanese excel"),
        pytest.param("cp1252", "Jürgen Müller", "Windows-1252", True, id="a western excel"),
    ],
)
def test_names_are_read_and_a_guess_is_told(
    codec: str, name: str, encoding: str, is_guess: bool
) -> None:
    file = read_roster(f"username,name\nwang,{name}\n".encode(codec))
    assert (file.lines[0].name, file.encoding, file.is_guess) == (name, encoding, is_guess)


def test_a_chosen_encoding_is_no_guess() -> None:
    data = "username,name\njm,Jürgen\n".encode("cp1252")
    file = read_roster(data, encoding="Latin-1")
    assert (file.lines[0].name, file.is_guess) == ("Jürgen", False)


CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Lab 1 (123)\n"
    "    Points Possible,,,,,14\n"
    '"Lovelace, Ada",10001,1001,ada,DL-01,\n'
    '"张, 三",10002,1002,bo,DL-01,12.5\n'
    '"Student, Test",10003,,7f3a9c0b2d1e4f5a,DL-01,\n'
)
MOODLE = (
    "\ufeffFirst name,Last name,ID number,Email address,Groups\n"
    "Ada,Lovelace,1001,ada@x.org,\n三,张,1002,bo@x.org,DL-01\n"
)
BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\n'
    '"Lovelace"\t"Ada"\t"ada"\t"1001"\t"2026-09-07"\n"张"\t"三"\t"bo"\t"1002"\t""\n'
)
GRADESCOPE = (
    "First Name,Last Name,SID,Email,Role,Section\n"
    "Ada,Lovelace,1001,ada@x.org,Student,\n三,张,1002,bo@x.org,Student,\n"
)
SCHOOL = "学号,姓名,班级,邮箱\n1001,Ada Lovelace,计科1班,ada@x.org\n1002,张三,计科1班,bo@x.org\n"
TAIWAN = "學號;姓名;班級\n1001;Ada Lovelace;甲\n1002;張三;乙\n"


@pytest.mark.parametrize(
    ("text", "usernames"),
    [
        pytest.param(CANVAS, ["ada", "bo"], id="canvas"),
        pytest.param(MOODLE, ["1001", "1002"], id="moodle"),
        pytest.param(BLACKBOARD, ["ada", "bo"], id="blackboard"),
        pytest.param(GRADESCOPE, ["1001", "1002"], id="gradescope"),
        pytest.param(SCHOOL, ["1001", "1002"], id="a chinese school"),
        pytest.param(TAIWAN, ["1001", "1002"], id="a taiwanese school"),
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_course_systems_name_their_columns_otherwise(
    text: str, usernames: list[str], codec: str
) -> None:
    file = read_roster(text.encode(codec))
    assert file.problems == ()
    assert [line.username for line in file.lines] == usernames
    assert [line.student_number for line in file.lines] == ["1001", "1002"]
    assert file.lines[0].name == "Ada Lovelace"
    assert file.lines[1].name in ("张三", "張三")
    assert any("no column of usernames" in said for said in file.notices) == (
        usernames[0] == "1001"
    )


def test_lines_of_canvas_itself_are_left_out_and_named() -> None:
    assert read_roster(CANVAS.encode()).notices == (
        "Lines 2 and 5: no person, but Canvas's own; left out.",
    )


def test_without_numbers_the_mail_gives_the_username() -> None:
    file = read_roster(b"Name,Email\nAda,ada@x.org\n")
    assert file.lines[0].username == "ada"
    assert "before the @" in file.notices[0]


@pytest.mark.parametrize(
    ("cell", "number"),
    [("20260001.0", "20260001"), ('"=""20260001"""', "20260001"), ("2026-1", "2026-1")],
)
def test_what_a_spreadsheet_adds_to_a_number_is_taken_off(cell: str, number: str) -> None:
    file = read_roster(f"username,name,student_number\nzs,Z,{cell}\n".encode())
    assert file.lines[0].student_number == number
    assert ("Line 2: the student number lost the .0" in "".join(file.notices)) == (
        cell.endswith(".0")
    )


@pytest.mark.parametrize("cell", ["2.026E+07", "2.026e7", '"2,026E+07"'])
def test_a_number_that_a_spreadsheet_shortened_is_a_mistake(cell: str) -> None:
    file = read_roster(f"username,name,student_number\nzs,Z,{cell}\n".encode())
    assert [problem.number for problem in file.problems] == [2]
    assert "format its column as text" in file.problems[0].message


def test_a_line_break_within_a_name_is_said_and_counted() -> None:
    file = read_roster(b'username,name\nzs,"Zhang\nSan"\nbad name,Li\n')
    assert file.lines[0].name == "Zhang San"
    assert file.notices == ("Line 2: a line break within a cell was read as a blank.",)
    assert [problem.number for problem in file.problems] == [4]


def test_lines_with_one_mail_are_named_together() -> None:
    file = read_roster(b"username,name,email\na,A,x@y.org\nb,B,\nc,C,X@y.org\nd,D,\n")
    assert file.problems == ()
    assert file.notices == ("Lines 2 and 4: the e-mail x@y.org stands more than once.",)


def test_many_lines_are_named_by_the_first() -> None:
    text = "username,name,student_number\n" + "".join(f"u{n},U,{n}.0\n" for n in range(100, 400))
    (notice,) = read_roster(text.encode()).notices
    assert notice.startswith("Lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 290 more: ")


@pytest.mark.parametrize(
    ("written", "role"),
    [("学生", Role.STUDENT), ("助教", Role.TA), ("Teacher", Role.INSTRUCTOR), ("TA", Role.TA)],
)
def test_roles_are_known_in_the_words_of_course_systems(written: str, role: Role) -> None:
    assert read_roster(f"username,name,role\na,A,{written}\n".encode()).lines[0].role is role


@pytest.mark.parametrize(
    "header", [b"username,login,name\n", b"name,full name,username\n", b"sid,number,name\n"]
)
def test_two_columns_of_one_kind_are_a_mistake(header: bytes) -> None:
    with pytest.raises(Invalid, match="twice"):
        read_roster(header)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param("a b,,X,,", "cannot be used", id="username"),
        pytest.param("ada,not-mail,X,,", "not an e-mail", id="email"),
        pytest.param("ada,,,,", "name is empty", id="name"),
        pytest.param("ada,,X,=1+1,", "not one", id="student number"),
        pytest.param("ada,,X,,boss", "student, ta or instructor", id="role"),
        pytest.param("ada,,X,,student,more", "in quotes", id="too many cells"),
    ],
)
def test_each_mistake_names_its_line_and_the_mend(line: str, complaint: str) -> None:
    file = read_roster(f"username,email,name,student_number,role\nok,,Ok,,\n{line}\n".encode())
    assert [line.username for line in file.lines] == ["ok"]
    assert [problem.number for problem in file.problems] == [3]
    assert complaint in file.problems[0].message


def test_a_person_who_stands_twice_is_a_mistake() -> None:
    file = read_roster(b"username,name,student_number\nada,A,7\nADA,A,8\nbo,B,7\n")
    assert [(problem.number, "line 2" in problem.message) for problem in file.problems] == [
        (3, True),
        (4, True),
    ]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        pytest.param(b"", "username", id="empty"),
        pytest.param(b"name,section\n", "the username .* is missing", id="no username"),
        pytest.param(b"username,last name\n", "the name is missing", id="half a name"),
        pytest.param(b"PK\x03\x04", "workbook", id="a workbook"),
        pytest.param(b"username,name\n" + b"\n" * 250_000, "250,001 lines", id="empty lines"),
        pytest.param(b"username,name,name\n", "twice", id="column twice"),
        pytest.param(b'username,name\na,"open\n', "not CSV", id="open quote"),
        pytest.param(b"x" * (MAX_BYTES + 1), "split it", id="too large"),
    ],
)
def test_a_file_that_is_no_roster_says_why(data: bytes, complaint: str) -> None:
    with pytest.raises(Invalid, match=complaint):
        read_roster(data)


_added = st.text(max_size=300).map(lambda text: (GOOD + text).encode())


@given(st.binary(max_size=300) | _added)
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        file = read_roster(data)
    except Invalid:
        return
    assert all(re.fullmatch(r"[a-z0-9._-]+", line.username) for line in file.lines)


_names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), _names, max_size=8))
def test_what_a_csv_writer_wrote_is_read_back(people: dict[str, str]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["username", "name"])
    writer.writerows(people.items())
    file = read_roster(out.getvalue().encode())
    assert {line.username for line in file.lines} == set(people)


def test_a_name_that_looks_like_a_formula_stays_text() -> None:
    text = passwords_csv([InitialPassword("a", "=HYPERLINK(1)", "secret")])
    assert "'=HYPERLINK" in text
    assert text.startswith("\ufeff")


def preview(client: FlaskClient, text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    answer = client.post(
        "/staff/2026-autumn/roster/preview",
        data={"file": (io.BytesIO(data), "roster.csv")},
    )
    return answer.text


def confirm(client: FlaskClient, page: str, **changed: str) -> str:
    fields = dict(re.findall(r'name="(roster|encoding|fingerprint)" value="([^"]*)"', page))
    fields |= changed
    return client.post("/staff/2026-autumn/roster/import", data=fields).text


def people(engine: Engine) -> int:
    with read_session(engine) as session:
        return session.scalar(select(func.count(Enrolment.id))) or 0


def test_the_import_does_what_the_preview_said(
    make_member: Member, log_in: LogIn, engine: Engine
) -> None:
    make_member("tom", Role.INSTRUCTOR)
    client = log_in("tom")
    page = preview(client, GOOD)
    assert "2 × new account" in page
    assert people(engine) == 1
    done = confirm(client, page)
    assert "shown once" in done
    assert people(engine) == 3
    password = re.findall(r"<code>([^<]{12})</code>", done)[0]
    answer = client.application.test_client().post(
        "/login", data={"username": "ada", "password": password}
    )
    assert answer.status_code == 302


UMLAUTS = "username,name\njm,Jürgen Müller\n".encode("cp1252")


def test_a_guess_is_shown_and_imported_only_when_it_is_confirmed(
    make_member: Member, log_in: LogIn, engine: Engine
) -> None:
    make_member("tom", Role.INSTRUCTOR)
    client = log_in("tom")
    page = preview(client, UMLAUTS)
    assert "Windows-1252</b>, by a guess" in page
    assert "The names are right" in page
    assert "by a guess" in confirm(client, page, encoding="")
    assert people(engine) == 1
    assert "shown once" in confirm(client, page)
    with read_session(engine) as session:
        user = session.scalars(select(User).where(User.username == "jm")).one()
        assert user.display_name == "Jürgen Müller"


def test_a_wrong_guess_is_read_again_in_another_encoding(
    make_member: Member, log_in: LogIn, engine: Engine
) -> None:
    make_member("tom", Role.INSTRUCTOR)
    client = log_in("tom")
    fields = dict(re.findall(r'name="(roster)" value="([^"]*)"', preview(client, UMLAUTS)))
    page = client.post("/staff/2026-autumn/roster/preview", data={**fields, "encoding": "GBK"}).text
    assert "Read as <b>GBK</b>" in page
    assert "Jürgen" not in page
    assert "The names are right" not in page
    assert people(engine) == 1


def test_a_name_in_ascii_needs_no_confirmation(make_member: Member, log_in: LogIn) -> None:
    make_member("tom", Role.INSTRUCTOR)
    page = preview(log_in("tom"), GOOD)
    assert "by a guess" not in page
    assert 'type="checkbox"' not in page


def test_an_account_with_another_mail_is_named_before_it_joins(
    make_member: Member, make_user: Callable[..., User], log_in: LogIn
) -> None:
    make_member("tom", Role.INSTRUCTOR)
    make_user("ada", email="ada@other.org")
    page = preview(log_in("tom"), "name,email\nAda,ada@x.org\n")
    assert "the account ada exists, with the e-mail ada@other.org" in page


def test_one_wrong_line_stops_the_whole_import(
    make_member: Member, log_in: LogIn, engine: Engine
) -> None:
    make_member("tom", Role.INSTRUCTOR)
    page = preview(log_in("tom"), GOOD + "cy,,Cy,,boss\n")
    assert "1 line needs mending" in page
    assert 'name="fingerprint"' not in page
    assert people(engine) == 1


def test_a_plan_with_mistakes_cannot_be_carried_out(term: Term, engine: Engine) -> None:
    with write_session(engine) as session, pytest.raises(Invalid, match="mistakes"):
        here = session.get_one(Term, term.id)
        file = read_roster(b"username,name\nok,Ok\nbad name,X\n")
        plan = plan_import(session, here, file, actor_id=0)
        prepared = {"ok": ("password", "hash")}
        apply_import(
            session, here, plan, prepared, actor_id=0, now=datetime(2026, 9, 7, tzinfo=UTC)
        )
    assert people(engine) == 0


def test_a_roster_that_changed_since_the_preview_is_shown_again(
    make_member: Member, log_in: LogIn, engine: Engine
) -> None:
    make_member("tom", Role.INSTRUCTOR)
    client = log_in("tom")
    page = preview(client, GOOD)
    make_member("ada")
    assert "has changed since you looked" in confirm(client, page)
    assert people(engine) == 2


def test_an_import_changes_no_existing_account(
    make_member: Member, make_user: Callable[..., User], log_in: LogIn, engine: Engine
) -> None:
    make_member("tom", Role.INSTRUCTOR)
    before = make_user("root", is_admin=True, email="root@x.org")
    client = log_in("tom")
    confirm(client, preview(client, "username,name,email\nroot,Evil,evil@x.org\n"))
    with read_session(engine) as session:
        after = session.get_one(User, before.id)
        assert (after.email, after.display_name) == ("root@x.org", "Root")
        assert after.password_hash == before.password_hash
    assert people(engine) == 2


def test_nobody_takes_the_instructors_role_from_themselves(
    make_member: Member, log_in: LogIn
) -> None:
    make_member("tom", Role.INSTRUCTOR)
    assert "your own role" in preview(log_in("tom"), "username,name,role\ntom,Tom,student\n")


@pytest.mark.parametrize("role", [Role.STUDENT, Role.TA])
def test_only_instructors_import(make_member: Member, log_in: LogIn, role: Role) -> None:
    make_member("bo", role)
    client = log_in("bo")
    assert client.post("/staff/2026-autumn/roster/preview").status_code == 404
    assert client.post("/staff/2026-autumn/roster/import").status_code == 404


def test_a_ta_reads_the_roster_without_the_import(
    make_member: Member, log_in: LogIn, term: Term
) -> None:
    make_member("bo", Role.TA)
    page = log_in("bo").get("/staff/2026-autumn/roster")
    assert page.status_code == 200
    assert "Import people" not in page.text
