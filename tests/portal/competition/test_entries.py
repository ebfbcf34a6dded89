"""Entering predictions: what is taken, what it says, and how often."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support.competition import CLASSES, as_csv, guesses, truth
from support.portal import START

from portal.audit.models import AuditEntry
from portal.competition.models import EntryMember
from portal.platform.db import read_session


def test_an_entry_is_kept_scored_and_shown_on_the_board(arena, site):
    ada = arena.student("ada")
    assert ada.enter(guesses(0.6, 1)).status_code == 303
    (entry,) = arena.entries()
    assert site.store.get(entry.sha256) == guesses(0.6, 1)
    right = [
        a == b
        for a, b in zip(
            truth(),
            [line.split(",")[1] for line in guesses(0.6, 1).decode().split()[1:]],
            strict=True,
        )
    ]
    assert 200 * entry.public_score + 400 * entry.private_score == pytest.approx(sum(right))
    assert ada.number() == f"{round(entry.public_score, 2):.2f}"


def test_a_person_alone_is_a_team_without_any_click(arena):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.enter(guesses(0.6, 1))
    bo.enter(guesses(0.7, 2))
    board = ada.board()
    assert len(board) == 3 and board["own"][0] == "2"
    assert "Ada" not in bo.page(), "others see the name that was drawn, and no person's"


def test_a_wrong_file_names_lines_and_mends_and_costs_nothing(arena):
    ada = arena.student("ada")
    animals = truth()
    animals[4] = "cta"
    wrong = as_csv(animals).replace(b"7,", b"8,", 1)
    answer = ada.enter(wrong)
    assert answer.status_code == 422
    for said in (
        "<li>Line 6: animal: cta is no class; did you mean &#39;cat&#39;?",
        "<li>Line 10: row 8 stands on line 9 too",
        "lack a prediction: 7",
        "it cost no entry",
        "5 entries of your team left today",
    ):
        assert said in answer.text
    assert arena.entries() == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "<li>It is empty"),
        (b"PK\x03\x04...", "<li>It is a workbook by another name"),
        (b"\xff\xfe\x00" * 99, "<li>It is"),
        (b"id,animal\n" + b"1,cat\n" * 30_000, "a table may have 20,000"),
        (as_csv(truth()[:-1]), "1 row lack a prediction: 599"),
        (as_csv([*truth(), "cat"]), "there is no row 600 to predict"),
    ],
)
def test_files_that_cannot_be_read_are_refused_with_a_sentence(arena, data, message):
    answer = arena.student("ada").enter(data)
    assert (answer.status_code, arena.entries()) == (422, [])
    assert message in answer.text


def test_no_label_and_no_score_of_a_refused_file_is_told(arena, site):
    ada = arena.student("ada")
    ada.enter(as_csv(truth()[:-1]))
    with read_session(site.engine) as session:
        (entry,) = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "competition.refused")
        )
    assert entry.detail == {"problems": 1}


def test_five_a_day_by_the_courses_midnight(arena, site):
    ada = arena.student("ada")
    site.clock.instant = START + timedelta(days=1)  # 16:00 in Shanghai
    for number in range(5):
        assert ada.enter(guesses(0.6, number)).status_code == 303
    answer = ada.enter(guesses(0.6, 9))
    assert answer.status_code == 422 and "made today&#39;s 5 entries" in answer.text
    assert "Wed 9 Sep 2026, 00:00 (UTC+08:00)" in answer.text
    site.clock.advance(hours=8)
    assert ada.enter(guesses(0.6, 9)).status_code == 303
    assert len(arena.entries()) == 6


def test_a_double_click_is_one_entry(arena):
    ada = arena.student("ada")
    for _ in range(3):
        assert ada.enter(guesses(0.6, 1), key="the-same-key").status_code == 303
    assert ada.enter(guesses(0.6, 2), key="the-same-key").status_code == 303
    assert len(arena.entries()) == 2, "another file is another entry, whatever the page's key"


def test_the_same_file_again_is_found_even_when_nothing_may_be_sent(arena):
    ada = arena.student("ada")
    arena.change(attempts_per_day=1)
    for _ in range(2):
        assert ada.enter(guesses(0.6, 1), key="the-same-key").status_code == 303
    assert len(arena.entries()) == 1


def test_source_is_kept_as_it_is_and_never_opened(arena, site, tess):
    ada = arena.student("ada")
    assert ada.enter(guesses(0.6, 1), source=b"import os").status_code == 422
    source = b"PK\x03\x04 no archive at all"
    assert ada.enter(guesses(0.6, 1), source=source).status_code == 303
    (entry,) = arena.entries()
    place = f"{arena.staff_address}/entries/{entry.id}/source.zip"
    assert tess.get(place).data == source
    assert ada.browser.get(place).status_code == 404


def test_predictions_come_back_to_the_team_and_to_staff_alone(arena, site, tess):
    ada, bo, eve = (arena.student(name) for name in ("ada", "bo", "eve"))
    ada.team_with(bo)
    ada.enter(guesses(0.6, 1))
    place = f"/competitions/entries/{arena.entries()[0].id}/predictions.csv"
    for browser, status in ((ada.browser, 200), (bo.browser, 200), (tess, 200), (eve.browser, 404)):
        assert browser.get(place).status_code == status
    assert ada.browser.get(place).data == guesses(0.6, 1)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (timedelta(hours=-1), "opens at Mon 7 Sep 2026, 16:00"),
        (timedelta(days=21), "ended at Mon 28 Sep 2026"),
    ],
)
def test_outside_the_dates_nothing_is_taken(arena, site, step, message):
    ada = arena.student("ada")
    site.clock.instant = START + step
    answer = ada.enter(guesses(0.6, 1))
    assert answer.status_code == 422 and arena.entries() == []
    if step > timedelta(0):
        assert "No more entries are taken" in answer.text


def test_all_members_see_all_entries_and_are_noted_with_each(arena, site):
    ada, bo = arena.student("ada"), arena.student("bo")
    ada.enter(guesses(0.5, 1))
    ada.team_with(bo)
    bo.enter(guesses(0.6, 2))
    for one in (ada, bo):
        page = one.page()
        assert "3 entries of your team left today" in page
        assert page.count('predictions.csv" download') == 2
    with read_session(site.engine) as session:
        assert session.scalar(select(func.count()).select_from(EntryMember)) == 3


def test_staff_take_no_part(arena, tess):
    assert tess.get(arena.address).status_code == 200
    assert tess.post(f"{arena.address}entries").status_code == 404
    assert "Enter predictions" not in tess.get(arena.address).text


def test_a_competition_takes_no_uploads_as_a_lab(arena):
    ada = arena.student("ada")
    answer = ada.browser.post(f"/labs/{arena.offering_id}/submissions")
    assert answer.status_code == 422 and "enter your predictions on its page" in answer.text
    page = ada.browser.get(f"/labs/{arena.offering_id}/").text
    assert "the page of the competition" in page and "Submit your work" not in page
    assert f'href="{arena.address}"' in ada.browser.get("/").text


def test_a_competition_without_labels_says_so_and_takes_nothing(arena, site):
    (site.config.home / "reference" / "guess" / "labels.csv").unlink()
    answer = arena.student("ada").enter(guesses(0.6, 1))
    assert (
        answer.status_code == 422
        and "<li>This competition cannot score entries at the moment" in answer.text
    )


def test_classes_are_those_of_the_manifest():
    assert set(truth()) == set(CLASSES)
