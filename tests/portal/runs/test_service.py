from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.courses.models import AttemptPolicy, Offering
from portal.platform.db import read_session, write_session
from portal.runs import service
from portal.runs.models import Event, EventKind, GradingRun, Result, RunState
from portal.runs.speaking import current_runs

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def claim(course, run_id, executor="a", now=NOON):
    with write_session(course.engine) as session:
        return service.claim(session, run_id, executor=executor, now=now)


def finish(course, held, report):
    with write_session(course.engine) as session:
        return service.finish(session, held, report, now=NOON)


def fail(course, held):
    with write_session(course.engine) as session:
        return service.fail(session, course.jobs, held, fault="disk full", now=NOON)


def beat(course, executor, now=NOON):
    with write_session(course.engine) as session:
        service.beat(session, executor=executor, host="h", pid=1, now=now)


def run_of(course, run_id):
    with read_session(course.engine) as session:
        return session.get_one(GradingRun, run_id)


def kinds(course, run_id):
    with read_session(course.engine) as session:
        query = select(Event.kind).where(Event.run_id == run_id).order_by(Event.id)
        return list(session.scalars(query))


def test_a_run_goes_from_the_queue_to_its_result(course, new_report):
    run_id = course.run()
    held = claim(course, run_id)
    assert finish(course, held, new_report(2.5))
    assert run_of(course, run_id).state is RunState.GRADED
    assert kinds(course, run_id) == [EventKind.QUEUED, EventKind.STARTED, EventKind.GRADED]
    with read_session(course.engine) as session:
        result = session.get_one(Result, run_id)
        assert (result.score, result.max_score, result.fence) == (2.5, 4.0, 1)


def test_a_worker_that_lost_its_claim_cannot_book(course, new_report):
    run_id = course.run()
    stale = claim(course, run_id, "a")
    fresh = claim(course, run_id, "b")
    assert fresh.fence == stale.fence + 1
    assert not finish(course, stale, new_report(0.0))
    assert fail(course, stale) is None
    with write_session(course.engine) as session:
        assert not service.progress(session, stale, done=1, total=2, now=NOON)
    assert finish(course, fresh, new_report(4.0))
    with read_session(course.engine) as session:
        assert [result.score for result in session.scalars(select(Result))] == [4.0]


def test_a_result_is_never_booked_twice(course, new_report):
    run_id = course.run()
    held = claim(course, run_id)
    assert finish(course, held, new_report(1.0))
    assert not finish(course, held, new_report(4.0))
    assert claim(course, run_id) is None


def test_a_run_in_living_hands_is_left_there(course):
    run_id = course.run()
    beat(course, "a")
    assert claim(course, run_id, "a")
    assert claim(course, run_id, "b", now=NOON + SECOND) is None


def test_a_run_of_a_silent_worker_is_taken_over(course):
    run_id = course.run()
    beat(course, "a")
    first = claim(course, run_id, "a")
    second = claim(course, run_id, "b", now=NOON + service.LEASE + SECOND)
    assert second.fence == first.fence + 1


def test_a_worker_takes_over_what_its_predecessor_of_the_same_name_held(course):
    run_id = course.run()
    beat(course, "a")
    claim(course, run_id, "a")
    assert claim(course, run_id, "a", now=NOON + SECOND).fence == 2


def test_our_faults_are_tried_again_and_the_third_goes_to_a_person(course):
    run_id = course.run()
    states = [fail(course, claim(course, run_id)) for _ in range(service.MAX_FAULTS)]
    assert states == [RunState.QUEUED, RunState.QUEUED, RunState.NEEDS_HUMAN]
    assert claim(course, run_id) is None
    assert len(course.jobs.owed) == 3  # the first, and one after each of two faults
    with read_session(course.engine) as session:
        assert session.scalars(select(Result)).all() == []


def test_a_run_that_fells_every_worker_goes_to_a_person(course):
    run_id = course.run()
    for number in range(service.MAX_CLAIMS):
        assert claim(course, run_id, f"worker-{number}")
    assert claim(course, run_id, "one-more") is None
    assert run_of(course, run_id).state is RunState.NEEDS_HUMAN


def test_a_report_without_a_score_is_no_result(course, new_report):
    held = claim(course, course.run())
    with pytest.raises(ValueError, match="call fail"):
        finish(course, held, new_report(None))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(AttemptPolicy.LAST, RunState.SUPERSEDED, id="only the last counts"),
        pytest.param(AttemptPolicy.BEST, RunState.QUEUED, id="the best counts"),
    ],
)
def test_a_newer_upload_takes_the_place_of_a_waiting_one(new_course, policy, expected):
    course = new_course(policy)
    student, other = course.student(), course.student()
    older, others = course.run(student), course.run(other)
    with write_session(course.engine) as session:
        offering = session.get_one(Offering, course.offering_id)
        service.supersede(session, [student], offering, now=NOON)
    assert run_of(course, older).state is expected
    assert run_of(course, others).state is RunState.QUEUED


def test_a_run_being_graded_is_not_superseded(new_course):
    course = new_course(AttemptPolicy.LAST)
    student = course.student()
    run_id = course.run(student)
    claim(course, run_id)
    with write_session(course.engine) as session:
        offering = session.get_one(Offering, course.offering_id)
        assert service.supersede(session, [student], offering, now=NOON) == []


def test_people_with_many_open_runs_come_later(course):
    busy, idle = course.student(), course.student()
    first, second, others = course.run(busy), course.run(busy), course.run(idle, NOON + SECOND)
    with read_session(course.engine) as session:
        places = service.queue_positions(session, "cpu")
    assert places == {first: 1, others: 2, second: 3}


def test_the_run_that_speaks_is_the_newest_graded_one(course, new_report):
    run_id = course.run()
    finish(course, claim(course, run_id), new_report())
    with write_session(course.engine) as session:
        submission_id = session.get_one(GradingRun, run_id).submission_id
        session.add(
            GradingRun(
                id="regrade",
                submission_id=submission_id,
                suite_digest="suite-2",
                reason_key="r1",
                queue="cpu",
                priority=1,
                state=RunState.QUEUED,
                created_at=NOON + SECOND,
            )
        )
    with read_session(course.engine) as session:
        assert current_runs(session, [submission_id])[submission_id].id == run_id
