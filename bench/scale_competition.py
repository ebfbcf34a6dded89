"""Measure the pages of a competition of 40 teams with all their 4,200 entries.

    python bench/scale_competition.py
    python bench/scale_competition.py --a-team 10

Of each page it prints what `bench/scale.py` prints of those of the labs.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from scale import CHEAP, PASSWORD, ROOT, Page, measure, report
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from portal.app import create_app
from portal.competition.models import CompetitionEntry, EntryMember, FinalsChoice
from portal.courses.models import Enrolment, Offering, OfferingKind, Role, Term
from portal.people.models import User
from portal.platform.config import PortalConfig
from portal.platform.db import make_engine
from portal.platform.engine import prepare
from portal.platform.passwords import Passwords
from portal.platform.schema import upgrade
from portal.teams.models import Team, TeamMove

START = datetime(2026, 9, 7, tzinfo=UTC)
DAYS = 21
SLUG = "big"


def fill(engine: Engine, teams: int, a_team: int) -> int:
    """Write a term with teams of two, entries and finals; return the competition's id."""
    dice = random.Random(1)
    with Session(engine) as session, session.begin():
        term = Term(slug=SLUG, title="A large term", timezone="Asia/Shanghai")
        session.add(term)
        session.flush()
        offering = Offering(
            term_id=term.id,
            kind=OfferingKind.COMPETITION,
            assignment_slug="wardrobe",
            title="Wardrobe",
            points=Decimal(25),
            position=1,
            opens_at=START,
            due_at=START + timedelta(days=DAYS),
            attempts_per_day=5,
            published=True,
        )
        people = [_person(term.id, f"student{number:03}") for number in range(2 * teams)]
        session.add_all([offering, _person(term.id, "tess", Role.TA), *people])
        session.flush()
        pairs = []
        for number, pair in enumerate(zip(people[::2], people[1::2], strict=True)):
            team = Team(offering_id=offering.id, name=f"Team {number}", created_at=START)
            session.add(team)
            session.flush()
            for one in pair:
                move = TeamMove(
                    team_id=team.id, enrolment_id=one.id, author_id=one.user_id, at=START
                )
                session.add(move)
            pairs.append((team, pair))
        session.flush()
        _fill_entries(session, offering.id, pairs, a_team, dice)
        return offering.id


def _person(term_id: int, username: str, role: Role = Role.STUDENT) -> Enrolment:
    user = User(
        username=username,
        display_name=username.title(),
        password_hash=Passwords(CHEAP).hash(PASSWORD),
        created_at=START,
    )
    return Enrolment(term_id=term_id, user=user, role=role)


def _fill_entries(
    session: Session,
    offering_id: int,
    pairs: list[tuple[Team, tuple[Enrolment, Enrolment]]],
    a_team: int,
    dice: random.Random,
) -> None:
    """Let every team enter in turn, evenly over the days, a little better each time."""
    rows, members, last = [], [], {}
    step = timedelta(days=DAYS) / (a_team + 1)
    for turn in range(a_team):
        for team, pair in pairs:
            number = len(rows) + 1
            skill = 0.3 + 0.3 * turn / a_team + dice.gauss(0, 0.01)
            entry = {
                "id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
                "offering_id": offering_id,
                "number": number,
                "team_id": team.id,
                "enrolment_id": dice.choice(pair).id,
                "client_key": f"key-{number}",
                "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
                "filename": "predictions.csv",
                "size": 200_000,
                "public_score": skill,
                "private_score": skill + dice.gauss(0, 0.01),
                "judge_digest": "0" * 64,
                "received_at": START + (turn + 1) * step,
            }
            rows.append(entry)
            members += [{"entry_id": entry["id"], "enrolment_id": one.id} for one in pair]
            last[team.id] = (entry["id"], pair[0].id)
    session.execute(insert(CompetitionEntry), rows)
    session.execute(insert(EntryMember), members)
    session.add_all(
        FinalsChoice(team_id=team_id, first_id=entry_id, author_id=author, at=START)
        for team_id, (entry_id, author) in last.items()
    )


def pages(offering_id: int) -> Iterator[Page]:
    """Return the pages that read entries, as each of their people opens them."""
    yield Page("a team's page", "student000", f"/competitions/{offering_id}/")
    yield Page("the board", "tess", f"/competitions/{offering_id}/")
    staff = f"/staff/{SLUG}/competition"
    yield Page("staff: teams", "tess", f"{staff}?offering={offering_id}")
    yield Page("staff: one team", "tess", f"{staff}/{offering_id}/teams/1")


def run(folder: Path, teams: int, a_team: int, times: int) -> None:
    """Fill a database and print what every page takes."""
    url = f"sqlite:///{folder / 'portal.db'}"
    config = PortalConfig(
        instance=folder,
        database_url=url,
        secret_key="0" * 64,
        grading_key=b"1" * 32,
        home=ROOT,
        password_cost=CHEAP,
    )
    engine = make_engine(url, durable=False)
    upgrade(engine)
    prepare(url)
    offering_id = fill(engine, teams, a_team)
    app = create_app(config, engine=engine, clock=lambda: START + timedelta(days=DAYS, hours=-1))
    app.config["WTF_CSRF_ENABLED"] = False
    print(f"{'page':<22} {'CPU ms':>9} {'p95':>7} {'wall ms':>9} {'p95':>7} {'queries':>8}")
    for page in pages(offering_id):
        client = app.test_client()
        client.post("/login", data={"username": page.who, "password": PASSWORD})
        print(report(page, measure(client, page.address, engine, times)), flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--teams", type=int, default=40)
    parser.add_argument("--a-team", type=int, default=105, help="entries of each team")
    parser.add_argument("--times", type=int, default=10, help="requests of each page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="proctor-scale-") as folder:
        run(Path(folder), options.teams, options.a_team, options.times)


if __name__ == "__main__":
    main()
