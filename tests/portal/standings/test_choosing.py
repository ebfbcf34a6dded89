"""People choose which attempt counts: students until the lab closes, staff with a reason."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from support.attempts import Classroom

from portal.audit.models import AuditEntry
from portal.courses.models import AttemptPolicy
from portal.platform.db import read_session
from portal.standings.keeping import rebuild
from portal.standings.models import StudentStanding


@pytest.fixture
def room(site):
    """A classroom whose lab leaves the choice to students; ada has 14, 7 and 3 of 14 points."""
    room = Classroom(site)
    site.change_offering(
        policy=AttemptPolicy.CHOSEN,
        due_at=site.clock() + timedelta(days=2),
        closes_at=None,
        published=True,
    )
    site.make_member("tess", "ta")
    return room


@pytest.fixture
def ada(room):
    return room.enrol("ada")


@pytest.fixture
def sent(room, ada):
    return room.send(ada, 14.0, 7.0, 3.0)


@pytest.fixture
def browser(site, sent):
    return site.log_in("ada")


def choose(browser, site, attempt):
    return browser.post(f"/labs/{site.offering_id}/counts", data={"attempt": attempt})


def choose_for(site, who, **form):
    place = f"/staff/{site.term.slug}/gradebook/{who.id}/{site.offering_id}/counts"
    return site.log_in("tess").post(place, data=form)


def standing(site):
    with read_session(site.engine) as session:
        return session.scalars(select(StudentStanding)).one()


def total_of(site):
    """Return ada's total in the gradebook's CSV."""
    answer = site.log_in("tess").get(f"/staff/{site.term.slug}/gradebook.csv")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    return Decimal(next(row[-1] for row in rows if row[0] == "ada"))


def audited(site, action):
    with read_session(site.engine) as session:
        return session.scalars(select(AuditEntry).where(AuditEntry.action == action)).all()


def test_until_somebody_chooses_the_best_counts_and_the_page_says_so(site, browser, sent):
    assert standing(site).submission_id == sent[0]
    page = browser.get(f"/labs/{site.offering_id}/").text
    assert "No attempt is chosen, so the best graded one counts." in page
    assert "You may choose until the lab closes for you" in page


def test_what_a_student_chooses_counts_everywhere_and_stands_in_the_audit_log(site, browser, sent):
    before, total = standing(site), total_of(site)
    assert choose(browser, site, sent[1]).status_code == 303
    after = standing(site)
    assert (before.by_tests, after.by_tests, after.submission_id) == (14, 7, sent[1])
    assert (total, total_of(site)) == (14, 7)
    page = browser.get(f"/labs/{site.offering_id}/").text
    assert "your choice" in page and "Attempt 2 was chosen by Ada" in page
    assert "Attempt 2 counts, not this one." in browser.get(f"/submissions/{sent[0]}").text
    (entry,) = audited(site, "attempt.choose")
    assert (entry.detail["attempt"], entry.detail["submission"]) == (2, sent[1])
    assert rebuild(site.engine) == []


def test_a_choice_is_taken_back_by_choosing_none(site, browser, sent):
    choose(browser, site, sent[1])
    assert choose(browser, site, "").status_code == 303
    assert standing(site).submission_id == sent[0]
    assert len(audited(site, "attempt.choose_none")) == 1


def test_a_newer_attempt_does_not_move_the_choice(site, room, ada, browser, sent):
    choose(browser, site, sent[1])
    room.send(ada, 14.0)
    assert standing(site).submission_id == sent[1]


def test_after_the_close_students_cannot_choose_and_staff_can_with_a_reason(
    site, ada, browser, sent
):
    site.clock.advance(days=3)
    assert choose(browser, site, sent[1]).status_code == 422
    assert "Let it count" not in browser.get(f"/labs/{site.offering_id}/").text
    assert choose_for(site, ada, attempt=sent[1], reason=" ").status_code == 422
    assert standing(site).submission_id == sent[0]
    assert choose_for(site, ada, attempt=sent[1], reason="agreed by mail").status_code == 303
    assert standing(site).submission_id == sent[1]
    page = browser.get(f"/labs/{site.offering_id}/").text
    assert "chosen by Tess" in page and "agreed by mail" in page
    assert audited(site, "attempt.choose")[0].detail["reason"] == "agreed by mail"


def test_an_extension_lets_its_student_choose_longer(site, ada, browser, sent):
    due = (site.clock() + timedelta(days=5)).strftime("%Y-%m-%d %H:%M")
    site.log_in("tess").post(
        f"/staff/{site.term.slug}/extensions",
        data={"student": ada.id, "offering": site.offering_id, "due": due, "reason": "ill"},
    )
    site.clock.advance(days=3)
    assert choose(browser, site, sent[1]).status_code == 303


def test_only_own_attempts_with_a_result_can_be_chosen(site, room, ada, browser, sent):
    (others,) = room.send(room.enrol("bob"), 5.0)
    (waiting,) = room.send(ada, None)
    for attempt in (others, waiting, "no-such-attempt"):
        assert choose(browser, site, attempt).status_code == 422, attempt
    assert audited(site, "attempt.choose") == []


def test_where_a_rule_decides_nothing_can_be_chosen(site, ada, browser, sent):
    site.change_offering(policy=AttemptPolicy.LAST)
    assert choose(browser, site, sent[0]).status_code == 422
    assert choose_for(site, ada, attempt=sent[0], reason="x").status_code == 422
    assert standing(site).submission_id == sent[2]
    assert "Let it count" not in browser.get(f"/labs/{site.offering_id}/").text


def test_the_choice_stays_when_the_rule_changes_and_comes_back(site, browser, sent):
    choose(browser, site, sent[1])
    site.change_offering(policy=AttemptPolicy.LAST)
    assert standing(site).submission_id == sent[2]
    site.change_offering(policy=AttemptPolicy.CHOSEN)
    assert standing(site).submission_id == sent[1]


def test_a_student_cannot_choose_on_the_page_of_staff(site, ada, browser, sent):
    place = f"/staff/{site.term.slug}/gradebook/{ada.id}/{site.offering_id}/counts"
    assert browser.post(place, data={"attempt": sent[1], "reason": "x"}).status_code == 404
