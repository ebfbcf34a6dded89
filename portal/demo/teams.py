"""Teams of the demo course: two who hand a lab in together, and rivals in its competition.

What rivals enter is the labels with noise, so that the board says something. Nothing is trained,
nothing is left to chance, and what is there already is left as it is.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from grader.api import Catalogue, Judge
from portal.competition.entries import SentEntry, book, digest_of_bytes
from portal.competition.models import CompetitionEntry
from portal.competition.opening import competition_of, installed_labels, judge_of
from portal.courses.models import Enrolment, Offering
from portal.people.models import User
from portal.platform.config import PortalConfig
from portal.platform.db import read_session, write_session
from portal.platform.store import Store
from portal.teams import service as teams

TEAM_LAB = "cnn"  # the cheapest to grade of the labs in which all have one variant
TEAM = ("ada", "sofia")  # the first hands it in for both
TEAM_NAME = "Valid Padding"
REASON = "as the demo has it"
_FIRST, _BETWEEN = timedelta(days=1), timedelta(days=2)  # entries after the opening


@dataclass(frozen=True)
class Rivals:
    """A team that competes. Its people do nothing else in the course; their logins are not told."""

    name: str
    people: Mapping[str, str]  # username -> name
    right: tuple[float, ...]  # about the share of rows that are right, an entry each


RIVALS = (
    Rivals(
        "Attention Seekers", {"alan": "Alan Turing", "rozsa": "Péter Rózsa"}, (0.31, 0.46, 0.58)
    ),
    Rivals("Hidden Layers", {"hua": "华罗庚"}, (0.39, 0.52)),
    Rivals(
        "Gradient Ascent",
        {"maryam": "Maryam Mirzakhani", "rama": "Srinivasa Ramanujan"},
        (0.22, 0.35),
    ),
    Rivals("Off by One", {"hypatia": "Hypatia"}, (0.19,)),
)


def team_up(session: Session, offering: Offering, *, actor_id: int, now: datetime) -> None:
    """Let two students hand the lab in together, if its teams may have as many."""
    if teams.size_of(offering) >= len(TEAM):
        _form(session, offering, TEAM, TEAM_NAME, actor_id=actor_id, now=now)


def compete(
    config: PortalConfig, engine: Engine, catalogue: Catalogue, offering_id: int, *, actor_id: int
) -> None:
    """Form the rivals' teams, of people who are enrolled, and enter what they have not yet.

    They do so on the first days of the competition, whose labels are installed.
    """
    with write_session(engine) as session:
        offering = session.get_one(Offering, offering_id)
        for one in RIVALS:
            _form(
                session,
                offering,
                list(one.people),
                one.name,
                actor_id=actor_id,
                now=offering.opens_at,
            )
    with read_session(engine) as session:
        offering = session.get_one(Offering, offering_id)
        competition = competition_of(catalogue, offering)
        if competition is None:
            return
        judge, opens_at = judge_of(config, competition), offering.opens_at
        known = _known(session, offering_id)
    labels = installed_labels(config, offering_id).read_text(encoding="utf-8")
    for number, one in _in_order():
        sender, key = next(iter(one.people)), f"demo-{number:04}"
        if (sender, key) in known:
            continue
        data = noisy(labels, one.right[number], seed=one.name)
        sent = _sent(Store(config.store), judge, data, key)
        with write_session(engine) as session:
            who = _enrolled(session, offering_id, sender)
            book(session, offering_id, who, sent, now=opens_at + _FIRST + number * _BETWEEN)


def noisy(labels: str, right: float, *, seed: str) -> bytes:
    """Return predictions of which about a share is `right`; other rows have another row's labels.

    What is right by a seed stays so as the share grows. `labels` is a file of them.
    """
    head, *rows = csv.reader(labels.splitlines())
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\n")
    table.writerow(head)
    for place, (name, *values) in enumerate(rows):
        lot = _lot(seed, name)
        if lot >= right:
            other = place + 1 + int(lot * (len(rows) - 1))
            values = rows[other % len(rows)][1:]
        table.writerow([name, *values])
    return out.getvalue().encode()


def _in_order() -> Iterator[tuple[int, Rivals]]:
    """Yield every entry, by its number among its team's: the first of each team come first."""
    for number in range(max(len(one.right) for one in RIVALS)):
        for one in RIVALS:
            if number < len(one.right):
                yield number, one


def _sent(store: Store, judge: Judge, data: bytes, key: str) -> SentEntry:
    store.put(data)
    return SentEntry(
        client_key=key,
        filename="predictions.csv",
        sha256=digest_of_bytes(data),
        size=len(data),
        scores=judge.scores(judge.read(data)),
        judge_digest=judge.digest,
    )


def _known(session: Session, offering_id: int) -> set[tuple[str, str]]:
    """Return who has sent which entry, by its key: under other labels its bytes would differ."""
    made = (
        select(User.username, CompetitionEntry.client_key)
        .join(CompetitionEntry.enrolment)
        .join(Enrolment.user)
        .where(CompetitionEntry.offering_id == offering_id)
    )
    return {(username, key) for username, key in session.execute(made)}


def _form(
    session: Session,
    offering: Offering,
    usernames: Sequence[str],
    name: str,
    *,
    actor_id: int,
    now: datetime,
) -> None:
    """Form a team by staff's hand and name it, unless the first of its people is in one."""
    people = [_enrolled(session, offering.id, one) for one in usernames]
    roll = teams.roll_of(session, offering.id)
    if roll.team_of(people[0].id) is not None:
        return
    team = teams.form(session, offering, people, roll, reason=REASON, actor_id=actor_id, now=now)
    teams.rename(session, team, name, actor_id=actor_id, now=now)


def _enrolled(session: Session, offering_id: int, username: str) -> Enrolment:
    return session.scalars(
        select(Enrolment)
        .join(Enrolment.user)
        .join(Offering, Offering.term_id == Enrolment.term_id)
        .where(Offering.id == offering_id, User.username == username)
    ).one()


def _lot(seed: str, row: str) -> float:
    """Draw a row's lot, 0 to 1: the same each time."""
    digest = hashlib.sha256(f"{seed}/{row}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
