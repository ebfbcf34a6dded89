"""Teams: who may join whom and when, what leaving and merging cost, and staff's hand."""

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from support.competition import board_of, guesses
from support.portal import START

from portal.competition.entries import all_entries, allowance_of
from portal.courses.models import Offering
from portal.platform.db import read_session
from portal.platform.errors import Invalid
from portal.teams.names import drawn_name, read_name
from portal.teams.service import roll_of

BO = "<li>Bo <small>bo</small></li>"


def test_two_become_a_team_when_the_second_agrees(arena):
    ada, bo = arena.student("ada"), arena.student("bo")
    assert "Bo is asked" not in ada.page()
    assert ada.invite(bo).status_code == 303
    assert "Bo is asked" in ada.page() and "Ada asks you into the team" in bo.page()
    assert bo.answer().status_code == 303
    names = [re.search(r'class="team-name" dir="auto"><strong>([^<]+)', one.page())[1]
             for one in (ada, bo)]  # fmt: skip
    assert names[0] == names[1]
    assert all("Ada" in one.page() and "Bo" in one.page() for one in (ada, bo))


def test_declining_and_withdrawing_close_an_invitation(arena):
    ada, bo, cy = (arena.student(name) for name in ("ada", "bo", "cy"))
    ada.invite(bo)
    place = re.search(r"team/invitations/\d+", bo.page())[0]
    assert cy.post(place, answer="accept").status_code == 404, "it is not for others"
    assert bo.post(place, answer="decline").status_code == 303
    assert bo.post(place, answer="accept").status_code == 422
    ada.invite(bo)
    assert ada.answer("withdraw").status_code == 303
    assert "asks you" not in bo.page()


@pytest.mark.parametrize("username", ["nobody", "tess", "otto", "", "ada' OR 1=1"])
def test_only_students_of_the_term_are_asked_and_all_others_look_the_same(
    arena, site, tess, username
):
    other = site.make_term("2027-spring", labs=())
    site.make_member("otto", term=other)
    answer = arena.student("ada").post("team/invitations", username=username)
    assert answer.status_code == 422 and "No student of this term has the username" in answer.text


def test_a_team_is_no_larger_than_the_offering_says(arena):
    ada, bo, cy = (arena.student(name) for name in ("ada", "bo", "cy"))
    ada.invite(cy)
    ada.invite(bo)
    assert bo.answer().status_code == 303
    assert cy.answer().status_code == 422, "it was asked before the team was full"
    arena.change(team_size=3)
    assert cy.answer().status_code == 303
    with read_session(arena.site.engine) as session:
        assert len(roll_of(session, arena.offering_id).members_of(ada.enrolment.id)) == 3


def test_teams_lock_a_week_after_the_opening_or_when_the_offering_says(arena, site):
    ada, bo = arena.student("ada"), arena.student("bo")
    site.clock.instant = START + timedelta(days=7)
    answer = ada.invite(bo)
    assert answer.status_code == 422 and "Teams are locked by now" in answer.text
    arena.change(teams_lock_at=START + timedelta(days=9))
    ada.team_with(bo)
    site.clock.instant = START + timedelta(days=9, minutes=1)
    assert bo.post("team/leave").status_code == 422


def test_nobody_leaves_a_team_whose_rank_is_being_made(arena, site):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.team_with(bo)
    site.clock.instant = START + timedelta(days=3)
    arena.change(due_at=START + timedelta(days=2), teams_lock_at=START + timedelta(days=9))
    assert bo.post("team/leave").status_code == 422


def test_who_leaves_takes_no_entry_along_and_gains_none(arena):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.team_with(bo)
    for number in range(5):
        assert ada.enter(guesses(0.6, number)).status_code == 303
    assert bo.post("team/leave").status_code == 303
    assert "made today&#39;s 5 entries" in bo.enter(guesses(0.7, 9)).text
    assert "Your team has made no entry yet" in bo.page() and "own" not in bo.board()
    assert "made today&#39;s 5 entries" in ada.enter(guesses(0.7, 9)).text
    assert bo.post("team/leave").status_code == 422, "nobody leaves themselves"


def test_merging_for_entries_waits_until_it_gains_none(arena, site):
    ada, bo = arena.student("ada"), arena.student("bo")
    for number in range(3):
        ada.enter(guesses(0.6, number))
        bo.enter(guesses(0.7, 10 + number))
    ada.invite(bo)
    answer = bo.answer()
    assert answer.status_code == 422
    assert "Together you have made 6 entries, and one team could have made 5" in answer.text
    site.clock.advance(days=1)  # with five more of today they would be 11 of ten
    assert bo.answer().status_code == 422
    site.clock.advance(days=1)
    assert bo.answer().status_code == 303
    assert len(re.findall('predictions.csv" download', ada.page())) == 6
    assert len([name for name in board_of(ada.page()) if name != "own"]) == 1
    assert "5 entries of your team left today" in bo.page()


def test_whoever_is_in_a_team_with_others_joins_no_second_one(arena):
    ada, bo, cy = (arena.student(name) for name in ("ada", "bo", "cy"))
    ada.team_with(bo)
    cy.invite(bo)
    assert bo.answer().status_code == 422
    bo.post("team/leave")
    assert bo.answer().status_code == 303


def test_names_are_shown_as_text_and_are_each_teams_own(arena):
    ada, bo = arena.student("ada"), arena.student("bo")
    assert ada.post("team/name", name="<b>Otter</b>").status_code == 303
    ada.enter(guesses(0.6, 1))
    assert "&lt;b&gt;Otter&lt;/b&gt;" in bo.page() and "<b>Otter" not in bo.page()
    answer = bo.post("team/name", name=" <B>otter</B> ")
    assert answer.status_code == 422 and "Another team has the name" in answer.text
    for name in ("", "x", "y" * 41, "a\u202eb", "  "):
        assert bo.post("team/name", name=name).status_code == 422


def test_staff_move_people_with_a_reason_whatever_the_lock(arena, site, tess):
    ada, bo, cy = (arena.student(name) for name in ("ada", "bo", "cy"))
    ada.team_with(bo)
    ada.enter(guesses(0.6, 1))
    cy.enter(guesses(0.7, 2))
    site.clock.instant = START + timedelta(days=10)
    moves = f"{arena.staff_address}/{arena.offering_id}/moves"
    goal = arena.entries()[1].team_id
    form = {"person": bo.enrolment.id, "team": goal}
    assert tess.post(moves, data=form).status_code == 422
    assert tess.post(moves, data=form | {"reason": "a quarrel"}).status_code == 303
    assert BO in cy.page() and BO not in ada.page()
    assert tess.post(moves, data=form | {"reason": "again"}).status_code == 422
    back = {"person": bo.enrolment.id, "team": "own", "reason": "peace"}
    assert tess.post(moves, data=back).status_code == 303
    assert BO not in cy.page()
    site.make_member("ines", "instructor")
    history = site.log_in("ines").get(f"/staff/{site.term.slug}/history").text
    assert "team: move by staff" in history and "a quarrel" in history


def test_the_last_one_that_staff_move_takes_the_entries_along(arena, tess):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.enter(guesses(0.6, 1))
    bo.enter(guesses(0.7, 2))
    first, second = arena.entries()
    moves = f"{arena.staff_address}/{arena.offering_id}/moves"
    form = {"person": ada.enrolment.id, "team": second.team_id, "reason": "late pair"}
    assert tess.post(moves, data=form).status_code == 303
    assert bo.page().count('predictions.csv" download') == 2
    form = {"person": bo.enrolment.id, "team": first.team_id, "reason": "into what is no more"}
    assert tess.post(moves, data=form).status_code == 422


def test_an_invitation_by_a_team_that_is_no_more_is_worth_nothing(arena, tess):
    ada, bo, cy = (arena.student(name) for name in ("ada", "bo", "cy"))
    ada.invite(cy)
    ada.enter(guesses(0.6, 1))
    bo.enter(guesses(0.7, 2))
    form = {"person": ada.enrolment.id, "team": arena.entries()[1].team_id, "reason": "a pair"}
    moves = f"{arena.staff_address}/{arena.offering_id}/moves"
    assert tess.post(moves, data=form).status_code == 303
    answer = cy.answer()
    assert answer.status_code == 422 and "become part of another one" in answer.text


def test_staff_rename_what_cannot_stay(arena, tess):
    ada = arena.student("ada")
    ada.post("team/name", name="Rude")
    ada.enter(guesses(0.6, 1))
    form = {"team": arena.entries()[0].team_id, "name": "Polite"}
    place = f"{arena.staff_address}/{arena.offering_id}/names"
    assert tess.post(place, data=form).status_code == 303
    assert "Polite" in ada.page() and "Rude" not in ada.page()


def test_an_id_of_another_competition_is_nobodys(arena, site, tess):
    ada = arena.student("ada")
    ada.enter(guesses(0.6, 1))
    place = f"{arena.staff_address}/{arena.offering_id}"
    for form in ({"team": "999"}, {"team": arena.entries()[0].team_id, "entry": "nope"}):
        ruling = form | {"what": "disqualify", "reason": "x"}
        assert tess.post(f"{place}/rulings", data=ruling).status_code == 404
    other = site.make_term("2027-spring", labs=())
    stranger = site.make_member("otto", term=other)
    form = {"person": stranger.id, "team": "own", "reason": "x"}
    assert tess.post(f"{place}/moves", data=form).status_code == 404
    assert (
        tess.get(f"/staff/{other.slug}/competition?offering={arena.offering_id}").status_code == 404
    )


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "enter", "enter", "invite", "leave", "day"]),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=30,
)


@settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(ACTS)
def test_no_order_of_merging_and_leaving_gives_anybody_more_than_the_limit(acts_world, acts):
    """Nobody has a part in more than two entries a day, nor a team in more than days x limit."""
    arena, people = acts_world()
    for act, one, other in acts:
        who = people[one]
        if act == "enter":
            who.enter(guesses(0.6, one))
        elif act == "invite" and one != other:
            if who.invite(people[other]).status_code == 303:
                people[other].answer()
        elif act == "leave":
            who.post("team/leave")
        elif act == "day":
            arena.site.clock.advance(days=1)
        _check(arena, people)


def _check(arena, people):
    clock = arena.site.clock
    with read_session(arena.site.engine) as session:
        offering = session.get_one(Offering, arena.offering_id)
        roll = roll_of(session, offering.id)
        days = (clock.instant - START) // timedelta(days=1) + 1
        for one in people:
            used = allowance_of(session, offering, roll, one.enrolment.id, now=clock.instant)
            assert used.used_total <= 2 * days
            team = roll.team_of(one.enrolment.id)
            if team is not None:
                family = roll.family(team.id)
                made = [e for e in all_entries(session, offering.id) if e.team_id in family]
                assert len(made) <= used.used_total


@pytest.fixture
def acts_world(site, arena):
    """Return a fresh competition of three people for each example."""
    people = [arena.student(name) for name in ("ada", "bo", "cy")]
    arena.change(attempts_per_day=2, team_size=3, teams_lock_at=START + timedelta(days=20))

    def fresh():
        site.clock.instant = START
        with site.engine.begin() as connection:
            for table in ("competition_entry_member", "competition_entry", "team_invitation",
                          "team_move", "team"):  # fmt: skip
                connection.execute(text(f"DELETE FROM {table}"))
        return arena, people

    return fresh


@given(st.text(max_size=60))
def test_a_name_that_is_taken_can_be_shown(written):
    try:
        name = read_name(written, set())
    except Invalid:
        return
    assert 2 <= len(name) <= 40 and name == " ".join(name.split()) and name.isprintable()


def test_drawn_names_are_each_drawn_once():
    taken = set()
    for _ in range(950):
        name = drawn_name(taken)
        assert name not in taken
        taken.add(name)


def test_nobody_accepts_for_somebody_else(arena):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.invite(bo)
    assert ada.answer("accept").status_code == 303, "it is withdrawn, whatever the form says"
    assert "Bo</small>" not in ada.page() and "Bo <small>bo</small>" not in ada.page()
