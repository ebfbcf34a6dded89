"""Which language a person reads: the account's, else this browser's choice, else its headers'."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from sqlalchemy import select
from support.portal import START, Site

from portal.app import FEATURES
from portal.audit.models import AuditEntry
from portal.people.models import User
from portal.platform.db import read_session
from portal.platform.formats import file_size, moment, time_left
from portal.platform.language import gettext, in_this_language, lazy, ngettext

ZH = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
EN = {"Accept-Language": "en-GB,en;q=0.9"}


def tag(client: FlaskClient, address: str = "/login", headers: dict[str, str] = EN) -> str:
    page = client.get(address, headers=headers).text
    found = re.search(r'<html lang="([^"]+)">', page)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.5", "zh-Hans"),
        ("zh-TW", "zh-Hans"),
        ("en,zh;q=0.9", "en"),
        ("de", "en"),
        ("", "en"),
    ],
)
def test_a_stranger_reads_what_the_browser_asks_for(
    client: FlaskClient, header: str, expected: str
) -> None:
    assert tag(client, headers={"Accept-Language": header}) == expected


def test_a_choice_before_logging_in_goes_before_the_browsers_and_outlasts_the_login(
    site: Site,
) -> None:
    site.make_member("ada")
    ada = site.app.test_client()
    answer = ada.post("/language", data={"language": "zh", "next": "/login?next=%2F"})
    assert (answer.status_code, answer.location) == (303, "/login?next=%2F")
    assert tag(ada) == "zh-Hans"
    ada.post("/login", data={"username": "ada", "password": "correct horse battery"})
    assert tag(ada, "/") == "zh-Hans"
    ada.post("/logout")
    assert tag(ada) == "zh-Hans"


def test_the_accounts_choice_goes_before_all_others(site: Site) -> None:
    site.make_member("ada")
    ada = site.log_in("ada")
    assert ada.post("/account", data={"language": "zh"}).status_code == 303
    assert tag(ada, "/") == "zh-Hans"
    other = site.app.test_client()
    other.post("/language", data={"language": "en"})
    other.post("/login", data={"username": "ada", "password": "correct horse battery"})
    assert tag(other, "/") == "zh-Hans"
    # The switch in the foot of a page is a choice for good, and so is taking it back.
    other.post("/language", data={"language": "en"})
    assert tag(ada, "/", ZH) == "en"
    other.post("/account", data={"language": ""})
    assert tag(other, "/", ZH) == "zh-Hans"


def test_there_is_no_other_language_to_choose(site: Site) -> None:
    site.make_member("ada")
    ada = site.log_in("ada")
    assert ada.post("/language", data={"language": "tlh"}).status_code == 404
    answer = ada.post("/account", data={"language": "tlh"})
    assert answer.status_code == 422 and "choose a language from the list" in answer.text


def test_the_switch_leads_nowhere_else(client: FlaskClient) -> None:
    answer = client.post("/language", data={"language": "zh", "next": "https://evil.example"})
    assert "evil" not in answer.location


def test_a_student_changes_the_e_mail_and_it_is_written_down(site: Site) -> None:
    site.make_member("ada", email="old@example.org")
    ada = site.log_in("ada")
    page = ada.post("/account", data={"email": "ada"}, headers=ZH)
    assert page.status_code == 422 and "不是邮箱地址" in page.text
    answer = ada.post("/account", data={"email": " ada@example.org "}, follow_redirects=True)
    assert "Saved." in answer.text and 'value="ada@example.org"' in answer.text
    again = ada.post("/account", data={"email": "ada@example.org"}, follow_redirects=True)
    assert "Nothing was changed." in again.text
    with read_session(site.engine) as session:
        assert session.scalars(select(User.email)).one() == "ada@example.org"
        (entry,) = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "account.change")
        ).all()
    assert entry.detail == {"changes": {"e-mail": ["old@example.org", "ada@example.org"]}}


def test_what_is_saved_is_said_in_the_language_that_was_chosen(site: Site) -> None:
    site.make_member("ada")
    ada = site.log_in("ada")
    page = ada.post("/account", data={"language": "zh"}, headers=EN, follow_redirects=True)
    assert "已保存。" in page.text


def test_values_look_as_their_reader_writes_them(app: Flask) -> None:
    with app.test_request_context(headers=ZH):
        assert moment(START, "Asia/Shanghai") == "2026年9月7日 周一 16:00 (UTC+08:00)"
        assert time_left(START + timedelta(days=2, hours=3), START) == "2 天 3 小时"
        assert file_size(12) == "12 字节"
        assert ngettext("%(num)s day", "%(num)s days", 1) == "1 天"
    with app.test_request_context(headers=EN):
        assert moment(START, "Asia/Shanghai") == "Mon 7 Sep 2026, 16:00 (UTC+08:00)"
        assert time_left(START + timedelta(days=1, hours=3), START) == "1 day 3 hours"


def test_a_stream_speaks_to_its_reader_when_the_request_is_over(app: Flask) -> None:
    with app.test_request_context(headers=ZH):
        say = in_this_language(lambda: gettext("Graded."))
    assert gettext("Graded.") == "Graded."
    assert say() == "已评分。"


def test_a_phrase_is_stored_in_english_and_its_values_are_no_markup(app: Flask) -> None:
    phrase = lazy("%(lab)s, due %(when)s", lab="<i>", when=2026)
    with app.test_request_context(headers=ZH):
        assert (str(phrase), phrase.source) == ("<i>，2026 截止", "<i>, due 2026")
        assert str(escape(phrase)) == "&lt;i&gt;，2026 截止"


def test_a_refused_upload_is_written_down_in_english(site: Site) -> None:
    site.make_member("ada")
    site.clock.advance(days=400)
    ada = site.log_in("ada")
    answer = ada.post(f"/labs/{site.offering_id}/submissions", headers=ZH)
    assert "没有选择文件" in answer.text
    with read_session(site.engine) as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action.startswith("submission."))
        ).all()
    (entry,) = entries
    assert all(reason.isascii() for reason in entry.detail["reasons"])


def test_every_member_of_an_enumeration_that_pages_show_is_called_something() -> None:
    for feature in FEATURES:
        for kind, words in feature.words.items():
            assert set(words) == set(kind)
