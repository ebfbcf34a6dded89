"""Every address with everything of two terms, by everybody: who gets through is as it is written.

A page that is not in `rights.txt` fails, and so does a line there without its page, and a page that
nobody gets through to: the two terms then hold nothing that it could show.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest
from attacks.portal.rows import row
from attacks.portal.two_terms import RELATIONS, Place, build, own_place, relation
from support.portal import Site

WRITTEN = Path(__file__).with_name("rights.txt")
PEOPLE = (
    "nobody", "outsider", "ada", "bo", "lee", "mia", "fay", "tess", "ines", "zoe", "yan", "max",
    "moe", "finn", "otto", "olga", "root",
)  # fmt: skip
VERBS = ("GET", "POST")
FORM = {"language": "en"}  # the one field without which a form leads nowhere
# What names a thing beside the address: behind its question mark, or in the form.
FIELDS = {
    "dashboard.test": frozenset({"test"}),
    "marking.take_back_comment": frozenset({"comment"}),
}
NOBODYS = {("GET", "people.signed_on")}  # there is no provider that could send anybody there
Right = tuple[str, str]  # a verb, and an endpoint


def written() -> dict[Right, frozenset[str]]:
    """Read the table: for each verb and endpoint, whom it lets through."""
    head, *lines = [
        line.split() for line in WRITTEN.read_text(encoding="utf-8").splitlines() if line.strip()
    ]
    assert tuple(head[2:]) == RELATIONS
    table = {}
    for verb, endpoint, *marks in lines:
        assert len(marks) == len(RELATIONS) and set(marks) <= {"yes", "-"}, endpoint
        assert (verb, endpoint) not in table, endpoint
        table[verb, endpoint] = frozenset(
            who for who, mark in zip(RELATIONS, marks, strict=True) if mark == "yes"
        )
    return table


class Crawl:
    """Everybody's browser, and a database that is as it was before each request."""

    def __init__(self, site: Site) -> None:
        self.places = build(site)
        self._app = site.app
        self.browsers = {
            name: self._app.test_client() if name == "nobody" else site.log_in(name)
            for name in PEOPLE
        }
        self._file = str(site.engine.url.database)
        self._kept = f"{self._file}.kept"
        _copy(self._file, self._kept)

    def rules(self) -> Iterator[tuple[str, str, frozenset[str]]]:
        """Yield each verb and endpoint, with the names of what its address and fields name."""
        for rule, verb in product(self._app.url_map.iter_rules(), VERBS):
            if verb in (rule.methods or ()):
                fields = FIELDS.get(rule.endpoint, frozenset())
                yield verb, rule.endpoint, frozenset(rule.arguments) | fields

    def lets_through(self, username: str, verb: str, endpoint: str, values: object) -> bool:
        """Tell whether an address answers somebody with anything but: there is nothing here."""
        assert isinstance(values, dict)
        fields = FIELDS.get(endpoint, frozenset()) if verb == "POST" else frozenset()
        form = {name: str(values[name]) for name in fields}
        with self._app.test_request_context():
            place = {name: value for name, value in values.items() if name not in fields}
            address = self._app.url_for(endpoint, **place)
        browser = self.browsers[username]
        cookies = dict(browser._cookies or {})
        answer = browser.open(address, method=verb, data=FORM | form if verb == "POST" else None)
        through = answer.status_code != 404 and not (
            answer.status_code == 302 and answer.location.startswith("/login?next=")
        )
        answer.close()
        assert answer.status_code < 500 and answer.status_code != 429, (username, address)
        if through and verb == "POST":
            browser._cookies = cookies
            _copy(self._kept, self._file)
        return through


def _copy(source: str, target: str) -> None:
    """Copy a database, also over one that is in use."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


@pytest.fixture
def crawl(site: Site) -> Crawl:
    """The portal with its two terms."""
    return Crawl(site)


def _pick(place: Place, endpoint: str, names: frozenset[str]) -> dict[str, object]:
    return {name: place.of(endpoint)[name] for name in names}


def test_every_page_stands_in_the_table(site: Site) -> None:
    pages = {
        (verb, rule.endpoint)
        for rule, verb in product(site.app.url_map.iter_rules(), VERBS)
        if verb in (rule.methods or ())
    }
    assert pages == set(written()), "write into rights.txt whom a new page lets through"


def test_everything_that_a_page_could_show_is_there_for_somebody() -> None:
    assert {right for right, who in written().items() if not who} == NOBODYS


@pytest.mark.timeout(1800)
@row("idor-rights")
def test_who_gets_through_is_as_it_is_written(crawl: Crawl) -> None:
    table, wrong, counts = written(), [], Counter[str]()
    everything = list(crawl.rules())
    for (verb, endpoint, names), place, username in product(everything, crawl.places, PEOPLE):
        if not names and place is not own_place(crawl.places, username):
            continue  # an address without ids is the same for both terms
        through = crawl.lets_through(username, verb, endpoint, _pick(place, endpoint, names))
        who = relation(place, username)
        counts["allowed" if through else "refused"] += 1
        if through != (who in table.get((verb, endpoint), ())):
            wrong.append((verb, endpoint, username, who, "in" if through else "out"))
    print(
        f"\n{len(PEOPLE)} people x {len(everything)} addresses x {len(crawl.places)} terms: "
        f"{counts['allowed']} allowed, {counts['refused']} refused"
    )
    assert wrong == []


@row("idor-rights")
def test_who_left_a_team_sees_what_was_sent_before_and_nothing_later(crawl: Crawl) -> None:
    table = written()
    of_one = [rule for rule in crawl.rules() if table[rule[:2]] >= {"owner", "mate"}]
    pages = [rule for rule in of_one if "submission_id" in rule[2]]
    assert len(pages) == 8
    for (verb, endpoint, names), place, username in product(pages, crawl.places, PEOPLE):
        values = _pick(place, endpoint, names) | {"submission_id": place.earlier}
        through = crawl.lets_through(username, verb, endpoint, values)
        who = relation(place, username)
        sees = who == "former" or who in table[verb, endpoint]
        assert through == sees, (verb, endpoint, username, who)


@row("idor-rights")
def test_ids_of_two_terms_in_one_address_let_nobody_through(crawl: Crawl) -> None:
    here, there = crawl.places
    tried = 0
    for verb, endpoint, names in crawl.rules():
        others = names - {"slug"}
        if len(names) < 2 or not others & set(here.values) or endpoint == "results.artifact":
            continue
        for mine, other in ((here, there), (there, here)):
            values = _pick(other, endpoint, others)
            first = "slug" if "slug" in names else sorted(names)[0]
            values[first] = mine.of(endpoint)[first]
            for username in PEOPLE[2:]:
                tried += 1
                assert not crawl.lets_through(username, verb, endpoint, values), (
                    verb, endpoint, username
                )  # fmt: skip
    print(f"\n{tried} addresses with ids of two terms: all refused")
    assert tried > 0
