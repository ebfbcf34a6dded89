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


def test_names_from_a_chinese_excel_are_read() -> None:
    file = read_roster("username,name\nwang,王小明\n".encode("gb18030"))
    assert file.lines[0].name == "王小明"


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
        pytest.param(b"name,email\n", "username is missing", id="no username"),
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
    assert "'=HYPERLINK" in passwords_csv([InitialPassword("a", "=HYPERLINK(1)", "secret")])


def preview(client: FlaskClient, text: str) -> str:
    answer = client.post(
        "/staff/2026-autumn/roster/preview",
        data={"file": (io.BytesIO(text.encode()), "roster.csv")},
    )
    return answer.text


def confirm(client: FlaskClient, page: str) -> str:
    fields = dict(re.findall(r'name="(roster|fingerprint)" value="([^"]*)"', page))
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
