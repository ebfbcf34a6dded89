"""The demo course: real uploads of the lab, built once however often it is asked for."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from grader.lab.catalogue import Catalogue, find_home
from portal.accounts.passwords import Passwords
from portal.accounts.service import authenticate
from portal.courses.models import Enrolment, Role
from portal.db import read_session
from portal.demo import LAB, build_demo, uploads
from portal.errors import ConfigError
from portal.runs.models import GradingRun
from portal.submissions.models import Submission


@pytest.fixture
def checkout(config):
    """The settings of a portal in this very checkout."""
    return replace(config, home=find_home(environ={}))


def test_building_twice_adds_nothing_and_gives_the_same_logins(checkout, engine, clock):
    first = build_demo(checkout, now=clock())
    second = build_demo(checkout, now=clock.advance(days=30))
    assert first.submissions == len(uploads(Catalogue(checkout.home).get(LAB)))
    assert second.submissions == 0
    assert second.logins == first.logins
    with read_session(engine) as session:
        people = session.scalar(select(func.count(Enrolment.id)))
        sent = session.scalar(select(func.count(Submission.id)))
        runs = session.scalar(select(func.count(GradingRun.id)))
    assert (people, sent, runs) == (8, first.submissions, first.submissions)


def test_the_printed_logins_work(checkout, engine, clock):
    demo = build_demo(checkout, now=clock())
    with read_session(engine) as session:
        for login in demo.logins:
            passwords = Passwords(checkout.password_cost)
            assert authenticate(session, passwords, login.username, login.password)
    assert {login.role for login in demo.logins} == set(Role)
    assert all(login.password in "\n".join(demo.lines()) for login in demo.logins)


def test_without_the_staff_half_it_says_what_is_missing(config, home, engine, clock):
    (home / "assignments" / "demo").rename(home / "assignments" / LAB)
    manifest = home / "assignments" / LAB / "assignment.toml"
    manifest.write_text(manifest.read_text().replace('slug = "demo"', f'slug = "{LAB}"'))
    with pytest.raises(ConfigError, match="staff's files"):
        build_demo(config, now=clock())
