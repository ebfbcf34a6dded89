"""What a person sees of a term and a lab, and when."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from grader.api import Catalogue
from portal.courses.models import Enrolment, Offering, Role, Term
from portal.courses.service import create_term
from portal.labs.handout import skeleton_zip
from portal.platform.db import read_session, write_session
from portal.platform.errors import Invalid
from portal.platform.markdown import render_markdown

Member = Callable[..., Enrolment]
LogIn = Callable[[str], FlaskClient]


def test_the_standard_scheme_makes_a_hundred_points(engine: Engine, term: Term) -> None:
    with read_session(engine) as session:
        offerings = session.scalars(select(Offering)).all()
    assert [offering.points for offering in offerings] == [Decimal(14)] * 5 + [25, 5]
    assert sum(offering.points for offering in offerings) == 100


def test_labs_are_due_a_minute_before_midnight_in_the_courses_zone(term: Term) -> None:
    first = term.offerings[0]
    assert first.opens_at.isoformat() == "2026-09-06T16:00:00+00:00"
    assert first.due_at.isoformat() == "2026-09-20T15:59:00+00:00"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"slug": "A B"}, "short name"), ({"timezone": "Mars/Base"}, "time zone"),
     ({"timezone": "../etc"}, "time zone"), ({"slug": "2026-autumn"}, "exists already")],
)  # fmt: skip
def test_a_term_that_cannot_be_is_refused(
    engine: Engine, term: Term, change: dict[str, str], complaint: str
) -> None:
    values = {"slug": "new", "title": "New", "timezone": "UTC"} | change
    with write_session(engine) as session, pytest.raises(Invalid, match=complaint):
        create_term(session, labs=[], first_day=date(2026, 1, 1), **values)  # type: ignore[arg-type]


def test_home_shows_due_dates_in_the_courses_zone(make_member: Member, log_in: LogIn) -> None:
    make_member("ada")
    page = log_in("ada").get("/").text
    assert "Sun 20 Sep 2026, 23:59 (UTC+08:00)" in page
    assert "Lab 2" not in page  # not published


def test_staff_see_what_is_not_published(make_member: Member, log_in: LogIn) -> None:
    make_member("tom", Role.TA)
    page = log_in("tom").get("/").text
    assert "Lab 2" in page and "Not published" in page


def test_the_lab_page_shows_the_handout_as_safe_html(make_member: Member, log_in: LogIn) -> None:
    make_member("ada")
    page = log_in("ada").get("/labs/1/").text
    assert "<em>42</em>" in page and "<script>alert" not in page
    assert "The second thing" in page
    assert "返回 42" in log_in("ada").get("/labs/1/?lang=zh").text


def test_before_it_opens_a_lab_keeps_its_secrets(
    make_member: Member, log_in: LogIn, engine: Engine
) -> None:
    make_member("ada")
    with write_session(engine) as session:
        lab = session.get_one(Offering, 1)
        lab.opens_at += timedelta(days=7)
    client = log_in("ada")
    page = client.get("/labs/1/").text
    assert "This lab opens" in page and "The second thing" not in page
    assert client.get("/labs/1/skeleton.zip").status_code == 404


def test_the_skeleton_holds_the_public_folder_alone(
    make_member: Member, log_in: LogIn, home: Path
) -> None:
    make_member("ada")
    public = home / "assignments" / "demo"
    (public / "leak.py").symlink_to(home / "reference" / "demo" / "answer.py")
    (public / "linked").symlink_to(home / "reference")
    (public / "__pycache__").mkdir()
    (public / "__pycache__" / "x.pyc").write_bytes(b"x")
    answer = log_in("ada").get("/labs/1/skeleton.zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        names = archive.namelist()
        text = b"".join(archive.read(name) for name in names)
    assert names == [
        "demo/README.md",
        "demo/README.zh.md",
        "demo/assignment.toml",
        "demo/demo/answer.py",
    ]
    assert b"STAFF-CANARY" not in text
    assert skeleton_zip(Catalogue(home).get("demo").assignment) == answer.data


def test_a_lab_whose_folder_is_gone_says_so(make_member: Member, log_in: LogIn, home: Path) -> None:
    make_member("ada")
    (home / "assignments" / "demo" / "assignment.toml").unlink()
    page = log_in("ada").get("/labs/1/")
    assert page.status_code == 200
    assert "not on this server yet" in page.text


@pytest.mark.parametrize(
    "text",
    ["<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "<div>\n\n<b>x</b>\n</div>",
     "![x](data:text/html;base64,AAAA)"],
)  # fmt: skip
def test_markdown_makes_no_active_html(text: str) -> None:
    html = render_markdown(text)
    active = ("<img src=x", 'href="javascript', "<div>", 'src="data:text')
    assert not any(sign in html for sign in active)
