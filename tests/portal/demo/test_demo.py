"""The demo course: real uploads of the lab, built once however often it is asked for."""

import io
import zipfile
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from support.portal import START, open_site

from grader.authoring import reference_submission
from grader.lab.catalogue import Catalogue, find_home
from portal.courses.models import Enrolment, Offering, OfferingKind, Role
from portal.demo import COMPETITION, LABS, build_demo, few_uploads, uploads
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
    assert (people, sent, runs) == (8, first.submissions, first.submissions)


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
