"""A lab that teams hand in together: one upload for all, its score to all, and to nobody else."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from support.attempts import book
from support.mates import Teammate
from support.portal import START
from support.reports import class_report

from portal.audit.models import AuditEntry
from portal.courses.models import AttemptPolicy, Offering, Role, Term
from portal.grants.models import Grant
from portal.people.models import User
from portal.platform.db import read_session, write_session
from portal.runs.models import GradingRun, RunState
from portal.standings.keeping import rebuild
from portal.standings.models import StudentStanding
from portal.submissions.models import LateUpload, Submission
from portal.teams.models import Team
from portal.teams.parties import party_of


@pytest.fixture
def lab(site, term):
    site.change_offering(team_size=2)
    return site


@pytest.fixture
def people(lab):
    return [Teammate(lab, name) for name in ("ada", "bo", "cy")]


@pytest.fixture
def staff(lab):
    lab.make_member("tess", Role.TA)
    return lab.log_in("tess")


def standings(site):
    with read_session(site.engine) as session:
        rows = session.scalars(select(StudentStanding)).all()
        return {row.enrolment_id: row for row in rows}


def of(site, student):
    return standings(site).get(student.enrolment.id)


def test_one_upload_is_an_attempt_of_both_and_of_nobody_else(lab, people):
    ada, bo, cy = people
    ada.team_with(bo)
    receipt = ada.send().get_json()
    book(lab, receipt["id"], class_report(11.0, ""))
    for one in (ada, bo):
        assert one.sees(receipt["id"])
        assert (of(lab, one).by_tests, of(lab, one).attempts) == (11, 1)
        page = one.page()
        assert f"/submissions/{receipt['id']}" in page and "sent by Ada" in page
        assert "11 / 14" in re.sub("<[^>]*>", "", page)
    assert not cy.sees(receipt["id"]) and of(lab, cy) is None
    assert receipt["id"] not in cy.page()
    assert rebuild(lab.engine) == []


def test_the_receipt_names_the_sender_and_the_team(lab, people):
    ada, bo, _ = people
    ada.team_with(bo)
    with write_session(lab.engine) as session:
        for one in (ada, bo):
            session.merge(one.enrolment).student_number = f"number of {one.name}"
    receipt = bo.send().get_json()
    page = re.sub(r"\s+", " ", ada.browser.get(f"/submissions/{receipt['id']}/receipt").text)
    assert "<dt>Sent by</dt><dd>Bo</dd>" in page and "Bo, Ada (number of ada)" in page
    assert "number of bo" not in page


def test_alone_until_the_other_accepts_and_whoever_declines_stays_so(lab, people):
    ada, bo, _ = people
    ada.invite(bo)
    first = ada.send().get_json()["id"]
    assert "Ada asks you into the team" in bo.page()
    assert not bo.sees(first)
    assert bo.answer("decline").status_code == 303
    assert not bo.sees(ada.send().get_json()["id"])


def test_who_joins_sees_nothing_of_before_and_who_leaves_nothing_of_after(lab, people):
    lab.change_offering(team_size=3)
    ada, bo, cy = people
    alone = ada.send().get_json()["id"]
    ada.team_with(bo)
    both = ada.send().get_json()["id"]
    ada.team_with(cy)
    three = cy.send().get_json()["id"]
    assert bo.post("team/leave").status_code == 303
    after = ada.send().get_json()["id"]
    seen = {one.name: [one.sees(each) for each in (alone, both, three, after)] for one in people}
    assert seen == {
        "ada": [True, True, True, True],
        "bo": [False, True, True, False],
        "cy": [False, False, True, True],
    }
    numbers = {row.id: row.attempt for row in _submissions(lab)}
    assert [numbers[one] for one in (alone, both, three, after)] == [1, 2, 3, 4]


def test_attempts_are_counted_together_and_follow_whoever_used_them(lab, people):
    lab.change_offering(attempts_per_day=3)
    ada, bo, cy = people
    ada.team_with(bo)
    for one in (ada, bo, ada):
        assert one.send().status_code == 201
    assert bo.send().status_code == 422, "three of the team"
    assert bo.post("team/leave").status_code == 303
    assert bo.send().status_code == 422 and ada.send().status_code == 422
    cy.invite(bo)
    assert bo.answer().status_code == 303
    assert cy.send().status_code == 422, "what bo has used counts wherever they go"
    assert cy.post("team/leave").status_code == 303
    assert cy.send().status_code == 201


def test_merging_gains_no_attempts(lab, people):
    lab.change_offering(attempts_per_day=2)
    ada, bo, _ = people
    for one in (ada, bo):
        assert [one.send().status_code for _ in range(2)] == [201, 201]
    ada.invite(bo)
    answer = bo.answer()
    assert answer.status_code == 422
    assert "Together you have used 4 attempts, and one team could have used 2" in answer.text
    lab.clock.advance(days=1)
    assert bo.answer().status_code == 422, "with two more today they would have six in two days"
    lab.clock.advance(days=1)
    assert bo.answer().status_code == 303


def test_of_the_due_dates_the_latest_holds_for_the_team_and_the_page_says_so(lab, people):
    ada, bo, _ = people
    lab.change_offering(late_percent=Decimal(10), closes_at=START + timedelta(days=30))
    ada.team_with(bo)
    due = _due(lab)
    lab.clock.instant = due + timedelta(days=1)
    sent = ada.send().get_json()["id"]
    book(lab, sent, class_report(14.0, ""))
    assert of(lab, bo).late_factor == Decimal("0.9")
    with write_session(lab.engine) as session:
        session.add(
            Grant(
                enrolment_id=bo.enrolment.id, offering_id=lab.offering_id, reason="ill",
                due_at=due + timedelta(days=3), attempts=0, author_id=ada.enrolment.user_id,
                created_at=START,
            )
        )  # fmt: skip
    assert [of(lab, one).late_factor for one in (ada, bo)] == [1, 1]
    assert "extended for your team" in ada.page()
    assert rebuild(lab.engine) == []


def test_late_days_each_member_pays_of_their_own(lab, people):
    ada, bo, _ = people
    lab.change_offering(late_percent=Decimal(10), closes_at=START + timedelta(days=30))
    with write_session(lab.engine) as session:
        term = session.get_one(Term, lab.term.id)
        term.late_days, term.late_days_a_lab = 1, 1
    ada.team_with(bo)
    lab.clock.instant = _due(lab) + timedelta(days=1)
    book(lab, ada.send().get_json()["id"], class_report(14.0, ""))
    paid = [(of(lab, one).days_spent, of(lab, one).late_factor) for one in (ada, bo)]
    assert paid == [(1, 1), (1, 1)]
    assert rebuild(lab.engine) == []


def test_where_the_last_counts_a_newer_one_replaces_what_waits_but_nobody_elses(lab, people):
    lab.change_offering(policy=AttemptPolicy.LAST)
    ada, bo, cy = people
    ada.team_with(bo)
    first, second = (one.send().get_json()["id"] for one in (ada, bo))
    assert bo.post("team/leave").status_code == 303
    ada.team_with(cy)
    third = cy.send().get_json()["id"]
    with read_session(lab.engine) as session:
        states = {run.submission_id: run.state for run in session.scalars(select(GradingRun))}
    assert states == {
        first: RunState.SUPERSEDED,
        second: RunState.QUEUED,  # bo has a part in it, and none in the newer one
        third: RunState.QUEUED,
    }


def test_the_same_files_are_said_to_be_an_attempt_whoever_sent_them(lab, people):
    ada, bo, cy = people
    ada.team_with(bo)
    assert ada.send().status_code == 201
    answer = bo.send(again=False)
    assert answer.status_code == 409 and answer.get_json()["attempt"] == 1
    assert cy.send(again=False).status_code == 201, "of others' attempts nothing is said"


def test_an_attempt_of_others_is_not_graded_again_by_its_id(lab, people):
    ada, _, cy = people
    sent = ada.send().get_json()["id"]
    answer = cy.browser.post(
        f"/labs/{lab.offering_id}/submissions", data={"again": sent, "client_key": "c" * 12}
    )
    assert answer.status_code == 422 and len(_submissions(lab)) == 1


def test_a_late_upload_is_of_the_team_as_it_was_when_it_came(lab, people, staff):
    ada, bo, _ = people
    lab.change_offering(teams_lock_at=START + timedelta(days=60))
    ada.team_with(bo)
    lab.clock.instant = _due(lab) + timedelta(days=1)
    assert ada.send().status_code == 422
    lab.clock.advance(days=1)
    assert bo.post("team/leave").status_code == 303
    with read_session(lab.engine) as session:
        (kept,) = session.scalars(select(LateUpload)).all()
    assert staff.post(f"/staff/late-uploads/{kept.id}/accept").status_code == 303
    (accepted,) = _submissions(lab)
    assert bo.sees(accepted.id) and ada.sees(accepted.id)


def test_staff_and_whoever_has_left_the_term_hand_in_alone(lab, people):
    ada, bo, _ = people
    ada.team_with(bo)
    with write_session(lab.engine) as session:
        session.merge(bo.enrolment).active = False
    with read_session(lab.engine) as session:
        offering = session.get_one(Offering, lab.offering_id)
        assert party_of(session, offering, ada.enrolment.id).members == (ada.enrolment.id,)
        assert party_of(session, offering, bo.enrolment.id).members == (bo.enrolment.id,)


def test_without_a_team_size_nobody_forms_a_team(site):
    ada = Teammate(site, "ada")
    Teammate(site, "bo")
    assert "Your team" not in ada.page()
    assert ada.post("team/invitations", username="bo").status_code == 404
    assert ada.post("team/leave").status_code == 404


def test_the_team_of_an_earlier_lab_is_asked_in_one_press(lab, people):
    ada, bo, cy = people
    ada.team_with(bo)
    earlier = lab.offering_id
    lab.__dict__["offering_id"] = _next_lab(lab)
    assert "Ask the team of" in ada.page() and "Ask the team of" not in cy.page()
    assert ada.post("team/again", earlier=earlier).status_code == 303
    assert "You hand in alone so far" in bo.page(), "nobody is put into a team unasked"
    assert bo.post("team/again", earlier=earlier).status_code == 303
    assert bo.send().status_code == 201
    assert ada.sees(_submissions(lab)[0].id)
    assert cy.post("team/again", earlier=earlier).status_code == 422


def test_staff_copy_the_teams_of_a_lab_and_move_people(lab, people, staff):
    ada, bo, cy = people
    ada.team_with(bo)
    earlier = lab.offering_id
    lab.__dict__["offering_id"] = _next_lab(lab)
    place = f"/staff/2026-autumn/teams/{lab.offering_id}"
    assert staff.post(f"{place}/copies", data={"earlier": earlier}).status_code == 303
    assert "Ada" in staff.get("/staff/2026-autumn/teams").text
    sent = ada.send().get_json()["id"]
    assert bo.sees(sent) and not cy.sees(sent)
    answer = staff.post(
        f"{place}/moves", data={"person": bo.enrolment.id, "team": "own", "reason": "a quarrel"}
    )
    assert answer.status_code == 303
    assert not bo.sees(ada.send().get_json()["id"])
    with read_session(lab.engine) as session:
        said = session.scalars(select(AuditEntry.action)).all()
    assert said.count("team.move") == 2


def test_a_team_picks_its_name_also_once_it_is_locked(lab, people):
    ada, bo, cy = people
    assert "team/name" not in ada.page(), "whoever hands in alone has no name to be seen"
    ada.team_with(bo)
    assert 'action="/labs/' in ada.page() and "team/name" in ada.page()
    lab.clock.advance(days=8)
    assert "Teams are locked since" in bo.page()
    assert bo.post("team/name", name=" <b>Hares</b> ").status_code == 303
    assert (
        "<strong>&lt;b&gt;Hares&lt;/b&gt;</strong>" in ada.page() and "<b>Hares" not in ada.page()
    )
    for name in ("", "x", "y" * 41, "a\u202eb"):
        assert ada.post("team/name", name=name).status_code == 422
    answer = cy.post("team/name", name="<B>hares</B>")
    assert answer.status_code == 422 and "Another team has the name" in answer.text
    assert _renamed(lab) == [("bo", "<b>Hares</b>")]


def test_a_name_is_picked_once_the_lab_is_open(lab, people, staff):
    ada, bo, _ = people
    ada.team_with(bo)
    lab.change_offering(opens_at=START + timedelta(days=1))
    answer = ada.post("team/name", name="Hares")
    assert answer.status_code == 422 and "Teams are formed once" in answer.text
    assert "team/name" not in ada.page()
    assert _renamed(lab) == []


def test_staff_rename_what_cannot_stay_in_their_own_lab_alone(lab, people, staff):
    ada, bo, cy = people
    ada.team_with(bo)
    ada.post("team/name", name="Rude")
    (team,) = _teams(lab)
    here, there = lab.offering_id, _next_lab(lab)
    place = "/staff/2026-autumn/teams"
    form = {"team": team, "name": "Polite"}
    assert staff.post(f"{place}/{there}/names", data=form).status_code == 404
    assert staff.post(f"{place}/{here}/names", data=form | {"team": "own"}).status_code == 422
    assert ada.browser.post(f"{place}/{here}/names", data=form).status_code == 404
    assert "Rude" in staff.get(place).text
    assert staff.post(f"{place}/{here}/names", data=form).status_code == 303
    page = staff.get(place).text
    assert "Polite" in page and "Rude" not in page and "Polite" in ada.page()
    assert _renamed(lab) == [("ada", "Rude"), ("tess", "Polite")]


def _renamed(site):
    """Return who gave which name, as the history has it."""
    with read_session(site.engine) as session:
        query = select(AuditEntry).where(AuditEntry.action == "team.rename")
        return [
            (session.get_one(User, one.actor_id).username, one.detail["after"])
            for one in session.scalars(query.order_by(AuditEntry.id))
        ]


def _teams(site):
    with read_session(site.engine) as session:
        return session.scalars(select(Team.id).where(Team.offering_id == site.offering_id)).all()


def _submissions(site):
    with read_session(site.engine) as session:
        query = select(Submission).where(Submission.offering_id == site.offering_id)
        return list(session.scalars(query.order_by(Submission.attempt)))


def _due(site):
    with read_session(site.engine) as session:
        return session.get_one(Offering, site.offering_id).due_at


def _next_lab(site):
    """Open the second lab to teams of two, and return its offering."""
    with write_session(site.engine) as session:
        wanted = select(Offering).where(Offering.term_id == site.term.id, Offering.position == 2)
        lab = session.scalars(wanted).one()
        lab.assignment_slug, lab.published, lab.team_size = "demo", True, 2
        lab.opens_at = START
        return lab.id


def test_nobody_accepts_for_somebody_else(lab, people):
    ada, bo, _ = people
    receipt = bo.send().get_json()
    ada.invite(bo)
    page = ada.browser.get(f"/labs/{lab.offering_id}/").text
    (number,) = re.findall(r"team/invitations/(\d+)", page)
    answer = ada.post(f"team/invitations/{number}", answer="accept")
    assert answer.status_code == 303, "it is withdrawn, whatever the form says"
    with read_session(lab.engine) as session:
        party = party_of(session, session.get_one(Offering, lab.offering_id), bo.enrolment.id)
    assert party.members == (bo.enrolment.id,) and not ada.sees(receipt["id"])
