"""What several requests at the same instant must not win. On each database."""

import threading

import pytest
from support.competition import guesses

from portal.platform.db import read_session
from portal.teams.service import roll_of


@pytest.fixture
def database_url(each_database_url):
    return each_database_url


def at_once(acts):
    """Let every act run in a thread at the same instant; return their statuses, sorted."""
    gate, statuses = threading.Barrier(len(acts)), []

    def wait_and_act(act):
        gate.wait(60)
        statuses.append(act().status_code)

    threads = [threading.Thread(target=wait_and_act, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(statuses) == len(acts)
    return sorted(statuses)


def test_two_members_win_no_entry_more_and_a_double_click_none(arena):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.team_with(bo)
    again = [lambda: ada.enter(guesses(0.5, 9), key="the-same-key") for _ in range(3)]
    assert at_once(again) == [303] * 3
    acts = [
        lambda who=who, number=number: who.enter(
            guesses(0.5, number), key=f"key-{who.enrolment.id}-{number:04}"
        )
        for who in (ada, bo)
        for number in range(4)
    ]
    assert at_once(acts) == [303] * 4 + [422] * 4
    entries = arena.entries()
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert {entry.team_id for entry in entries} == {entries[0].team_id}


def test_two_who_accept_at_once_do_not_overfill_a_team(arena, site):
    ada, bo, cy = (arena.student(name) for name in ("ada", "bo", "cy"))
    ada.invite(bo)
    ada.invite(cy)
    assert at_once([bo.answer, cy.answer]) == [303, 422]
    with read_session(site.engine) as session:
        roll = roll_of(session, arena.offering_id)
        assert len(roll.members_of(ada.enrolment.id)) == 2
