"""The demo course: real uploads of the lab, built once however often it is asked for."""

import io
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support.portal import START, open_site

from grader.authoring import reference_submission
from grader.lab.catalogue import Catalogue, find_home
from portal.competition.models import CompetitionEntry
from portal.courses.models import Enrolment, Offering, OfferingKind, Role
from portal.courses.policy import teams_lock_at
from portal.demo import COMPETITION, LABS, build_demo
from portal.demo.teams import RIVALS, TEAM, TEAM_LAB, TEAM_NAME, noisy
from portal.demo.uploads import few_uploads, uploads
from portal.people.service import authenticate
from portal.platform.db import read_session
from portal.platform.errors import ConfigError
from portal.platform.passwords import Passwords
from portal.runs.models import GradingRun
from portal.submissions.models import Submission


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A portal in this very checkout."""
    with open_site(tmp_path_factory.mktemp("demo")) as site:
        site.config = replace(site.config, home=find_home(environ={}))
        yield site


@pytest.fixture(scope="module")
def built(site):
    """The demo course, built twice."""
    first = build_demo(site.config, now=site.clock())
    return first, build_demo(site.config, now=site.clock.advance(days=30))


def test_building_twice_adds_nothing_and_gives_the_same_logins(built, site):
    first, second = built
    known = {lab.assignment.slug: lab for lab in Catalogue(site.config.home).labs()}
    labs = [known[slug] for slug in LABS if slug in known]
    assert first.submissions == len(uploads(labs[0])) + sum(
        len(few_uploads(lab)) for lab in labs[1:]
    )
    assert second.submissions == 0
    assert second.logins == first.logins
    with read_session(site.engine) as session:
        people = session.scalar(select(func.count(Enrolment.id)))
        sent = session.scalar(select(func.count(Submission.id)))
        runs = session.scalar(select(func.count(GradingRun.id)))
    rivals = sum(len(one.people) for one in RIVALS)  # they have no login
    assert (people, sent, runs) == (8 + rivals, first.submissions, first.submissions)


def test_the_printed_logins_work(built, site):
    demo, _ = built
    with read_session(site.engine) as session:
        for login in demo.logins:
            passwords = Passwords(site.config.password_cost)
            assert authenticate(session, passwords, login.username, login.password)
    assert {login.role for login in demo.logins} == set(Role)
    assert all(login.password in "\n".join(demo.lines()) for login in demo.logins)


def test_every_lab_is_open_in_the_courses_order_and_needs_no_data(built, site):
    with read_session(site.engine) as session:
        offerings = session.scalars(select(Offering).order_by(Offering.position)).all()
    offered = [one for one in offerings if one.assignment_slug and one.kind is OfferingKind.LAB]
    assert [one.assignment_slug for one in offered] == [
        slug for slug in LABS if (site.config.home / "assignments" / slug).is_dir()
    ]
    assert all(one.opens_at <= START < one.due_at for one in offered)
    dates = [one.due_at for one in offered]
    assert dates == sorted(set(dates))
    with_data = [one for one in offered if one.variants != ("synthetic",)]
    assert [one.assignment_slug for one in with_data] == ["fnn"]
    ranked = [one for one in offerings if one.kind is OfferingKind.COMPETITION]
    wanted = COMPETITION if (site.config.home / "assignments" / COMPETITION).is_dir() else None
    assert [one.assignment_slug for one in ranked] == [wanted]


def test_the_competition_takes_an_entry_from_the_folder_that_is_printed(built, site, monkeypatch):
    monkeypatch.setattr(site.clock, "instant", START)
    demo, again = built
    assert demo.data == again.data
    assert f"Data of the competition: {demo.data}" in demo.lines()
    with read_session(site.engine) as session:
        (offering,) = session.scalars(
            select(Offering).where(Offering.kind == OfferingKind.COMPETITION)
        )
    assert offering.opens_at <= START < offering.teams_lock_at < offering.due_at
    client = site.app.test_client()
    (ada,) = (login for login in demo.logins if login.username == "ada")
    client.post("/login", data={"username": ada.username, "password": ada.password})
    sample = (demo.data / "sample_submission.csv").read_bytes()
    sent = {"predictions": (io.BytesIO(sample), "predictions.csv")}
    page = f"/competitions/{offering.id}/"
    answer = client.post(f"{page}entries", data=sent, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    assert "Your team has made no entry yet" not in client.get(page).text


def test_the_board_has_rivals_in_the_order_of_their_best_entries(built, site, monkeypatch):
    monkeypatch.setattr(site.clock, "instant", START)
    with read_session(site.engine) as session:
        entries = session.scalars(select(CompetitionEntry).order_by(CompetitionEntry.number)).all()
        rivals = {name: one for one in RIVALS for name in one.people}
        by_team = {}
        for entry in entries:
            one = rivals.get(entry.enrolment.user.username)
            if one is not None:
                by_team.setdefault(one.name, []).append(entry)
                right = one.right[len(by_team[one.name]) - 1]
                assert abs(entry.public_score - right) < 0.06
                assert START - timedelta(days=7) <= entry.received_at < START
        page = f"/competitions/{entries[0].offering_id}/"
    assert {name: len(sent) for name, sent in by_team.items()} == {
        one.name: len(one.right) for one in RIVALS
    }
    (ada,) = (login for login in built[0].logins if login.username == "ada")
    client = site.app.test_client()
    client.post("/login", data={"username": ada.username, "password": ada.password})
    board = client.get(page).text
    ranked = sorted(RIVALS, key=lambda one: -one.right[-1])
    places = [board.index(one.name) for one in ranked]
    assert places == sorted(places)


def test_predictions_are_the_labels_with_noise_and_the_same_each_time():
    labels = "id,kind\n" + "".join(f"r{row:04},{row}\n" for row in range(2000))
    low, high = (noisy(labels, share, seed="a").decode() for share in (0.3, 0.6))
    assert noisy(labels, 0.3, seed="a").decode() == low != noisy(labels, 0.3, seed="b").decode()
    right = [set(text.splitlines()[1:]) & set(labels.splitlines()) for text in (low, high)]
    for one, share in zip(right, (0.3, 0.6), strict=True):
        assert abs(len(one) / 2000 - share) < 0.04
    assert right[0] < right[1], "what was right stays so"
    assert noisy(labels, 1.0, seed="a").decode() == labels


def test_two_students_hand_one_lab_in_together(built, site):
    with read_session(site.engine) as session:
        together = [
            (one.offering.assignment_slug, one.team.name, [who.user.username for who in one.people])
            for one in session.scalars(select(Submission))
            if len(one.people) > 1
        ]
        offering = session.scalars(
            select(Offering).where(Offering.assignment_slug == TEAM_LAB)
        ).one()
        assert teams_lock_at(offering) > START and offering.team_size == len(TEAM)
    assert together == [(TEAM_LAB, TEAM_NAME, list(TEAM))]


def test_a_right_solution_is_that_of_the_variant_it_is_graded_by(site):
    lab = Catalogue(site.config.home).get("cnn")
    right = reference_submission(lab, "synthetic").file("results.csv")
    *_, (_, sent) = few_uploads(lab)
    assert zipfile.ZipFile(io.BytesIO(sent.data)).read("results.csv") == right
    assert right != reference_submission(lab).file("results.csv")


def test_without_the_staff_half_it_says_what_is_missing(config, home, clock):
    (home / "assignments" / "demo").rename(home / "assignments" / LABS[0])
    manifest = home / "assignments" / LABS[0] / "assignment.toml"
    manifest.write_text(manifest.read_text().replace('slug = "demo"', f'slug = "{LABS[0]}"'))
    with pytest.raises(ConfigError, match="staff's files"):
        build_demo(config, now=clock())
