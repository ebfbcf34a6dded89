"""No page says anything that the catalogues do not know: every page, by every kind of person.

The pages are read in a language that puts ⟦brackets⟧ around whatever is translated. Words outside
of them must be data: names, titles, what a report says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.support import NullTranslations
from flask import Flask
from support.attempts import Classroom, fault
from support.competition import Arena, Competitor, guesses
from support.portal import Site, open_site
from support.reports import class_report, pictured_report

from grader.report import Report
from portal.courses.models import Enrolment, Offering, Role
from portal.platform import language
from portal.platform.db import read_session
from portal.teams.models import Team

ZH = {"Accept-Language": "zh"}
SILENT = {"script", "style", "code", "pre", "article", "svg"}
VOID = {"br", "hr", "img", "input", "link", "meta"}
SPOKEN = {"alt", "aria-label", "data-label", "placeholder", "title"}
WORD = re.compile(r"[A-Za-z]{2,}")
# Names of things that are called so in every language.
NAMES = {
    "CPU", "CSV", "English", "GPU", "KB", "MB", "Proctor", "Python", "SHA", "TOML", "UTC", "UTF",
    "zip",
}  # fmt: skip


class Bracketed(NullTranslations):
    """A language that says everything in English, in brackets."""

    def ugettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ungettext(self, singular: str, plural: str, num: int) -> str:
        return f"⟦{singular if num == 1 else plural}⟧"

    def upgettext(self, context: str, message: str) -> str:
        return f"⟦{message}⟧"


class Reader(HTMLParser):
    """Gathers what a page says outside of brackets."""

    def __init__(self) -> None:
        super().__init__()
        self.plain: list[str] = []
        self._depth = 0
        self._silent: list[str] = []  # open tags, from one on whose words are not looked at

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID and (self._silent or tag in SILENT or ("lang", "en") in attrs):
            self._silent.append(tag)
        for name, value in attrs:
            if name in SPOKEN and value:
                self.plain.append(self._outside(value, 0)[0])

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag not in VOID:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        text, self._depth = self._outside(data, self._depth)
        if not self._silent:
            self.plain.append(text)

    @staticmethod
    def _outside(text: str, depth: int) -> tuple[str, int]:
        kept = []
        for character in text:
            depth += (character == "⟦") - (character == "⟧")
            if not depth:
                kept.append(character)
        return "".join(kept), depth


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for part in value.values() for text in strings(part))
    elif isinstance(value, list | tuple):
        yield from (text for part in value for text in strings(part))


def untranslated(page: str, data: set[str]) -> list[str]:
    reader = Reader()
    reader.feed(page)
    found = []
    for text in reader.plain:
        for known in sorted(data, key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", " ", text)
        found += [text.strip() for word in WORD.findall(text) if word not in NAMES]
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A portal that all of these tests only look at."""
    with open_site(tmp_path_factory.mktemp("portal")) as site:
        yield site


@pytest.fixture(scope="module")
def scene(site: Site) -> dict[str, list[object]]:
    """A term in which everything has happened once: what stands in addresses."""
    classroom = Classroom(site)
    ada = site.make_member("ada", email="ada@example.org")
    bo = site.make_member("bo")
    tess = site.make_member("tess", Role.TA)
    ines = site.make_member("ines", Role.INSTRUCTOR)
    pictured = pictured_report(site.store)
    submissions = [
        *classroom.send_reports(ada, pictured),
        *classroom.send(ada, 4.0, mates=[bo]),
        *classroom.send(bo, None, None),
    ]
    fault(site, submissions[-1])
    site.change_offering(late_percent=10, grace_minutes=5, attempts_total=30, team_size=3)
    staff, client = f"/staff/{site.term.slug}", site.log_in("ines")
    mark = {"item": "whole", "points": "3", "comment": "Fine"}
    last = site.offering_id + 6
    assert client.post(f"{staff}/gradebook/{ada.id}/{last}/marks", data=mark).status_code == 303
    grant = {"student": ada.id, "offering": site.offering_id, "due": "2027-01-01T10:00"}
    answer = client.post(f"{staff}/extensions", data={**grant, "attempts": "1", "reason": "Fine"})
    assert answer.status_code == 303
    client.post(f"{staff}/roster/{bo.id}", data={"role": "student"})
    client.get(f"{staff}/settings/course.toml")
    site.clock.advance(hours=2)
    arena = _competition(site, ada)
    trial, run = classroom.try_regrade(tess, submissions[0])
    return {
        "slug": [site.term.slug],
        "offering_id": [site.offering_id, last, arena.offering_id],
        "enrolment_id": [ada.id, bo.id, ines.id],
        "submission_id": submissions,
        "trial_id": [trial],
        "run_id": [run],
    }


def _competition(site: Site, ada_there: Enrolment) -> Arena:
    """Let a competition be under way: teams, entries, a disqualified one, and who is asked."""
    arena = Arena(site)
    ada = Competitor(arena, ada_there, site.log_in("ada"))
    cy, di, eve = (arena.student(name) for name in ("cy", "di", "eve"))
    ada.team_with(di)
    assert cy.invite(eve).status_code == 303
    for skill in (0.5, 0.7):
        ada.enter(guesses(skill, 1))
        cy.enter(guesses(skill, 2))
    staff, (first, *_) = site.log_in("tess"), arena.entries()
    ruling = {"team": first.team_id, "entry": first.id, "what": "disqualify", "reason": "Fine"}
    answer = staff.post(f"{arena.staff_address}/{arena.offering_id}/rulings", data=ruling)
    assert answer.status_code == 303
    return arena


def addresses(app: Flask, scene: dict[str, list[object]]) -> Iterator[str]:
    """Yield every address that is read, with each value that the scene has for its places."""
    for rule in app.url_map.iter_rules():
        assert rule.methods is not None
        places = re.findall(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", rule.rule)
        if "GET" not in rule.methods or not set(places) <= set(scene) or "events" in rule.rule:
            continue
        several = [place for place in places if len(scene[place]) > 1]
        for value in scene[several[0]] if several else [None]:
            address = rule.rule
            for place in places:
                chosen = value if several and place == several[0] else scene[place][0]
                address = re.sub(rf"<[^<>]*\b{place}>", str(chosen), address)
            yield address


def data_of(site: Site) -> set[str]:
    """Return what people and reports have written."""
    with read_session(site.engine) as session:
        people = [one.user for one in session.query(Enrolment)]
        offerings = session.query(Offering).all()
        found = {
            *(text for one in people for text in (one.display_name, one.username, one.email)),
            *(one.title for one in offerings),
            *(one.assignment_slug or "" for one in offerings),
            *(one.name for one in session.query(Team)),
        }
    reports: list[Report] = [pictured_report(site.store), class_report(4, "")]
    texts = (json.loads(one.model_dump_json()) for one in reports)
    term = {site.term.title, site.term.slug, site.term.timezone}
    written = {"Fine", "answer.py", "demo", "A demo lab", "Mechanics", "The first thing"}
    more = {"The second thing", "disk full", "relative error", "AssertionError"}
    known = {*found, *term, *written, *more, *strings(list(texts))}
    return {text for text in known if len(text) > 1}


@pytest.mark.parametrize("username", ["ada", "tess", "ines", None])
def test_no_page_says_what_is_in_no_catalogue(
    site: Site,
    scene: dict[str, list[object]],
    username: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(language, "catalogue", lambda _code: Bracketed())
    client = site.log_in(username) if username else site.app.test_client()
    data = data_of(site)
    wrong = {}
    for address in addresses(site.app, scene):
        answer = client.get(address, headers=ZH)
        if answer.mimetype == "text/html" and answer.status_code != 302:
            assert '<html lang="zh-Hans">' in answer.text
            found = untranslated(answer.text, data)
            if found:
                wrong[address] = sorted(set(found))
    assert wrong == {}, json.dumps(wrong, indent=1)


def test_scripts_bring_no_words_of_their_own() -> None:
    folder = Path(language.__file__).parents[1] / "static"
    for file in folder.glob("*.js"):
        code = re.sub(r"//.*", "", file.read_text(encoding="utf-8"))
        texts = re.findall(r'"([^"\n]*)"', code)
        assert [text for text in texts if re.search(r"[A-Za-z]{3,} [a-z]{2,}", text)] in (
            [],
            ["use strict"],
        ), file.name
