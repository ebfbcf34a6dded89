"""A small competition, and people in front of it."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.competition.models import CompetitionEntry
from portal.courses.models import Enrolment, Offering, OfferingKind
from portal.platform.db import read_session, write_session
from support.portal import START, Site

SLUG = "guess"
ROWS, PUBLIC = 600, 200
STEP = 0.01
CLASSES = ("ant", "bee", "cat", "dog")
MANIFEST = f"""\
schema = 1
slug = "{SLUG}"
title = "Guess the animal"
files = [{{ path = "predictions.csv" }}]

[limits]
cpu_seconds = 60
upload_mb = 1

[[parts]]
id = "rank"
title = "Rank"
items = [{{ id = "rank", title = "The team's rank", points = 25, manual = true }}]

[competition]
file = "predictions.csv"
predicted = ["animal"]
metric = "accuracy"
classes = ["ant", "bee", "cat", "dog"]
public = {PUBLIC}
baseline = 0.4
most = 25
least = 15
below_baseline = 12
step = {STEP}
"""
DAYS = 21


def truth(seed: int = 7) -> list[str]:
    """Return the labels in the order of their rows."""
    draw = random.Random(seed)
    return [draw.choice(CLASSES) for _ in range(ROWS)]


def as_csv(animals: list[str]) -> bytes:
    """Write a file of predictions."""
    lines = [f"{row},{animal}" for row, animal in enumerate(animals)]
    return ("\n".join(["id,animal", *lines]) + "\n").encode()


def guesses(skill: float, seed: int) -> bytes:
    """Return predictions of which about the share `skill` is right."""
    draw = random.Random(seed)
    return as_csv(
        [
            animal if draw.random() < skill else CLASSES[(CLASSES.index(animal) + 1) % 4]
            for animal in truth()
        ]
    )


def write_competition(home: Path) -> None:
    """Add the competition to a checkout: what students get, and the labels."""
    public, staff = home / "assignments" / SLUG, home / "reference" / SLUG
    public.mkdir(parents=True)
    staff.mkdir(parents=True)
    (public / "assignment.toml").write_text(MANIFEST)
    (public / "README.md").write_text("# Guess the animal\n\nName each one.\n")
    (staff / "labels.csv").write_bytes(as_csv(truth()))


class Arena:
    """A term's competition that opens with the term, for 21 days."""

    def __init__(self, site: Site, opens: datetime = START) -> None:
        write_competition(site.config.home)
        # Days pass in a moment here, and rates go by the real clock.
        limits = dict.fromkeys(("competition.enter", "competition.invite"), "9999 per minute")
        site.config = replace(site.config, limits=limits)
        self.site, self.opens = site, opens
        self.offering_id = self._open()
        self.address = f"/competitions/{self.offering_id}/"
        self.staff_address = f"/staff/{site.term.slug}/competition"

    def _open(self) -> int:
        site, term_id = self.site, self.site.term.id
        with write_session(site.engine) as session:
            offering = session.scalars(
                select(Offering).where(
                    Offering.term_id == term_id, Offering.kind == OfferingKind.COMPETITION
                )
            ).one()
            offering.assignment_slug, offering.published = SLUG, True
            offering.title = "Guess the animal"
            offering.opens_at = self.opens
            offering.due_at = self.opens + timedelta(days=DAYS, minutes=-1)
            return offering.id

    def change(self, **values: object) -> None:
        """Set columns of the offering."""
        with write_session(self.site.engine) as session:
            offering = session.get_one(Offering, self.offering_id)
            for name, value in values.items():
                setattr(offering, name, value)

    def student(self, username: str) -> Competitor:
        """Enrol a student and return them in front of the competition."""
        return Competitor(self, self.site.make_member(username), self.site.log_in(username))

    def entries(self) -> list[CompetitionEntry]:
        """Return all entries, in the order they came."""
        with read_session(self.site.engine) as session:
            return list(session.scalars(select(CompetitionEntry).order_by(CompetitionEntry.number)))

    def end(self) -> None:
        """Let the competition be over."""
        self.site.clock.instant = self.opens + timedelta(days=DAYS)

    def freeze(self) -> None:
        """Let the board stand still."""
        self.site.clock.instant = self.opens + timedelta(days=DAYS - 1)

    def finish(self, staff: FlaskClient, reason: str = "") -> TestResponse:
        """Preview the result and write it down."""
        address = f"{self.staff_address}/{self.offering_id}/result"
        page = staff.get(address)
        assert page.status_code == 200, page.text
        digest = re.search(r'name="digest" value="([0-9a-f]+)"', page.text)
        assert digest
        return staff.post(address, data={"digest": digest[1], "reason": reason})


class Competitor:
    """A student in front of the competition."""

    def __init__(self, arena: Arena, enrolment: Enrolment, browser: FlaskClient) -> None:
        self.arena, self.enrolment, self.browser = arena, enrolment, browser
        self._sent = 0

    def page(self) -> str:
        """Return the competition's page."""
        answer = self.browser.get(self.arena.address)
        assert answer.status_code == 200, answer.text
        return answer.text

    def enter(
        self, data: bytes, *, key: str | None = None, source: bytes | None = None
    ) -> TestResponse:
        """Send a file of predictions, each with a key of its own unless one is given."""
        self._sent += 1
        form: dict[str, object] = {
            "client_key": key or f"key-{self._sent:06}",
            "predictions": (BytesIO(data), "predictions.csv"),
        }
        if source is not None:
            form["source"] = (BytesIO(source), "code.zip")
        return self.browser.post(f"{self.arena.address}entries", data=form)

    def post(self, what: str, **form: object) -> TestResponse:
        """Press a button of the page."""
        return self.browser.post(f"{self.arena.address}{what}", data=form)

    def invite(self, other: Competitor) -> TestResponse:
        """Ask somebody into the team."""
        return self.post("team/invitations", username=other.enrolment.user.username)

    def answer(self, answer: str = "accept") -> TestResponse:
        """Answer the first invitation that the page shows."""
        found = re.search(r"team/invitations/(\d+)", self.page())
        assert found, "there is no invitation"
        return self.post(f"team/invitations/{found[1]}", answer=answer)

    def team_with(self, other: Competitor) -> None:
        """Form a team."""
        assert self.invite(other).status_code == 303
        assert other.answer().status_code == 303

    def number(self) -> str | None:
        """Return the own team's number on the board; None without one."""
        return self.board().get("own", (None, None))[1]

    def board(self) -> dict[str, tuple[str, str]]:
        """Return rank and number by the name of the team; the own one's as "own" too."""
        return board_of(self.page())


def board_of(page: str) -> dict[str, tuple[str, str]]:
    """Read the board or the result from a page: rank and number by team, "own" for one's own."""
    table = page[page.index('<table class="board">') :]
    rows = re.findall(
        r'<tr(| class="own")>\s*<td class="number">(\d+).*?<span dir="auto">([^<]*)</span>'
        r'.*?<td class="number">([\d.]+)</td>',
        table[: table.index("</table>")],
        re.DOTALL,
    )
    found = {}
    for own, place, name, number in rows:
        found[name] = (place, number)
        if own:
            found["own"] = (place, number)
    return found
