"""Pages of a competition read what they show: their queries do not grow with the entries."""

import re
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import event, insert
from support.competition import guesses

from portal.competition.models import CompetitionEntry, EntryMember
from portal.platform.db import write_session


@pytest.fixture
def teams(arena):
    """Two teams of two, each with an entry."""
    people = [arena.student(name) for name in ("ada", "bo", "cy", "di")]
    for first, second in (people[:2], people[2:]):
        first.team_with(second)
        assert first.enter(guesses(0.6, 1)).status_code == 303
    return people[0], people[2]


def add_entries(arena, site, count):
    """Write further entries of both teams, each scoring as it says, without their files."""
    with write_session(site.engine) as session:
        first, second = session.query(CompetitionEntry).order_by(CompetitionEntry.number)
        kept = [key.name for key in CompetitionEntry.__table__.columns]
        rows = []
        for number in range(count):
            for known in (first, second):
                row = {name: getattr(known, name) for name in kept}
                row |= {"id": str(uuid.uuid4()), "number": 3 + len(rows)}
                row |= {"client_key": f"more-{len(rows)}", "private_score": 0.123456}
                row |= {"received_at": known.received_at + timedelta(hours=number)}
                rows.append(row)
        session.execute(insert(CompetitionEntry), rows)
        members = [{"entry_id": row["id"], "enrolment_id": row["enrolment_id"]} for row in rows]
        session.execute(insert(EntryMember), members)


def queries_of(site, browser, address):
    """Return how many queries a page takes, once it has been opened, and what it says."""
    browser.get(address)
    seen = []

    def count(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(site.engine, "before_cursor_execute", count)
    answer = browser.get(address)
    event.remove(site.engine, "before_cursor_execute", count)
    assert answer.status_code == 200, answer.text
    return len(seen), answer.text


def test_queries_do_not_grow_with_the_entries(arena, site, tess, teams):
    ada, _ = teams
    team = re.search(r"/teams/\d+", tess.get(arena.staff_address).text)[0]
    pages = {
        "team": (ada.browser, arena.address),
        "board": (tess, arena.address),
        "staff": (tess, arena.staff_address),
        "one team": (tess, f"{arena.staff_address}/{arena.offering_id}{team}"),
    }
    before = {name: queries_of(site, *page)[0] for name, page in pages.items()}
    add_entries(arena, site, 50)
    after = {name: queries_of(site, *page) for name, page in pages.items()}
    assert {name: count for name, (count, _) in after.items()} == before
    assert after["team"][1].count('predictions.csv" download') == 51
    assert after["one team"][1].count('predictions.csv" download') == 51
    assert after["staff"][1].count("51 entries") == 2
    for _, text in after.values():
        assert "0.123" not in text, "private scores are for nobody before the end"


def test_a_teams_page_reads_no_entry_of_another_team(arena, site, teams):
    ada, cy = teams
    add_entries(arena, site, 3)
    others = {entry.id for entry in arena.entries() if entry.enrolment_id == cy.enrolment.id}
    page = ada.page()
    assert len(others) == 4 and not any(one in page for one in others)


def test_the_entries_of_a_team_are_for_its_staff_alone(arena, site, tess, teams):
    ada, _ = teams
    place, own = f"{arena.staff_address}/{arena.offering_id}/teams", arena.entries()[0].team_id
    assert "Ada" in tess.get(f"{place}/{own}").text
    assert ada.browser.get(f"{place}/{own}").status_code == 404
    for unknown in ("999", "0"):
        assert tess.get(f"{place}/{unknown}").status_code == 404


def test_disqualifying_an_entry_leads_back_to_its_team(arena, site, tess, teams):
    entry = arena.entries()[0]
    place = f"{arena.staff_address}/{arena.offering_id}"
    ruling = {"team": entry.team_id, "entry": entry.id, "what": "disqualify", "reason": "leak"}
    answer = tess.post(f"{place}/rulings", data=ruling)
    assert answer.location == f"{place}/teams/{entry.team_id}"
    page = tess.get(answer.location).text
    assert "disqualified" in page and "leak" in page and page.count("Take back</button>") == 1
