"""The board tells what the Ladder tells; it freezes; finals and the result follow the rules."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from support.competition import as_csv, board_of, guesses, truth
from support.portal import START

from portal.audit.models import AuditEntry
from portal.courses.models import Enrolment, Offering, Role
from portal.platform.db import read_session, write_session
from portal.standings.models import ManualMark


def marks(site):
    """Return the mark of each person that counts."""
    with read_session(site.engine) as session:
        rows = session.scalars(select(ManualMark).order_by(ManualMark.id)).all()
        return {row.enrolment.user.username: (row.points, row.comment) for row in rows}


def test_a_number_moves_by_steps_alone_and_nothing_else_tells_of_a_score(arena):
    ada = arena.student("ada")
    animals = truth()
    assert ada.enter(as_csv(animals)).status_code == 303
    assert ada.number() == "1.00"
    before = re.sub(r'nonce="[^"]+"|value="[^"]+"', "", ada.page())
    animals[0] = "cat" if animals[0] != "cat" else "dog"
    ada.enter(as_csv(animals))
    page = ada.page()
    assert ada.number() == "1.00" and "as before" in page
    best = arena.entries()
    for entry in best:
        for score in (entry.public_score, entry.private_score):
            if score != 1:
                assert f"{score:.4f}"[:6] not in page and repr(score) not in page
    assert before != page


def test_ranks_ties_and_points_as_they_stand_follow_from_shown_numbers(arena):
    names = [arena.student(name) for name in ("ada", "bo", "cy", "di")]
    animals = truth()
    worse = ["cat" if one != "cat" else "dog" for one in animals]
    for one, wrong in zip(names, (0, 0, 300, 600), strict=True):
        one.enter(as_csv(worse[:wrong] + animals[wrong:]))
    page = names[0].page()
    board = board_of(page)
    assert [board_of(one.page())["own"][0] for one in names] == ["1", "1", "3", "4"]
    assert page.count("<small>tied</small>") == 2
    assert [row for row in board.values()][-1] == ("4", "0.00")
    points = re.findall(r'<td class="number">([\d.]+)</td>\s*</tr>', page)
    assert points[:4] == ["25", "25", "18.33", "12"]
    assert page.index("Baseline") > page.index(">0.5") and "your team" in page


def test_the_board_stands_still_in_the_last_day_for_everybody(arena, site):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.enter(guesses(0.5, 1))
    arena.freeze()
    frozen = ada.board()
    assert ada.enter(guesses(0.95, 2)).status_code == 303
    assert bo.enter(guesses(0.9, 3)).status_code == 303
    assert ada.board() == frozen
    assert "own" not in bo.board(), "who came after the freeze is not on the board"
    page = ada.page()
    assert "not shown: the board is frozen" in page and "As it stood when it froze" in page
    site.clock.instant = START + timedelta(days=21)
    assert ada.board() == frozen and "the result is being checked" in ada.page()


def test_the_result_is_that_of_the_better_final_on_the_private_rows(arena, site, tess):
    ada, bo, cy = (arena.student(name) for name in ("ada", "bo", "cy"))
    eve = arena.student("eve")
    ada.team_with(bo)
    ada.enter(guesses(0.9, 1))
    ada.enter(guesses(0.5, 2))
    cy.enter(guesses(0.7, 3))
    arena.end()
    assert "Preview" in tess.get(arena.staff_address).text
    scored = {one.enrolment_id: [] for one in arena.entries()}
    for one in arena.entries():
        scored[one.enrolment_id].append(f"{one.private_score:.4f}")
    mine, his = scored.values()
    assert not any(score in ada.page() for score in (*mine, *his)), "no score before the result"
    assert arena.finish(tess).status_code == 303
    assert all(f">{score}</td>" in bo.page() for score in mine), "those of one's own team after it"
    assert f'label="Score" class="number">{his[0]}' not in bo.page()
    given = marks(site)
    assert given["ada"][0] == given["bo"][0] == Decimal(25)
    assert given["cy"][0] == Decimal(15) and given["eve"] == (0, "No entry that counts")
    assert given["ada"][1].startswith("Rank 1 of 2; score 0.9")
    board = board_of(cy.page())
    assert [row[0] for row in board.values()][:2] == ["1", "2"] and board["own"][0] == "2"
    best = max(one.private_score for one in arena.entries())
    assert next(iter(board.values()))[1] == f"{best:.4f}"
    for one, points in ((ada, "25"), (bo, "25"), (cy, "15"), (eve, "0")):
        assert f"<b>{points}</b>" in one.browser.get("/").text
    table = tess.get(f"/staff/{site.term.slug}/gradebook.csv").text
    assert re.search(r"^ada,.*,25\.00,", table, re.MULTILINE)
    assert re.search(r"^eve,.*,0\.00,", table, re.MULTILINE)


def test_chosen_finals_go_before_the_default_and_can_be_taken_back(arena, site, tess):
    ada = arena.student("ada")
    for skill in (0.5, 0.9, 0.6):
        ada.enter(guesses(skill, int(skill * 10)))
    low, high, last = arena.entries()
    assert ada.page().count("by default</small>") == 2
    assert ada.post("finals", final=[low.id]).status_code == 303
    assert ada.page().count(" checked") == 1
    assert ada.post("finals", final=[low.id, high.id, last.id]).status_code == 422
    arena.end()
    assert ada.post("finals", final=[high.id]).status_code == 422
    preview = tess.get(f"{arena.staff_address}/{arena.offering_id}/result").text
    assert f"{low.private_score:.4f}" in preview and f"{high.private_score:.4f}" not in preview


def test_an_entry_of_another_team_is_no_final(arena):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.enter(guesses(0.5, 1))
    bo.enter(guesses(0.9, 2))
    other = arena.entries()[1].id
    assert ada.post("finals", final=[other]).status_code == 422
    assert ada.post("finals", final=["x"]).status_code == 422


def test_no_result_before_the_last_entry_can_have_come(arena, site, tess):
    ada = arena.student("ada")
    ada.enter(guesses(0.5, 1))
    arena.end()
    grant = {"student": ada.enrolment.id, "offering": arena.offering_id, "reason": "ill"}
    place = f"/staff/{site.term.slug}/extensions"
    assert tess.post(place, data={**grant, "due": "2026-09-30T12:00"}).status_code == 303
    answer = tess.get(f"{arena.staff_address}/{arena.offering_id}/result")
    assert answer.status_code == 422 and "still takes entries" in answer.text
    assert ada.enter(guesses(0.9, 2)).status_code == 303
    assert "own" in ada.board() and ada.number() != "0.9", "the board is as it froze for all"


def test_a_disqualified_team_leaves_the_board_and_gets_nothing_until_it_is_taken_back(
    arena, site, tess
):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.enter(guesses(0.9, 1))
    bo.enter(guesses(0.6, 2))
    name = next(one for one, row in ada.board().items() if row[0] == "1")
    rulings = f"{arena.staff_address}/{arena.offering_id}/rulings"
    team = {"team": arena.entries()[0].team_id}
    assert tess.post(rulings, data=team | {"what": "disqualify"}).status_code == 422
    ruling = team | {"what": "disqualify", "reason": "labels"}
    assert tess.post(rulings, data=ruling).status_code == 303
    assert name not in bo.board() and bo.board()["own"][0] == "1"
    assert "Your team is disqualified: labels" in ada.page()
    arena.end()
    assert arena.finish(tess).status_code == 303
    assert marks(site)["ada"] == (0, "Disqualified: labels")
    assert marks(site)["bo"][0] == Decimal(25)
    tess.post(rulings, data=team | {"what": "undo", "reason": "an error of ours"})
    assert arena.finish(tess).status_code == 422, "a second result says why"
    assert arena.finish(tess, "an error of ours").status_code == 303
    assert marks(site)["ada"][0] == Decimal(25) and marks(site)["bo"][0] == Decimal(15)
    with read_session(site.engine) as session:
        acts = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert [one for one in acts if one.startswith("competition")] == [
        "competition.disqualify",
        "competition.finalise",
        "competition.readmit",
        "competition.finalise",
    ]


def test_a_disqualified_entry_does_not_count_and_the_others_do(arena, tess):
    ada = arena.student("ada")
    ada.enter(guesses(0.5, 1))
    ada.enter(guesses(0.95, 2))
    low, high = arena.entries()
    ruling = {"team": high.team_id, "entry": high.id, "what": "disqualify", "reason": "leak"}
    place = f"{arena.staff_address}/{arena.offering_id}/rulings"
    assert tess.post(place, data=ruling).status_code == 303
    assert float(ada.number()) < 0.6 and "disqualified" in ada.page()
    assert "3 entries of your team left today" in ada.page(), "it was made all the same"
    arena.end()
    preview = tess.get(f"{arena.staff_address}/{arena.offering_id}/result").text
    assert f"{low.private_score:.4f}" in preview and f"{high.private_score:.4f}" not in preview


def test_what_changed_since_the_preview_is_not_written_down(arena, site, tess):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.enter(guesses(0.9, 1))
    bo.enter(guesses(0.6, 2))
    arena.end()
    address = f"{arena.staff_address}/{arena.offering_id}/result"
    digest = re.search(r'name="digest" value="(\w+)"', tess.get(address).text)[1]
    ruling = {"team": arena.entries()[0].team_id, "what": "disqualify", "reason": "labels"}
    tess.post(f"{arena.staff_address}/{arena.offering_id}/rulings", data=ruling)
    answer = tess.post(address, data={"digest": digest})
    assert answer.status_code == 422 and "look at the preview again" in answer.text
    assert marks(site) == {}


def test_a_member_who_is_staff_by_now_gets_no_mark_and_holds_nothing_up(arena, site, tess):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.team_with(bo)
    ada.enter(guesses(0.9, 1))
    with write_session(site.engine) as session:
        session.get_one(Enrolment, bo.enrolment.id).role = Role.TA
    arena.end()
    assert arena.finish(tess).status_code == 303
    assert set(marks(site)) == {"ada"}


def test_a_result_publishes_its_marks(arena, site, tess):
    arena.student("ada").enter(guesses(0.9, 1))
    arena.end()
    arena.finish(tess)
    with read_session(site.engine) as session:
        assert session.get_one(Offering, arena.offering_id).marks_published


def test_the_points_of_a_term_that_weighs_a_competition_less_are_scaled(arena, site, tess):
    arena.change(points=10)
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.enter(guesses(0.9, 1))
    bo.enter(guesses(0.6, 2))
    assert "Rank 1 gets 10 points, the last rank 6" in ada.page()
    arena.end()
    arena.finish(tess)
    assert (marks(site)["ada"][0], marks(site)["bo"][0]) == (10, 6)


def test_staff_see_the_numbers_of_the_board_and_no_score_before_the_end(arena, tess):
    ada = arena.student("ada")
    ada.enter(guesses(0.634, 1))
    (entry,) = arena.entries()
    page = tess.get(arena.staff_address).text
    assert ada.number() in page
    assert f"{entry.private_score:.3f}" not in page
    assert tess.get(f"{arena.staff_address}/{arena.offering_id}/result").status_code == 422


def test_the_inbox_reminds_of_a_competition_without_a_result(arena, site, tess):
    inbox = f"/staff/{site.term.slug}/inbox"
    arena.student("ada").enter(guesses(0.9, 1))
    assert "Competitions without a result" not in tess.get(inbox).text
    arena.end()
    assert "Competitions without a result" in tess.get(inbox).text
    arena.finish(tess)
    assert "Competitions without a result" not in tess.get(inbox).text


@pytest.mark.parametrize("path", ["", "entries", "finals", "team/name", "team/leave"])
def test_what_is_no_competition_has_no_page_of_one(arena, site, path):
    ada = arena.student("ada")
    place = f"/competitions/{site.offering_id}/{path}"
    answer = ada.browser.post(place) if path else ada.browser.get(place)
    assert answer.status_code == 404


def test_no_answer_may_be_kept_by_a_cache(arena):
    ada = arena.student("ada")
    ada.enter(guesses(0.6, 1))
    place = f"/competitions/entries/{arena.entries()[0].id}/predictions.csv"
    for address in (arena.address, place):
        headers = ada.browser.get(address).headers
        assert headers["Cache-Control"] == "private, no-store"
        assert "ETag" not in headers and "Last-Modified" not in headers
