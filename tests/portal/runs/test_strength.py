"""A machine that is weaker than demanded grades nothing, and says so loudly to staff."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from support.attempts import Classroom
from support.portal import open_site

from grader.grading import GradingPool
from grader.lab.catalogue import Catalogue
from portal.courses.policy import conditions
from portal.labs.service import allowance_of
from portal.platform.config import DEFAULT_MINIMUM_TIER, load_config
from portal.platform.db import read_session, write_session
from portal.platform.errors import ConfigError
from portal.runs import grading, service, worker
from portal.runs.models import Event, GradingRun, Heartbeat, Result, RunState
from portal.runs.strength import Strength, strength_here, weak_workers
from portal.submissions.models import Submission
from portal.teams.parties import Party

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def beat(course, executor, strength, host="gpu1", now=NOON):
    with write_session(course.engine) as session:
        service.beat(session, executor=executor, host=host, pid=1, now=now, strength=strength)


def weak(course, since=NOON - service.LEASE):
    with read_session(course.engine) as session:
        return [(one.host, one.warning) for one in weak_workers(session, since=since)]


@pytest.mark.parametrize(
    ("tier", "demanded", "words"),
    [
        pytest.param(1, 3, [], id="stronger"),
        pytest.param(3, 3, [], id="just-enough"),
        pytest.param(4, 3, ["tier 4", "tier 3 or better", "refuses", "grader doctor"], id="none"),
        pytest.param(2, 1, ["tier 2", "tier 1 or better", "cost no attempt"], id="too-weak"),
        pytest.param(4, 4, ["NOT FOR GRADES", "PORTAL_MINIMUM_TIER=4"], id="none-on-purpose"),
    ],
)
def test_a_warning_says_what_is_wrong_and_what_to_do(tier, demanded, words):
    warning = Strength(tier, demanded).warning()
    assert bool(warning) is bool(words)
    assert [word for word in words if word not in warning] == []


def test_staff_hear_of_living_weak_workers_once_a_host(course):
    beat(course, "a", Strength(4, 3))
    beat(course, "b", Strength(4, 3))
    beat(course, "c", Strength(1, 3), host="good")
    beat(course, "d", None, host="unknown")
    beat(course, "e", Strength(4, 3), host="lost", now=NOON - timedelta(hours=1))
    assert [host for host, _ in weak(course)] == ["gpu1"]


def test_a_machine_that_was_mended_is_no_longer_told(course):
    beat(course, "a", Strength(4, 3))
    beat(course, "a", Strength(1, 3), now=NOON + timedelta(seconds=5))
    assert weak(course) == []


def test_the_default_never_grades_without_a_sandbox():
    assert DEFAULT_MINIMUM_TIER == 3
    assert Strength(4, DEFAULT_MINIMUM_TIER).refuses


@pytest.fixture
def instance(tmp_path):
    """A folder with secrets, as `portal init` makes it."""
    for name in ("secret.key", "grading.key"):
        (tmp_path / name).write_text("ab" * 32)
    (tmp_path / "assignments").mkdir()
    return tmp_path


@pytest.mark.parametrize(("value", "tier"), [("", 3), ("1", 1), ("2", 2), (" 4 ", 4)])
def test_the_least_tier_is_read_from_the_environment(instance, value, tier):
    environ = {"PORTAL_MINIMUM_TIER": value, "GRADER_HOME": str(instance)}
    assert load_config(instance, environ).minimum_tier == tier


@pytest.mark.parametrize("value", ["0", "5", "full", "-1", "3.0"])
def test_a_least_tier_that_makes_no_sense_is_refused(instance, value):
    environ = {"PORTAL_MINIMUM_TIER": value, "GRADER_HOME": str(instance)}
    with pytest.raises(ConfigError, match="PORTAL_MINIMUM_TIER"):
        load_config(instance, environ)


def test_a_worker_on_a_weak_machine_says_so_in_its_log_and_its_sign_of_life(
    course, monkeypatch, caplog, tmp_path
):
    monkeypatch.setattr(worker, "strength_here", lambda demanded: Strength(4, demanded))
    strength = worker._strength(3)
    (record,) = caplog.records
    assert record.levelname == "CRITICAL"
    assert "refuses to grade" in record.message
    worker.Worker(
        executor="w",
        database=course.engine,
        store=None,
        catalogue=None,
        jobs=course.jobs,
        grade=None,
        strength=strength,
    ).beat()
    with read_session(course.engine) as session:
        row = session.scalars(select(Heartbeat)).one()
        assert (row.tier, row.minimum_tier) == (4, 3)


def test_a_worker_on_a_good_machine_is_quiet(caplog, monkeypatch):
    monkeypatch.setattr(worker, "strength_here", lambda demanded: Strength(1, demanded))
    worker._strength(3)
    assert caplog.records == []


def test_this_machine_is_measured():
    assert strength_here(3).tier in {1, 2, 3, 4}


@dataclass
class Owed:
    """A job engine that remembers what it was given."""

    runs: list[str] = field(default_factory=list)

    def enqueue_in(self, session, run_id, queue, priority):
        self.runs.append(run_id)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A portal where Ada has uploaded something and Tess is staff."""
    with open_site(tmp_path_factory.mktemp("weak")) as site:
        site.make_member("tess", "ta")
        yield site


@pytest.fixture(scope="module")
def refused(site):
    """A submission that a worker refuses to grade to the end, the engine really asked each time."""
    (submission,) = Classroom(site).send(site.make_member("ada"), None)
    (site.config.home / "reference" / "demo" / "suite").mkdir()
    jobs = Owed()
    with read_session(site.engine) as session:
        run_id = session.scalars(select(GradingRun.id)).one()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "GradingPool", partial(GradingPool, tier=4))
        patch.setattr(worker, "utc_now", site.clock)
        for _ in range(service.MAX_FAULTS):  # each time by a worker that was started anew
            _deliver(site, jobs, run_id)
    assert jobs.runs == [run_id] * (service.MAX_FAULTS - 1)
    return submission


def _deliver(site, jobs, run_id):
    with grading.engine_grading(site.config, 1) as grade:
        hand = worker.Worker(
            executor="w",
            database=site.engine,
            store=site.store,
            catalogue=Catalogue(site.config.home),
            jobs=jobs,
            grade=grade,
            strength=Strength(4, site.config.minimum_tier),
        )
        hand.beat()
        hand.deliver(run_id)


def test_a_refusal_is_a_fault_of_ours_and_never_a_score(refused, site):
    with read_session(site.engine) as session:
        run = session.scalars(select(GradingRun)).one()
        assert (run.state, run.attempts) == (RunState.NEEDS_HUMAN, service.MAX_FAULTS)
        assert session.scalars(select(Result)).all() == []
        faults = [event.data for event in session.scalars(select(Event).order_by(Event.id))]
    told = json.loads(faults[-1])["fault"]
    assert "sandbox tier 4" in told and "tier 3 or better is demanded" in told


def test_a_refusal_costs_the_student_no_attempt_and_is_told_calmly(refused, site):
    page = site.log_in("ada").get(f"/submissions/{refused}").text
    assert "The fault is ours: it cost you no attempt" in page
    assert "tier" not in page and "doctor" not in page
    with read_session(site.engine) as session:
        submission = session.get_one(Submission, refused)
        lab = submission.offering
        allowance = allowance_of(
            session,
            Party((submission.enrolment_id,)),
            lab,
            conditions(lab),
            now=submission.received_at,
        )
    assert allowance.used_total == 0


def test_staff_see_why_nothing_is_graded_and_what_to_do(refused, site):
    staff = site.log_in("tess")
    for place in (f"/staff/submissions/{refused}", f"/staff/{site.term.slug}/submissions"):
        page = staff.get(place).text
        assert "tier 3 or better is demanded (PORTAL_MINIMUM_TIER). It refuses to grade" in page
        assert "Run `grader doctor` there" in page
    assert "but tier 3 or better is demanded; `grader doctor` says what is missing" in (
        staff.get(f"/staff/submissions/{refused}").text
    )
